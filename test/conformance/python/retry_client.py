"""A grpcio client with a retry policy: calls a method with each message and prints the code that the last attempt ended with.

    python-clients retry_client.py ADDRESS METHOD HEX...
"""

import json
import sys

import grpc

ADDRESS, METHOD, *MESSAGES = sys.argv[1:]
POLICY = {
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.02s",
                "maxBackoff": "0.1s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["RESOURCE_EXHAUSTED", "UNAVAILABLE"],
            },
        }
    ]
}

channel = grpc.insecure_channel(ADDRESS, options=[("grpc.service_config", json.dumps(POLICY))])
call = channel.unary_unary(METHOD)  # without serializers messages are passed as they are
for message in MESSAGES:
    try:
        call(bytes.fromhex(message), timeout=20)
        print(0)
    except grpc.RpcError as error:
        print(error.code().value[0])
