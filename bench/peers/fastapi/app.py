"""Predict as an engineer would serve it with FastAPI: uvloop and httptools, pydantic's check of the row, one ONNX Runtime thread.

Arguments: the model's file. Prints its port.
"""

import socket
import sys

import numpy as np
import onnxruntime as ort
import uvicorn
from fastapi import FastAPI, HTTPException
from fastapi.responses import ORJSONResponse
from pydantic import BaseModel

options = ort.SessionOptions()
options.intra_op_num_threads = 1
session = ort.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
output = session.get_outputs()[0].name
app = FastAPI(default_response_class=ORJSONResponse)


class Row(BaseModel):
    features: list[float]


@app.post("/predict")
@app.post("/predict/{model}")
async def predict(row: Row, model: str = "lr30") -> ORJSONResponse:
    if len(row.features) != 30:
        raise HTTPException(400, f"{len(row.features)} features came; expected 30")
    # A run takes less than a hop to a thread pool.
    scores = session.run([output], {name: np.array([row.features], dtype=np.float32)})[0]
    return ORJSONResponse({"scores": scores.ravel().tolist()})


listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
print(listener.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run([listener])
