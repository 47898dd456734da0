"""Calls a server with KServe's own client, v1. Usage: kserve_client.py URL, with the models `iris` and `census`."""

import asyncio
import json
import sys

from kserve import InferenceRESTClient, RESTConfig

PERSON = json.loads(sys.argv[2])


async def main(url: str) -> None:
    config = RESTConfig(protocol="v1", retries=0, timeout=30)
    async with InferenceRESTClient(config) as client:
        answers = {
            "live": await client.is_server_live(url),
            "ready": await client.is_model_ready(url, "iris"),
            "lists": await client.infer(url, {"instances": [[6.8, 2.8, 4.8, 1.4], [6.0, 3.4, 4.5, 1.6]]}, "iris"),
            "objects": await client.infer(url, {"instances": [PERSON, PERSON]}, "census"),
        }
        for name, call in {
            "unknown": lambda: client.infer(url, {"instances": [[1]]}, "irs"),
            "wrong": lambda: client.infer(url, {"instances": [[1]]}, "iris"),
            "not_ready": lambda: client.is_model_ready(url, "irs"),
        }.items():
            try:
                answers[name] = await call()
            except Exception as error:
                answers[name] = str(error)
    print(json.dumps(answers))


asyncio.run(main(sys.argv[1]))
