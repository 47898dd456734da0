"""A grpcio client that is told what to call: one JSON command a line on stdin, one JSON answer a line on stdout.

    python-clients grpcio_client.py ADDRESS PROTO_FOLDER

Stubs are generated from the .proto files when it starts. A command has `call`, `request` (or `requests`) in protojson, and
optionally `gzip` and `timeout` in seconds. An answer has `response` or `responses`, or `code`, `message` and `details`.
"""

import json
import sys
import tempfile
from pathlib import Path

import grpc
import grpc_tools
from google.protobuf.json_format import MessageToDict, ParseDict
from google.rpc import error_details_pb2  # noqa: F401  its messages unpack from Any
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status
from grpc_tools import protoc

ADDRESS, PROTO = sys.argv[1:]

generated = tempfile.TemporaryDirectory()
files = [str(path) for folder in ("assay", "buf") for path in sorted(Path(PROTO, folder).rglob("*.proto"))]
arguments = [f"--proto_path={folder}" for folder in (PROTO, Path(grpc_tools.__file__).parent / "_proto")]
arguments += [f"--python_out={generated.name}", f"--grpc_python_out={generated.name}"]
if protoc.main(["protoc", *arguments, *files]) != 0:
    sys.exit("grpcio-tools could not generate stubs")
sys.path.insert(0, generated.name)

from assay.v1 import model_service_pb2, model_service_pb2_grpc, scoring_service_pb2, scoring_service_pb2_grpc  # noqa: E402

channel = grpc.insecure_channel(ADDRESS)
scoring = scoring_service_pb2_grpc.ScoringServiceStub(channel)
models = model_service_pb2_grpc.ModelServiceStub(channel)


def predict(command, options):
    call = ParseDict(command["request"], scoring_service_pb2.PredictRequest())
    return {"response": MessageToDict(scoring.Predict(call, **options))}


def predict_stream(command, options):
    items = (ParseDict(item, scoring_service_pb2.PredictStreamRequest()) for item in command["requests"])
    return {"responses": [MessageToDict(answer) for answer in scoring.PredictStream(items, **options)]}


def predict_rows(command, options):
    call = ParseDict({"items": command["requests"]}, scoring_service_pb2.PredictRowsRequest())
    return {"responses": [MessageToDict(answer) for answer in scoring.PredictRows(call, **options)]}


def get_model(command, options):
    call = ParseDict(command["request"], model_service_pb2.GetModelRequest())
    return {"response": MessageToDict(models.GetModel(call, **options))}


def health(command, options):
    call = health_pb2.HealthCheckRequest(service=command["service"])
    return {"response": MessageToDict(health_pb2_grpc.HealthStub(channel).Check(call, **options))}


def reflection(command, options):
    database = ProtoReflectionDescriptorDatabase(channel)
    file = database.FindFileContainingSymbol(command["symbol"])
    return {"response": {"services": list(database.get_services()), "file": file.name}}


def failure(error):
    status = rpc_status.from_call(error)
    details = [] if status is None else MessageToDict(status).get("details", [])
    return {"code": error.code().name, "message": error.details(), "details": details}


CALLS = {f.__name__: f for f in (predict, predict_stream, predict_rows, get_model, health, reflection)}

for line in sys.stdin:
    command = json.loads(line)
    options = {"timeout": command.get("timeout", 60)}
    if command.get("gzip"):
        options["compression"] = grpc.Compression.Gzip
    try:
        answer = CALLS[command["call"]](command, options)
    except grpc.RpcError as error:
        answer = failure(error)
    except Exception as error:  # a bad command must not end the client for those that follow
        answer = {"code": "CLIENT", "message": repr(error), "details": []}
    print(json.dumps(answer), flush=True)
