"""Columns of pandas, polars, pyarrow, numpy and lists as arrays of a model's element types. The only importer of numpy at its head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

DTYPES = {
    "BOOL": "?",
    "UINT8": "u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
    "BF16": "<f4",  # halved when it is written
}
FLOATS = frozenset({"FP16", "FP32", "FP64", "BF16"})
BadRows = dict[int, str]


class WrongColumn(Exception):
    """A column whose type the input does not take."""


def to_input(column: Any, datatype: str) -> tuple[Any, BadRows]:
    """One column as the array of an input, and what is wrong with single rows. Texts become a list of bytes."""
    values, missing = _plain(column)
    if datatype == "BYTES":
        return _texts(values, missing)
    if isinstance(values, list) or values.dtype.kind == "O":
        values, missing, bad = _numbers(list(values))
    else:
        bad = {}
    return _typed(values, missing, bad, datatype)


def _plain(column: Any) -> tuple[Any, Any]:
    """A numpy array or list, and which rows have no value (None: all have one)."""
    kind = type(column).__module__.split(".")[0]
    if kind == "pandas":
        import pandas as pd

        if isinstance(column.dtype, pd.CategoricalDtype):
            column = column.astype(column.cat.categories.dtype)
        missing = column.isna().to_numpy()
        if isinstance(column.dtype, np.dtype):
            return column.to_numpy(), missing
        if pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
            filled = column.fillna(column.dtype.type(0)) if missing.any() else column
            return filled.to_numpy(dtype=getattr(column.dtype, "numpy_dtype", None)), missing
        if pd.api.types.is_datetime64_any_dtype(column.dtype):
            return column.to_numpy(dtype="datetime64[ns]"), missing
        return [None if gone else value for value, gone in zip(column.tolist(), missing.tolist(), strict=True)], None
    if kind == "polars":
        import polars as pl

        if column.dtype in (pl.Categorical, pl.Enum) or column.dtype == pl.String:
            return column.cast(pl.String).to_list(), None
        if column.dtype.is_decimal():
            column = column.cast(pl.Float64)
        missing = column.is_null().to_numpy()
        if column.dtype.is_numeric() and missing.any():
            column = column.fill_null(0)
        elif column.dtype == pl.Boolean and missing.any():
            column = column.fill_null(False)
        return column.to_numpy(), missing
    if kind == "pyarrow":
        return _arrow(column)
    if isinstance(column, np.ndarray):
        if column.dtype.kind in "US":
            return column.tolist(), None
        return column, None
    return list(column), None


def _arrow(column: Any) -> tuple[Any, Any]:
    import pyarrow as pa

    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = pa.concat_arrays(column.chunks)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    if pa.types.is_boolean(column.type) or pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        if column.null_count == 0:
            return column.to_numpy(zero_copy_only=False), None
        missing = column.is_null().to_numpy(zero_copy_only=False)
        return column.fill_null(False if pa.types.is_boolean(column.type) else 0).to_numpy(
            zero_copy_only=False
        ), missing
    if pa.types.is_temporal(column.type):
        return np.zeros(len(column), "datetime64[ns]"), None
    return column.to_pylist(), None


def _numbers(values: list[Any]) -> tuple[Any, Any, BadRows]:
    """Objects of Python as numbers; a text among them is an error of its row."""
    bad: BadRows = {}
    missing = np.zeros(len(values), bool)
    clean: list[Any] = []
    for row, value in enumerate(values):
        if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
            value = value.item()
        if value is None or value != value:
            missing[row] = True
            clean.append(0)
        elif isinstance(value, (bool, int, float)):
            clean.append(value)
        elif type(value).__name__ == "Decimal":
            clean.append(float(value))
        else:
            bad[row] = f"{_shown(value)} is not a number"
            clean.append(0)
    if clean and len(bad) == len(values):
        raise WrongColumn(f"it holds {type(values[0]).__name__}, such as {_shown(values[0])}; numbers were expected")
    if clean and all(isinstance(value, bool) for value in clean) and not missing.any() and not bad:
        return np.array(clean, bool), missing, bad
    try:
        return np.array(clean, np.int64 if all(isinstance(value, int) for value in clean) else np.float64), missing, bad
    except OverflowError:
        return np.array(clean, np.float64), missing, bad


def _typed(values: Any, missing: Any, bad: BadRows, datatype: str) -> tuple[Any, BadRows]:
    kind = values.dtype.kind
    if kind not in "iufb":
        raise WrongColumn(f"it holds {values.dtype}; {datatype} was expected")
    if datatype == "BOOL":
        if kind != "b" and not (kind in "iu" and ((values == 0) | (values == 1)).all()):
            raise WrongColumn(f"it holds {values.dtype}; BOOL was expected")
    elif datatype in FLOATS:
        target = values.astype(DTYPES[datatype])
        if missing is not None and missing.any():
            target[missing] = np.nan
        return target, bad
    else:
        limits = np.iinfo(DTYPES[datatype])
        if kind == "f":
            with np.errstate(invalid="ignore"):
                fits = (np.floor(values) == values) & (np.abs(values) <= 2.0**53)
            for row in np.flatnonzero(~fits & ~_or_none(missing, values)):
                said = "is missing, and an integer input takes none" if np.isnan(values[row]) else "is not a whole number"
                bad.setdefault(int(row), f"{values[row]} {said}")
            values = np.where(fits, values, 0).astype(np.int64)
        wide = values.astype(object) if values.dtype.kind == "u" else values
        for row in np.flatnonzero((wide < limits.min) | (wide > limits.max)):
            bad.setdefault(int(row), f"{values[row]} is beyond {datatype}")
    if missing is not None:
        for row in np.flatnonzero(missing):
            bad.setdefault(int(row), f"the value is missing; {datatype} has no such value")
    return values.astype(DTYPES[datatype]), bad


def _or_none(missing: Any, values: Any) -> Any:
    return np.zeros(len(values), bool) if missing is None else missing


def _texts(values: Any, missing: Any) -> tuple[list[bytes], BadRows]:
    texts: list[bytes] = []
    bad: BadRows = {}
    wrong = 0
    for row, value in enumerate(values.tolist() if isinstance(values, np.ndarray) else values):
        if isinstance(value, str):
            texts.append(value.encode("utf-8", "surrogatepass"))
        elif isinstance(value, bytes):
            texts.append(value)
        else:
            gone = value is None or value != value or (missing is not None and missing[row])
            wrong += not gone
            bad[row] = "the value is missing; a text was expected" if gone else f"{_shown(value)} is not a text"
            texts.append(b"")
    if wrong and wrong == len(texts):
        kind = values.dtype if isinstance(values, np.ndarray) else type(values[0]).__name__
        raise WrongColumn(f"it holds {kind}; texts were expected")
    return texts, bad


def stacked(columns: Sequence[Any]) -> Any:
    """Columns side by side, a row after another."""
    return columns[0].reshape(-1, 1) if len(columns) == 1 else np.stack(columns, axis=1)


def raw(values: Any, datatype: str, rows: Sequence[int] | range) -> bytes:
    """Some rows of an input as little-endian bytes, in the form of ``raw_contents``."""
    whole = isinstance(rows, range)
    if isinstance(values, list):
        some = values[rows.start : rows.stop] if isinstance(rows, range) else [values[row] for row in rows]
        return b"".join([part for text in some for part in (len(text).to_bytes(4, "little"), text)])
    part = values[rows.start : rows.stop] if isinstance(rows, range) and whole else values[list(rows)]
    if datatype == "BF16":
        bits = np.ascontiguousarray(part).view("<u4").astype(np.uint64)
        rounded = (bits + 0x7FFF + ((bits >> np.uint64(16)) & np.uint64(1))) >> np.uint64(16)
        quiet = np.isnan(part)
        return np.where(quiet, np.uint16(0x7FC0), rounded.astype(np.uint16)).astype("<u2").tobytes()
    data: bytes = np.ascontiguousarray(part).tobytes()
    return data


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
