"""Writes tables with pandas, polars and pyarrow, and what they hold as one JSON on standard output.

    python-tables foreign_tables.py FOLDER

Each entry has the `file`, the `options` to read it with, and the values of each column as the tests see them: integers of 64
bits, decimals, dates and times as text.
"""

import datetime as dt
import decimal
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet

FOLDER = Path(sys.argv[1])
entries = []


def entry(file, columns, **options):
    entries.append({"file": file, "options": options, "columns": columns})
    return str(FOLDER / file)


D = decimal.Decimal
NOW = dt.datetime(2024, 2, 29, 1, 2, 3, 456789)
LONG = "a text that is longer than twelve bytes, größer"

# Every type that a model's row may come from, as pyarrow has it; beside them nested columns.
every = pa.table(
    {
        "i8": pa.array([1, None, -128], pa.int8()),
        "u16": pa.array([65535, None, 0], pa.uint16()),
        "i32": pa.array([2**31 - 1, None, -(2**31)], pa.int32()),
        "i64": pa.array([2**63 - 1, None, -(2**63)], pa.int64()),
        "u64": pa.array([2**64 - 1, None, 0], pa.uint64()),
        "f16": pa.array(np.array([1.5, 0, -2], np.float16), mask=np.array([False, True, False])),
        "f32": pa.array([0.1, None, float("inf")], pa.float32()),
        "f64": pa.array([0.1, None, -1e300]),
        "b": pa.array([True, None, False]),
        "s": pa.array([LONG, None, ""]),
        "ls": pa.array([LONG, None, "ä"], pa.large_string()),
        "dict": pa.array(["one", None, "one"]).dictionary_encode(),
        "dec": pa.array([D("1.25"), None, D("-0.07")], pa.decimal128(10, 2)),
        "wide": pa.array([D("12345678901234567890.5"), None, D("-1")], pa.decimal128(38, 1)),
        "us": pa.array([NOW, None, dt.datetime(1969, 12, 31)], pa.timestamp("us")),
        "ms": pa.array([NOW.replace(microsecond=456000), None, dt.datetime(1969, 12, 31)], pa.timestamp("ms")),
        "utc": pa.array([NOW, None, dt.datetime(1969, 12, 31)], pa.timestamp("us", "UTC")),
        "day": pa.array([NOW.date(), None, dt.date(1960, 1, 1)]),
        "list": pa.array([[1], None, []]),
        "struct": pa.array([{"x": 1}, None, {"x": 2}]),
    }
)
float32 = float(np.float32(0.1))
every_values = {
    "i8": [1, None, -128],
    "u16": [65535, None, 0],
    "i32": [2**31 - 1, None, -(2**31)],
    "i64": [str(2**63 - 1), None, str(-(2**63))],
    "u64": [str(2**64 - 1), None, "0"],
    "f16": [1.5, None, -2],
    "f32": [float32, None, "Infinity"],
    "f64": [0.1, None, -1e300],
    "b": [True, None, False],
    "s": [LONG, None, ""],
    "ls": [LONG, None, "ä"],
    "dict": ["one", None, "one"],
    "dec": ["1.25", None, "-0.07"],
    "wide": ["12345678901234567890.5", None, "-1.0"],
    "us": ["2024-02-29 01:02:03.456789", None, "1969-12-31 00:00:00"],
    "ms": ["2024-02-29 01:02:03.456", None, "1969-12-31 00:00:00"],
    "utc": ["2024-02-29 01:02:03.456789+00", None, "1969-12-31 00:00:00+00"],
    "day": ["2024-02-29", None, "1960-01-01"],
}
for compression in ("none", "snappy", "zstd", "gzip", "brotli", "lz4"):
    name = entry(f"pyarrow-{compression}.parquet", every_values)
    pa.parquet.write_table(every, name, compression=compression, version="2.6")
pa.parquet.write_table(
    every, entry("pyarrow-v2.parquet", every_values), data_page_version="2.0", write_page_checksum=True, row_group_size=1
)
for compression in ("uncompressed", "lz4", "zstd"):
    pa.feather.write_feather(every, entry(f"pyarrow-{compression}.feather", every_values), compression=compression)
for compression in (None, "lz4", "zstd"):
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(entry(f"pyarrow-{compression}.arrows", every_values), every.schema, options=options) as writer:
        writer.write_table(every, max_chunksize=1)

# Dictionaries that grow from batch to batch, as a stream may have them.
grown = {"d": ["a", "b", "c", "a", "d"]}
options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
batches = [["a", "b"], ["a", "b", "c"], ["a", "b", "c", "d"]]
indices = [[0, 1], [2, 0], [3]]
with pa.ipc.new_stream(
    entry("deltas.arrows", grown), pa.schema([("d", pa.dictionary(pa.int32(), pa.string()))]), options=options
) as writer:
    for values, rows in zip(batches, indices):
        array = pa.DictionaryArray.from_arrays(pa.array(rows, pa.int32()), pa.array(values))
        writer.write_batch(pa.record_batch([array], names=["d"]))

# Compressed buffers large enough for matches, long lengths and several LZ4 blocks.
rows = 60_000
text = [f"row {row % 1000} " * (row % 7) for row in range(rows)]
numbers = [row // 3 for row in range(rows)]
for compression in ("lz4", "zstd"):
    pa.feather.write_feather(
        pa.table({"n": pa.array(numbers, pa.int32()), "t": text}),
        entry(f"large-{compression}.feather", {"n": numbers, "t": text}),
        compression=compression,
    )

frame = pd.DataFrame(
    {
        "größe": [39.5, np.nan, -1e-7],
        "count": pd.array([1, None, 2**40], dtype="Int64"),
        "category": pd.Categorical(["x", None, "y"]),
        "text": ['a "quoted" one', "two\r\nlines; and, more", None],
        "day": pd.to_datetime(["2024-02-29", None, "1960-01-01"]),
    }
)
values = {
    "größe": [39.5, None, -1e-7],
    "count": ["1", None, str(2**40)],
    "category": ["x", None, "y"],
    "text": ['a "quoted" one', "two\r\nlines; and, more", None],
}
frame.to_parquet(entry("pandas.parquet", values))
frame.to_feather(entry("pandas.feather", values))
texts = values | {
    "größe": ["39.5", None, "-1e-07"],
    "day": ["2024-02-29", None, "1960-01-01"],
}
comma = texts | {"größe": ["39,5", None, "-1e-07"]}
frame.to_csv(entry("pandas.csv", texts), index=False)
frame.to_csv(entry("bom.csv", texts), index=False, encoding="utf-8-sig", lineterminator="\r\n")
frame.to_csv(entry("comma.csv", comma), index=False, sep=";", decimal=",")
frame.to_csv(entry("tabs.tsv", texts), index=False, sep="\t")
frame.to_csv(entry("latin.csv", comma, csv={"encoding": "latin-1"}), index=False, sep=";", decimal=",", encoding="latin-1")
frame.to_csv(entry("utf16.csv", texts), index=False, encoding="utf-16")
frame.to_csv(entry("packed.csv.gz", texts), index=False)
frame.to_csv(entry("index.csv", texts | {"column0": ["0", "1", "2"]}))
quoted = {name: [value if value is not None else "" for value in column] for name, column in texts.items()}
frame.to_csv(entry("quoted.csv", quoted), index=False, quoting=1)
headless = {f"column{index}": texts[name] for index, name in enumerate(frame.columns)}
frame.to_csv(entry("headless.csv", headless, csv={"header": False}), index=False, header=False)

lines = {
    "größe": ["39.5", None, "-1e-7"],
    "count": ["1", None, str(2**40)],
    "category": ['"x"', None, '"y"'],
    "text": [r'"a \"quoted\" one"', r'"two\r\nlines; and, more"', None],
}
frame.to_json(entry("pandas.jsonl", lines), orient="records", lines=True)
frame.to_json(entry("escaped.json", lines), orient="records", force_ascii=True)

other = pl.DataFrame(
    {
        "i": [1, None, -3],
        "f": [0.5, None, float("nan")],
        "s": ["ö", None, LONG],
        "c": pl.Series(["x", None, "x"], dtype=pl.Categorical),
        "e": pl.Series(["a", "b", None], dtype=pl.Enum(["a", "b"])),
        "dec": pl.Series([D("1.25"), None, D("-3.5")], dtype=pl.Decimal(12, 2)),
        "t": [NOW, None, dt.datetime(1969, 12, 31)],
        "l": [[1], None, []],
    }
)
values = {
    "i": ["1", None, "-3"],
    "f": [0.5, None, "NaN"],
    "s": ["ö", None, LONG],
    "c": ["x", None, "x"],
    "e": ["a", "b", None],
    "dec": ["1.25", None, "-3.50"],
    "t": ["2024-02-29 01:02:03.456789", None, "1969-12-31 00:00:00"],
}
other.write_parquet(entry("polars.parquet", values))
for compression in ("uncompressed", "lz4", "zstd"):
    other.write_ipc(entry(f"polars-{compression}.arrow", values), compression=compression)
other.write_ipc_stream(entry("polars.arrows", values))
other.write_ipc(entry("polars-oldest.arrow", values), compat_level=pl.CompatLevel.oldest())
flat = other.drop("l", "t")
texts = {
    "i": ["1", None, "-3"],
    "f": ["0.5", None, "NaN"],
    "s": ["ö", None, LONG],
    "c": ["x", None, "x"],
    "e": ["a", "b", None],
    "dec": ["1.25", None, "-3.50"],
}
flat.write_csv(entry("polars.csv", texts))
quoted = {name: [value if value is not None else "" for value in column] for name, column in texts.items()}
flat.write_csv(entry("polars-bom.csv", quoted), include_bom=True, separator="|", line_terminator="\r\n", quote_style="always")
flat.drop("dec").write_ndjson(
    entry(
        "polars.ndjson",
        {"i": ["1", None, "-3"], "f": ["0.5", None, None], "s": ['"ö"', None, json.dumps(LONG, ensure_ascii=False)]},
    )
)

json.dump(entries, sys.stdout)
