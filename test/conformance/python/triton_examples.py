"""What the examples of Triton's client repository do, against a server with `simple`, `simple_int8` and `simple_string`.

    python-inference triton_examples.py ADDRESS

Prints a JSON object: the name of each example, and `true`, or what came in the place of what it expects.
"""

import asyncio
import json
import queue
import sys

import grpc
import numpy as np
import tritonclient.grpc as triton_grpc
import tritonclient.grpc.aio as triton_grpc_aio
import tritonclient.http as triton_http
import tritonclient.http.aio as triton_http_aio
from tritonclient.grpc import service_pb2
from tritonclient.utils import InferenceServerException

ADDRESS = sys.argv[1]
FIRST = np.arange(16, dtype=np.int32).reshape(1, 16)
SECOND = np.ones((1, 16), dtype=np.int32)
OUTPUTS = ("OUTPUT0", "OUTPUT1")


def inputs_of(family, datatype="INT32", **how):
    inputs = []
    for name, values in (("INPUT0", FIRST), ("INPUT1", SECOND)):
        if datatype == "BYTES":
            values = np.array([str(one).encode() for one in values.flatten()], dtype=np.object_).reshape(1, 16)
        one = family.InferInput(name, [1, 16], datatype)
        one.set_data_from_numpy(values, **how)
        inputs.append(one)
    return inputs


def outputs_of(family, **how):
    return [family.InferRequestedOutput(name, **how) for name in OUTPUTS]


def check(result, convert=lambda values: values):
    total, difference = (convert(result.as_numpy(name)) for name in OUTPUTS)
    assert np.array_equal(total, FIRST + SECOND), total
    assert np.array_equal(difference, FIRST - SECOND), difference


def as_numbers(values):
    return np.array([int(one) for one in values.flatten()]).reshape(values.shape)


def infer(client, family):
    check(client.infer("simple", inputs_of(family), outputs=outputs_of(family), headers={"test": "1"}))
    again = client.infer("simple", inputs_of(family))
    check(again)
    assert again.get_output("OUTPUT0") is not None and again.get_output("wrong") is None
    try:
        client.infer("wrong_model_name", inputs_of(family))
    except InferenceServerException as error:
        assert "unknown model" in error.message(), error
    else:
        raise AssertionError("an unknown model was scored")
    assert client.get_inference_statistics("simple") is not None


def health_metadata(client, family):
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("simple")
    metadata = client.get_server_metadata()
    assert (metadata["name"] if isinstance(metadata, dict) else metadata.name) == "triton", metadata
    metadata = client.get_model_metadata("simple")
    assert (metadata["name"] if isinstance(metadata, dict) else metadata.name) == "simple"
    config = client.get_model_config("simple")
    assert (config["name"] if isinstance(config, dict) else config.config.name) == "simple"
    try:
        client.get_model_metadata("wrong_model_name")
    except InferenceServerException as error:
        assert "Request for unknown model" in error.message(), error
    else:
        raise AssertionError("an unknown model was described")


def string(client, family):
    check(client.infer("simple_string", inputs_of(family, "BYTES")), as_numbers)


def reuse(client, family):
    inputs, outputs = inputs_of(family), outputs_of(family)
    for _ in range(3):
        check(client.infer("simple", inputs, outputs=outputs))


def grpc_async(client, family):
    answers = queue.Queue()
    calls = [client.async_infer("simple", inputs_of(family), lambda result, error: answers.put((result, error))) for _ in range(4)]
    for _ in calls:
        result, error = answers.get(timeout=20)
        assert error is None, error
        check(result)


def grpc_explicit(model, field, values_of):
    def call(client, family):
        request = service_pb2.ModelInferRequest(model_name=model, id="my request id")
        for name, values in (("INPUT0", FIRST), ("INPUT1", SECOND)):
            datatype = {"simple": "INT32", "simple_int8": "INT8", "simple_string": "BYTES"}[model]
            one = request.inputs.add(name=name, datatype=datatype, shape=[1, 16])
            getattr(one.contents, field).extend(values_of(values))
        request.outputs.add(name="OUTPUT0")
        request.outputs.add(name="OUTPUT1")
        response = client._client_stub.ModelInfer(request)
        assert response.id == "my request id"
        result = triton_grpc.InferResult(response)
        check(result, as_numbers if field == "bytes_contents" else lambda values: values)

    return call


def grpc_channel(**options):
    def call(client, family):
        with triton_grpc.InferenceServerClient(ADDRESS, **options) as own:
            check(own.infer("simple", inputs_of(family), compression_algorithm="gzip", client_timeout=20))

    return call


def sequence(client, family):
    try:
        client.infer("simple", inputs_of(family), sequence_id=7, sequence_start=True, sequence_end=True)
    except InferenceServerException as error:
        assert "no state between requests" in error.message(), error
    else:
        raise AssertionError("a sequence was begun")


def shared_memory(client, family):
    try:
        client.register_system_shared_memory("region", "/region", 64)
    except InferenceServerException as error:
        assert "maps no memory of its clients" in error.message(), error
    else:
        raise AssertionError("memory was mapped")


def http_async(client, family):
    calls = [client.async_infer("simple", inputs_of(family), query_params={"test_1": 1}) for _ in range(4)]
    for call in calls:
        check(call.get_result(timeout=20))


def http_json(client, family):
    result = client.infer("simple", inputs_of(family, binary_data=False), outputs=outputs_of(family, binary_data=False))
    check(result)


def http_string(client, family):
    for binary in (True, False):
        inputs = inputs_of(family, "BYTES", binary_data=binary)
        check(client.infer("simple_string", inputs, outputs=outputs_of(family, binary_data=binary)), as_numbers)


def asynchronous(family):
    def call(_client, _family):
        async def run():
            async with family.InferenceServerClient(ADDRESS) as own:
                assert await own.is_model_ready("simple")
                results = await asyncio.gather(*(own.infer("simple", inputs_of(family)) for _ in range(4)))
                return results[-1]

        check(asyncio.run(run()))

    return call


def plain_stub(_client, _family):
    """As `grpc_client.py`: the generated stub on a channel of grpcio's own."""
    from tritonclient.grpc import service_pb2_grpc

    with grpc.insecure_channel(ADDRESS) as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        assert stub.ServerLive(service_pb2.ServerLiveRequest()).live
        assert stub.ModelConfig(service_pb2.ModelConfigRequest(name="simple")).config.max_batch_size == 8
        request = service_pb2.ModelInferRequest(model_name="simple")
        for name, values in (("INPUT0", FIRST), ("INPUT1", SECOND)):
            request.inputs.add(name=name, datatype="INT32", shape=[1, 16])
            request.raw_input_contents.append(values.tobytes())
        answer = stub.ModelInfer(request)
        assert np.array_equal(np.frombuffer(answer.raw_output_contents[0], np.int32), (FIRST + SECOND)[0])


SHARED = {"infer": infer, "health_metadata": health_metadata, "reuse_infer_objects": reuse, "sequence_sync": sequence, "shm": shared_memory}
EXAMPLES = {
    triton_grpc: {
        **SHARED,
        "string_infer": string,
        "async_infer": grpc_async,
        "aio_infer": asynchronous(triton_grpc_aio),
        "explicit_int_content": grpc_explicit("simple", "int_contents", lambda values: values.flatten().tolist()),
        "explicit_int8_content": grpc_explicit("simple_int8", "int_contents", lambda values: values.flatten().tolist()),
        "explicit_byte_content": grpc_explicit(
            "simple_string", "bytes_contents", lambda values: [str(one).encode() for one in values.flatten()]
        ),
        "custom_args": grpc_channel(channel_args=[("grpc.max_receive_message_length", 1 << 22)]),
        "keepalive": grpc_channel(keepalive_options=triton_grpc.KeepAliveOptions(keepalive_time_ms=10_000)),
        "plain_stub": plain_stub,
    },
    triton_http: {
        **SHARED,
        "string_infer": http_string,
        "async_infer": http_async,
        "aio_infer": asynchronous(triton_http_aio),
        "json_infer": http_json,
    },
}

told = {}
for family, examples in EXAMPLES.items():
    name = family.__name__.rpartition(".")[2]
    with family.InferenceServerClient(ADDRESS, **({"concurrency": 4} if family is triton_http else {})) as client:
        for example, call in examples.items():
            try:
                call(client, family)
                told[f"{name}_{example}"] = True
            except Exception as error:  # noqa: BLE001  whatever an example ends with is what is asked for
                told[f"{name}_{example}"] = repr(error)
print(json.dumps(told))
