"""What an engineer writes who has measured: pyarrow reads batches in a thread, one ahead; blocks of columns are transposed while they
lie in the cache; onnxruntime scores them with THREADS threads; pyarrow writes the scores, a million at a time.

Usage: score_pyarrow.py MODEL.onnx INPUT.parquet OUTPUT.parquet THREADS
"""

import queue
import sys
import threading

import numpy as np
import onnxruntime as ort
import pyarrow as pa
import pyarrow.parquet as pq

BATCH_ROWS = 65_536
BLOCK_ROWS = 2_048
WRITTEN_ROWS = 1_000_000

model, source, output, threads = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
options = ort.SessionOptions()
options.intra_op_num_threads = threads
session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
probabilities = session.get_outputs()[1].name
batches: queue.Queue[np.ndarray | None] = queue.Queue(2)


def read() -> None:
    for batch in pq.ParquetFile(source).iter_batches(batch_size=BATCH_ROWS, use_threads=threads > 1):
        rows = np.empty((batch.num_rows, batch.num_columns), np.float32)
        columns = [column.to_numpy() for column in batch.columns]
        for start in range(0, batch.num_rows, BLOCK_ROWS):
            block = rows[start : start + BLOCK_ROWS]
            for index, column in enumerate(columns):
                block[:, index] = column[start : start + BLOCK_ROWS]
        batches.put(rows)
    batches.put(None)


threading.Thread(target=read, daemon=True).start()
schema = pa.schema([("score", pa.float32())])
with pq.ParquetWriter(output, schema, compression="snappy") as writer:
    held: list[np.ndarray] = []

    def write() -> None:
        writer.write_table(pa.table([pa.array(np.concatenate(held))], schema=schema))
        held.clear()

    while (features := batches.get()) is not None:
        held.append(np.ascontiguousarray(session.run([probabilities], {name: features})[0][:, 1]))
        if sum(map(len, held)) >= WRITTEN_ROWS:
            write()
    if held:
        write()
