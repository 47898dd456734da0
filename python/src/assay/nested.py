"""Rows that are lists of numbers, in a column of them or as such, as the array of one input. A row of another length fails alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from .values import BadRows, WrongColumn


def is_nested(column: Any) -> bool:
    """Whether each value is a list: a list or array type of pyarrow or polars, or objects that are lists, tuples or arrays."""
    kind = type(column).__module__.split(".")[0]
    if kind == "pyarrow":
        return "list" in str(column.type).split("<")[0]
    if kind == "polars":
        return bool(column.dtype.is_nested() and hasattr(column.dtype, "inner"))
    if kind == "pandas" and column.dtype != object or not hasattr(column, "__iter__"):
        return False
    first = next((value for value in column if value is not None), None)
    return isinstance(first, (list, tuple)) or getattr(first, "ndim", 0) > 0


def to_rows(column: Any, tail: Sequence[int]) -> tuple[Any, BadRows]:
    """An array of ``[rows, *tail]`` and what is wrong with single rows; what is open in ``tail`` is as most rows have it."""
    kind = type(column).__module__.split(".")[0]
    if kind == "polars":
        column, kind = column.to_arrow(), "pyarrow"
    if kind == "pyarrow":
        if len(tail) == 1:
            return _of_arrow(column, tail[0])
        column = column.to_pylist()
    rows = list(column)
    shapes = [() if row is None else _shape(row) for row in rows]
    fitting = Counter(shape for shape in shapes if _fits(shape, tail))
    if not fitting:
        raise WrongColumn(f"its values are lists of shape {list(next(filter(None, shapes), ()))}; {list(tail)} was expected")
    [(shape, _)] = fitting.most_common(1)
    bad = {row: _said(rows[row], found, shape) for row, found in enumerate(shapes) if found != shape}
    filler = np.zeros(shape)
    return np.array([filler if row in bad else np.asarray(values) for row, values in enumerate(rows)]), bad


def _of_arrow(column: Any, width: int) -> tuple[Any, BadRows]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    lengths = pc.fill_null(pc.list_value_length(column), -1).to_numpy(zero_copy_only=False)
    known = lengths[lengths >= 0]
    if width < 0:
        width = int(np.bincount(known).argmax()) if len(known) else 0
    good = lengths == width
    if not good.any() and len(good) > 0:
        raise WrongColumn(f"its values are lists of {known[0] if len(known) else 0} values; {width} were expected")
    values = (column if good.all() else column.filter(pa.array(good))).flatten()
    if pa.types.is_nested(values.type):
        raise WrongColumn(f"its values are lists of lists; {width} numbers were expected")
    flat = values.to_numpy(zero_copy_only=False).reshape(-1, width)
    if good.all():
        return flat, {}
    rows = np.zeros((len(good), width), flat.dtype)
    rows[good] = flat
    return rows, {int(row): _said(None if lengths[row] < 0 else (), (lengths[row],), (width,)) for row in np.flatnonzero(~good)}


def _shape(row: Any) -> tuple[int, ...]:
    try:
        return np.shape(row)
    except ValueError:
        # Lists of different lengths in one row.
        return (len(row), -1)


def _fits(shape: tuple[int, ...], tail: Sequence[int]) -> bool:
    return len(shape) == len(tail) and all(want in (-1, got) for want, got in zip(tail, shape, strict=True))


def _said(row: Any, found: Sequence[int], expected: Sequence[int]) -> str:
    if row is None:
        return "the value is missing"
    if len(found) == len(expected) == 1:
        return f"{found[0]} values came; {expected[0]} were expected"
    return f"values of shape {list(found)} came; {list(expected)} was expected"
