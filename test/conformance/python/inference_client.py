"""Clients of the Open Inference Protocol that are told what to call: one JSON command a line on stdin, one JSON answer a line on stdout.

    python-inference inference_client.py ADDRESS triton|kserve

The two register the same protobuf names, so a process has one of them.

A command has `call`. Those that infer (`triton`, `triton_aio`, `triton_stream`, `triton_typed`, `kserve`) have `model` and `inputs` as
Open Inference JSON, and are answered with `model_name`, `model_version` and `outputs` in the same form. The others are answered with
what the client says, or with `error`.
"""

import asyncio
import json
import queue
import sys

import numpy as np

ADDRESS, FAMILY = sys.argv[1:]
if FAMILY == "kserve":
    import kserve
else:
    import tritonclient.grpc as triton
    import tritonclient.grpc.aio as triton_aio
    from tritonclient.grpc import service_pb2

TYPED = {"FP32": "fp32_contents", "INT64": "int64_contents", "BYTES": "bytes_contents"}
DTYPES = {"FP32": np.float32, "INT64": np.int64}
client = None if FAMILY == "kserve" else triton.InferenceServerClient(ADDRESS)


def array(tensor):
    """A tensor of Open Inference JSON; null is NaN."""
    if tensor["datatype"] == "BYTES":
        values = np.array([text.encode() for text in tensor["data"]], dtype=np.object_)
    else:
        numbers = [np.nan if value is None else value for value in tensor["data"]]
        values = np.array(numbers, dtype=DTYPES[tensor["datatype"]])
    return values.reshape(tensor["shape"])


def infer_inputs(tensors):
    inputs = []
    for tensor in tensors:
        one = triton.InferInput(tensor["name"], tensor["shape"], tensor["datatype"])
        one.set_data_from_numpy(array(tensor))
        inputs.append(one)
    return inputs


def plain(values):
    return [value.decode() if isinstance(value, bytes) else value for value in values]


def answer(result):
    response = result.get_response()
    outputs = []
    for output in response.outputs:
        data = plain(result.as_numpy(output.name).flatten().tolist())
        outputs.append({"name": output.name, "datatype": output.datatype, "shape": list(output.shape), "data": data})
    return {"model_name": response.model_name, "model_version": response.model_version, "outputs": outputs}


def triton_sync(command):
    return answer(client.infer(command["model"], infer_inputs(command["inputs"]), request_id="a"))


def triton_asyncio(command):
    async def call():
        async with triton_aio.InferenceServerClient(ADDRESS) as own:
            return await own.infer(command["model"], infer_inputs(command["inputs"]))

    return answer(asyncio.run(call()))


def triton_stream(command):
    """The same request three times through one stream; the last answer."""
    answers = queue.Queue()
    with triton.InferenceServerClient(ADDRESS) as own:
        own.start_stream(lambda result, error: answers.put((result, error)))
        for index in range(3):
            own.async_stream_infer(
                command["model"],
                infer_inputs(command["inputs"]),
                request_id=str(index),
                enable_empty_final_response=True,
            )
        for index in range(3):
            result, error = answers.get(timeout=20)
            if error is not None:
                raise error
            response = result.get_response()
            assert response.id == str(index), response.id
            assert response.parameters["triton_final_response"].bool_param
        own.stop_stream()
    return answer(result)


def triton_typed(command):
    """Typed contents, as Triton's own examples send them; the raw ones of the answer are read."""
    request = service_pb2.ModelInferRequest(model_name=command["model"])
    for tensor in command["inputs"]:
        one = request.inputs.add(name=tensor["name"], datatype=tensor["datatype"], shape=tensor["shape"])
        getattr(one.contents, TYPED[tensor["datatype"]]).extend(array(tensor).flatten().tolist())
    return answer(triton.InferResult(client._client_stub.ModelInfer(request)))


def kserve_infer(command):
    async def call():
        own = kserve.InferenceGRPCClient(ADDRESS)
        try:
            assert await own.is_server_live() and await own.is_server_ready()
            assert await own.is_model_ready(command["model"])
            inputs = []
            for tensor in command["inputs"]:
                one = kserve.InferInput(name=tensor["name"], shape=tensor["shape"], datatype=tensor["datatype"])
                one.set_data_from_numpy(array(tensor))
                inputs.append(one)
            return await own.infer(kserve.InferRequest(model_name=command["model"], infer_inputs=inputs))
        finally:
            await own.close()

    response = asyncio.run(call())
    outputs = [
        {"name": one.name, "datatype": one.datatype, "shape": list(one.shape), "data": plain(one.as_numpy().flatten().tolist())}
        for one in response.outputs
    ]
    return {"model_name": response.model_name, "model_version": response.model_version, "outputs": outputs}


def told(command):
    """What a method of tritonclient answers to arguments by name."""
    return getattr(client, command["method"])(**command.get("arguments", {}), **command.get("form", {}))


CALLS = {
    "triton": triton_sync,
    "triton_aio": triton_asyncio,
    "triton_stream": triton_stream,
    "triton_typed": triton_typed,
    "kserve": kserve_infer,
    "told": told,
}

for line in sys.stdin:
    command = json.loads(line)
    try:
        result = CALLS[command["call"]](command)
    except Exception as error:  # noqa: BLE001  whatever a client raises is what is asked for
        result = {"error": str(error)}
    print(json.dumps(result), flush=True)
