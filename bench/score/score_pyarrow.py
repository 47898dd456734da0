"""What an engineer writes by hand: pyarrow reads batches, onnxruntime scores them, pyarrow writes the scores.

Usage: score_pyarrow.py MODEL.onnx INPUT.parquet OUTPUT.parquet THREADS
"""

import sys

import numpy as np
import onnxruntime as ort
import pyarrow as pa
import pyarrow.parquet as pq

model, source, output, threads = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
options = ort.SessionOptions()
options.intra_op_num_threads = threads
session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
probabilities = session.get_outputs()[1].name
schema = pa.schema([("score", pa.float64())])
with pq.ParquetWriter(output, schema, compression="snappy") as writer:
    for batch in pq.ParquetFile(source).iter_batches(batch_size=65_536):
        features = np.column_stack([column.to_numpy() for column in batch.columns])
        scores = session.run([probabilities], {name: features})[0][:, 1].astype(np.float64)
        writer.write_table(pa.table([pa.array(scores)], schema=schema))
