"""Calls a server with MLflow's own scoring client. Usage: mlflow_client.py HOST PORT PERSON, with `census` as default model."""

import json
import sys

import numpy
import pandas
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

host, port, person = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
client = ScoringServerClient(host, port)
client.wait_server_ready(timeout=10)
frame = pandas.DataFrame([person, person])
missing = frame.assign(age=[numpy.nan, 39.0])
answers = {
    "version": client.get_version(),
    "frame": client.invoke(frame).get_predictions()[0].tolist(),
    "array": client.invoke(frame.to_numpy()).get_predictions("ndarray").tolist(),
    "params": client.invoke(frame, params={"predictions": "labels"}).get_predictions("ndarray").tolist(),
}
for name, call in {
    "wrong": lambda: client.invoke(frame.rename(columns={"age": "agee"})),
    "missing": lambda: client.invoke(missing),
}.items():
    try:
        call()
        answers[name] = "answered"
    except Exception as error:
        answers[name] = str(error)
print(json.dumps(answers))
