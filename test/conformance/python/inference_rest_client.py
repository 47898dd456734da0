"""Clients of the Open Inference Protocol over REST that are told what to call: one JSON command a line on stdin, one JSON answer a line
on stdout.

    python-inference inference_rest_client.py ADDRESS

A command has `call`. `triton`, `triton_aio` and `kserve` have `model` and `inputs` as Open Inference JSON, and `input_binary`,
`output_binary` (null: the client's default), `coding`; they are answered with `model_name`, `model_version` and `outputs` in the same
form. `classes` has `output` and `count` too. `told` has `method` and `arguments` of tritonclient's client. What fails is answered with
`error` and `status`.
"""

import asyncio
import json
import sys

import kserve
import numpy as np
import tritonclient.http as triton
import tritonclient.http.aio as triton_aio
from tritonclient.utils import InferenceServerException, triton_to_np_dtype

ADDRESS = sys.argv[1]
client = triton.InferenceServerClient(ADDRESS)


def array(tensor):
    """A tensor of Open Inference JSON; null is NaN."""
    if tensor["datatype"] == "BYTES":
        values = np.array([text.encode() for text in tensor["data"]], dtype=np.object_)
    else:
        values = np.array([np.nan if value is None else value for value in tensor["data"]])
    return values.astype(triton_to_np_dtype(tensor["datatype"])).reshape(tensor["shape"])


def triton_inputs(command):
    inputs = []
    for tensor in command["inputs"]:
        one = triton.InferInput(tensor["name"], tensor["shape"], tensor["datatype"])
        one.set_data_from_numpy(array(tensor), binary_data=command.get("input_binary", True))
        inputs.append(one)
    return inputs


def triton_outputs(command):
    binary = command.get("output_binary")
    if binary is None:
        return None
    names = [output["name"] for output in client.get_model_metadata(command["model"])["outputs"]]
    return [triton.InferRequestedOutput(name, binary_data=binary) for name in names]


def plain(values):
    return [value.decode() if isinstance(value, bytes) else value for value in values]


def triton_answer(result):
    response = result.get_response()
    outputs = [
        {
            "name": output["name"],
            "datatype": output["datatype"],
            "shape": output["shape"],
            "data": plain(result.as_numpy(output["name"]).flatten().tolist()),
        }
        for output in response["outputs"]
    ]
    return {
        "id": response.get("id"),
        "model_name": response["model_name"],
        "model_version": response["model_version"],
        "outputs": outputs,
    }


def triton_options(command):
    coding = command.get("coding")
    return {
        "outputs": triton_outputs(command),
        "request_id": "a",
        "request_compression_algorithm": coding,
        "response_compression_algorithm": coding,
    }


def triton_sync(command):
    return triton_answer(client.infer(command["model"], triton_inputs(command), **triton_options(command)))


def triton_async(command):
    async def run():
        async with triton_aio.InferenceServerClient(ADDRESS) as one:
            calls = [one.infer(command["model"], triton_inputs(command), **triton_options(command)) for _ in range(4)]
            return await asyncio.gather(*calls)

    return triton_answer(asyncio.run(run())[-1])


def classes(command):
    output = triton.InferRequestedOutput(
        command["output"], binary_data=command["output_binary"], class_count=command["count"]
    )
    result = client.infer(command["model"], triton_inputs(command), outputs=[output])
    return {"classes": plain(result.as_numpy(command["output"]).flatten().tolist())}


def kserve_rest(command):
    inputs = []
    for tensor in command["inputs"]:
        one = kserve.InferInput(name=tensor["name"], shape=tensor["shape"], datatype=tensor["datatype"])
        one.set_data_from_numpy(array(tensor), binary_data=command.get("input_binary", False))
        inputs.append(one)
    parameters = {"binary_data_output": True} if command.get("output_binary") else None
    request = kserve.InferRequest(
        model_name=command["model"], infer_inputs=inputs, request_id="a", parameters=parameters
    )

    async def run():
        rest = kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v2"))
        url = f"http://{ADDRESS}"
        assert await rest.is_server_live(url) is True
        assert await rest.is_server_ready(url) is True
        assert await rest.is_model_ready(url, command["model"]) is True
        assert await rest.is_model_ready(url, "nobody") is False
        return await rest.infer(url, request, model_name=command["model"])

    response = asyncio.run(run())
    outputs = [
        {
            "name": output.name,
            "datatype": output.datatype,
            "shape": list(output.shape),
            "data": plain(np.asarray(output.as_numpy()).flatten().tolist()),
        }
        for output in response.outputs
    ]
    return {
        "id": response.id,
        "model_name": response.model_name,
        # The client drops the version that came.
        "model_version": response.model_version or "1",
        "outputs": outputs,
    }


def told(command):
    return {"answer": getattr(client, command["method"])(**command.get("arguments", {}))}


CALLS = {
    "triton": triton_sync,
    "triton_aio": triton_async,
    "classes": classes,
    "kserve": kserve_rest,
    "told": told,
}

for line in sys.stdin:
    command = json.loads(line)
    try:
        answer = CALLS[command["call"]](command)
    except InferenceServerException as error:
        answer = {"error": error.message(), "status": error.status()}
    print(json.dumps(answer), flush=True)
