"""The shortest script: pandas reads the whole file, onnxruntime scores it, pandas writes it.

Usage: score_pandas.py MODEL.onnx INPUT.parquet OUTPUT.parquet THREADS
"""

import sys

import numpy as np
import onnxruntime as ort
import pandas as pd

model, source, output, threads = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
options = ort.SessionOptions()
options.intra_op_num_threads = threads
session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
probabilities = session.get_outputs()[1].name
features = pd.read_parquet(source).to_numpy(dtype=np.float32)
scores = session.run([probabilities], {name: features})[0][:, 1].astype(np.float64)
pd.DataFrame({"score": scores}).to_parquet(output)
