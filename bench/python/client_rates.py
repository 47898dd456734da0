"""Rows a second of the client of python/ over one stream, beside a loop of grpcio alone that sends the same messages.

    python bench/python/client_rates.py URL MODEL [--rows 2000000] [--rows-per-message 4096] [--rounds 3]

Prints a JSON line a round: rows a second of both, rows for a second of the client's own CPU, and the ratio. The loop sends a message that is encoded once, again and again, with as
many in flight, and reads each answer's scores: what is left of the difference is the client.
"""

import argparse
import json
import queue
import time

import assay
import numpy as np
from assay.v1 import scoring_service_pb2 as pb
from assay.servers import Access, Server

import grpc

IN_FLIGHT = 8


def client_rate(url, model, rows, count, size):
    with assay.Client(url) as client:
        batches = (rows for _ in range(count))
        started, used = time.perf_counter(), time.process_time()
        total = sum(len(one.to_numpy()) for one in client.score(batches, model, rows_per_message=size, on_error="fail"))
        return total / (time.perf_counter() - started), total / (time.process_time() - used)


def bare_rate(url, model, rows, count, spec):
    request = pb.PredictRequest(model_name=model)
    request.inputs.add(name=spec.name, datatype="FP32", shape=rows.shape, raw_contents=rows.tobytes())
    message = pb.PredictStreamRequest(item_id=1, request=request).SerializeToString()
    server = Server(url, Access(), grpc)
    call = server.channel.stream_stream(
        "/assay.v1.ScoringService/PredictStream", response_deserializer=pb.PredictStreamResponse.FromString
    )
    waiting = queue.SimpleQueue()
    started = time.perf_counter()
    answers = call(iter(waiting.get, None))
    for number in range(count):
        waiting.put(message)
        if number >= IN_FLIGHT:
            np.fromiter(next(answers).response.scores, np.float64)
    waiting.put(None)
    for answer in answers:
        np.fromiter(answer.response.scores, np.float64)
    rate = count * len(rows) / (time.perf_counter() - started)
    server.channel.close()
    return rate


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("model")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rows-per-message", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    size = options.rows_per_message
    with assay.Client(options.url) as client:
        [spec] = client.describe(options.model).inputs
    rows = np.random.default_rng(1).standard_normal((size, spec.shape[1]), "f4")
    count = max(1, options.rows // size)
    for _ in range(options.rounds):
        bare = bare_rate(options.url, options.model, rows, count, spec)
        rate, of_cpu = client_rate(options.url, options.model, rows, count, size)
        figures = {"client": round(rate), "a_cpu_second": round(of_cpu), "bare": round(bare), "ratio": round(rate / bare, 3)}
        print(json.dumps(figures), flush=True)


main()
