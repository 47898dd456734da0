"""Writes the table of the batch benchmark: ROWS rows of 30 float columns, as Parquet.

Usage: make_table.py ROWS FILE   (needs pyarrow and numpy)
"""

import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

rows, path = int(sys.argv[1]), sys.argv[2]
rng = np.random.default_rng(1)
schema = pa.schema([(f"f{i}", pa.float32()) for i in range(30)])
with pq.ParquetWriter(path, schema, compression="snappy", use_dictionary=False) as writer:
    for start in range(0, rows, 250_000):
        count = min(250_000, rows - start)
        values = rng.standard_normal((30, count), dtype=np.float32)
        writer.write_table(pa.table([pa.array(column) for column in values], schema=schema))
