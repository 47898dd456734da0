"""What callers bring, as rows of a model's inputs, and rows as requests.

Comes in: dicts, lists of dicts or lists, DataFrames of pandas and polars, tables and record batches of pyarrow, arrays of numpy, dicts of
arrays. Goes out: a ``Block``, from which any of its rows are made a request.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .errors import AssayError, Violation
from .v1 import scoring_service_pb2 as pb

Indexes = Sequence[int] | range


class Block:
    """The rows of one batch."""

    def __init__(self, count: int, bad: dict[int, str] | None = None, row_bytes: int = 0) -> None:
        self.count = count
        self.bad = bad or {}
        """Rows that cannot be sent, with what is wrong with them."""
        self.row_bytes = row_bytes
        """About how long a row is in a request."""
        self.inputs: list[tuple[str, list[str]]] = []
        """The names of the request's inputs, in their order, and of the columns of each that has several."""

    def fill(self, request: Any, rows: Indexes) -> None:
        """Puts some rows into a request."""
        raise NotImplementedError


class RecordBlock(Block):
    """Dicts, column name to value: the server finds the columns."""

    def __init__(self, records: Sequence[Mapping[str, Any]]) -> None:
        bad: dict[int, str] = {}
        clean: list[dict[str, Any]] = []
        for row, record in enumerate(records):
            try:
                clean.append({str(name): _plain(name, value) for name, value in record.items()})
            except (TypeError, ValueError) as error:
                bad[row] = str(error)
                clean.append({})
        super().__init__(len(clean), bad, 24 * max(1, len(clean[0]) if clean else 1))
        self.records = clean

    def fill(self, request: Any, rows: Indexes) -> None:
        """Puts some rows into a request."""
        for row in rows:
            request.rows.add().update(self.records[row])


def _plain(name: Any, value: Any) -> Any:
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.item()
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        if abs(value) > 2**53:
            raise ValueError(f'column "{name}": {value} is beyond 2^53; send a DataFrame or an array')
        return value
    if isinstance(value, float):
        return None if math.isnan(value) else value
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if type(value).__name__ == "Decimal":
        return float(value)
    raise TypeError(f'column "{name}": a {type(value).__name__} came; a number, a text, a bool or None was expected')


class TensorBlock(Block):
    """Arrays, one an input; axis 0 counts rows."""

    def __init__(self, arrays: list[tuple[str, str, Any]], bad: dict[int, str], model: Any) -> None:
        sizes = [16 if isinstance(one, list) else one[:1].nbytes for _, _, one in arrays]
        super().__init__(len(arrays[0][2]), bad, sum(sizes))
        self.arrays = arrays
        columns = {spec.name: list(spec.feature_names) for spec in model.inputs}
        self.inputs = [(name, columns[name]) for name, _, _ in arrays]

    def fill(self, request: Any, rows: Indexes) -> None:
        """Puts some rows into a request."""
        from .values import raw

        for name, datatype, values in self.arrays:
            tail = (1,) if isinstance(values, list) else values.shape[1:]
            tensor = request.inputs.add(name=name, datatype=datatype, shape=(len(rows), *tail))
            tensor.raw_contents = raw(values, datatype, rows)


class ListBlock(Block):
    """Rows of numbers for a model of one input, without numpy."""

    def __init__(self, name: str, datatype: str, rows: Sequence[Sequence[float]]) -> None:
        super().__init__(len(rows), None, 8 * len(rows[0]))
        self.name, self.datatype, self.rows = name, datatype, rows
        self.inputs = [(name, [])]

    def fill(self, request: Any, rows: Indexes) -> None:
        """Puts some rows into a request."""
        some = [self.rows[row] for row in rows]
        tensor = request.inputs.add(name=self.name, datatype=self.datatype, shape=(len(some), len(some[0])))
        fields = {"FP32": "fp32_contents", "FP64": "fp64_contents", "INT64": "int64_contents", "INT32": "int_contents"}
        contents = getattr(tensor.contents, fields[self.datatype])
        for row in some:
            contents.extend(math.nan if value is None else value for value in row)


def needs_model(data: Any) -> bool:
    """Whether the model's inputs have to be known for these rows."""
    return not _are_records(data)


def _are_records(data: Any) -> bool:
    if isinstance(data, Mapping):
        return all(value is None or isinstance(value, str) or not hasattr(value, "__len__") for value in data.values())
    return isinstance(data, Sequence) and len(data) > 0 and isinstance(data[0], Mapping)


def to_block(data: Any, model: Any) -> Block:
    """The rows of what a caller brings; ``model`` as GetModel describes it, None where ``needs_model`` says no."""
    if _are_records(data):
        return RecordBlock([data] if isinstance(data, Mapping) else data)
    columns = _columns(data)
    if columns is not None:
        return _by_name(columns, model)
    try:
        import numpy as np
    except ImportError:
        return _without_numpy(data, model)
    if isinstance(data, Sequence) and len(data) == 0:
        return Block(0)
    if isinstance(data, Sequence) and (block := _of_lists(data, model)) is not None:
        return block
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise _refused(f"the rows have different lengths: {error}") from None
    return _by_position(array, model)


def _columns(data: Any) -> dict[str, Any] | None:
    """Columns by name; None where the data has none."""
    kind = type(data).__module__.split(".")[0]
    if isinstance(data, Mapping):
        return {str(name): value for name, value in data.items()}
    if kind == "polars" and hasattr(data, "collect"):
        data = data.collect()
    if kind in ("pandas", "polars") and hasattr(data, "columns"):
        names = [str(name) for name in data.columns]
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise _refused(f'the column "{twice}" stands twice', twice)
        return {str(name): data[name] for name in data.columns}
    if kind == "pyarrow" and hasattr(data, "column_names"):
        return {name: data.column(at) for at, name in enumerate(data.column_names)}
    if kind == "pyarrow" and hasattr(data, "schema"):
        return {name: data.column(at) for at, name in enumerate(data.schema.names)}
    return None


def _by_name(columns: dict[str, Any], model: Any) -> Block:
    """Columns, found by the model's names and aliases; those that the model does not have are not read."""
    from .nested import is_nested, to_rows
    from .values import WrongColumn, stacked, to_input

    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise _refused(f"the columns have different lengths: {', '.join(map(str, sorted(lengths)))}")
    spelled = {_spelling(name): name for name in columns}
    bad: dict[int, str] = {}
    arrays: list[tuple[str, str, Any]] = []
    wrong: list[Violation] = []

    def read(name: str, datatype: str) -> Any:
        try:
            values, faults = to_input(columns[name], datatype)
        except WrongColumn as error:
            wrong.append(Violation(name, f'column "{name}": {error}', column=name))
            return None
        note(name, faults)
        return values

    def note(name: str, faults: dict[int, str]) -> None:
        for row, said in faults.items():
            bad[row] = f'{bad[row]}; column "{name}": {said}' if row in bad else f'column "{name}": {said}'

    for spec in model.inputs:
        width = math.prod(spec.shape[1:])
        if spec.name in columns and getattr(columns[spec.name], "ndim", 1) > 1:
            arrays.append((spec.name, spec.datatype, _shaped(columns[spec.name], spec)))
            continue
        whole = _find(spec.name, list(spec.aliases), columns, {}) if len(spec.shape) > 1 and spec.datatype != "BYTES" else None
        if whole is not None and is_nested(columns[whole]):
            try:
                values, faults = to_rows(columns[whole], list(spec.shape)[1:])
            except WrongColumn as error:
                wrong.append(Violation(whole, f'column "{whole}": {error}', column=whole))
                continue
            note(whole, faults)
            arrays.append((spec.name, spec.datatype, _shaped(values, spec)))
            continue
        names = list(spec.feature_names) or ([spec.name] if width == 1 else [])
        if not names:
            if spec.optional:
                continue
            said = (
                f'the input "{spec.name}" is {_described(spec)} and its columns have no names: '
                "pass an array, or name them with feature_names in config.json"
            )
            wrong.append(Violation(spec.name, said, column=spec.name))
            continue
        others = [] if spec.feature_names else list(spec.aliases)
        found = [_find(name, others, columns, {} if spec.feature_names else spelled) for name in names]
        if spec.optional and all(one is None for one in found):
            continue
        for name, one in zip(names, found, strict=True):
            if one is None:
                said = f'the column "{name}" ({spec.datatype}) is missing{_hint(name, columns)}'
                wrong.append(Violation(name, said, column=name))
        parts = [read(one, spec.datatype) for one in found if one is not None]
        if None in found or any(part is None for part in parts):
            continue
        if isinstance(parts[0], list):
            if len(parts) > 1:
                raise _refused(f'the input "{spec.name}" has {len(parts)} columns of texts: send rows as dicts')
            arrays.append((spec.name, spec.datatype, parts[0]))
        else:
            arrays.append((spec.name, spec.datatype, stacked(parts) if len(spec.shape) > 1 else parts[0]))
    if wrong:
        raise AssayError("INVALID_REQUEST", "; ".join(one.description for one in wrong), violations=wrong)
    return TensorBlock(arrays, bad, model)


def _of_lists(data: Sequence[Any], model: Any) -> Block | None:
    """Rows that are lists, of a model with one input; None for others."""
    from .nested import is_nested, to_rows
    from .values import WrongColumn

    spec = _only_input(model)
    if spec is None or len(spec.shape) < 2 or spec.datatype == "BYTES" or not is_nested(data):
        return None
    try:
        rows, bad = to_rows(data, list(spec.shape)[1:])
    except WrongColumn as error:
        raise _refused(f'the input "{spec.name}" takes {_described(spec)}: {error}', spec.name) from None
    return TensorBlock([(spec.name, spec.datatype, _shaped(rows, spec))], bad, model)


def _only_input(model: Any) -> Any:
    inputs = [spec for spec in model.inputs if not spec.optional] or list(model.inputs)
    return inputs[0] if len(inputs) == 1 else None


def _by_position(array: Any, model: Any) -> Block:
    """An array without names: the one input's, or a column an input."""
    from .values import WrongColumn, stacked, to_input

    inputs = [spec for spec in model.inputs if not spec.optional] or list(model.inputs)
    if (spec := _only_input(model)) is not None:
        if array.ndim == 1 and len(spec.shape) == 2 and spec.shape[1] != 1:
            array = array.reshape(1, -1)
        return TensorBlock([(spec.name, spec.datatype, _shaped(array, spec))], {}, model)
    if array.ndim == 1:
        array = array.reshape(1, -1)
    if array.ndim != 2 or array.shape[1] != len(inputs) or any(math.prod(spec.shape[1:]) != 1 for spec in inputs):
        names = ", ".join(spec.name for spec in inputs)
        raise _refused(f"an array of shape {list(array.shape)} came; the model has {len(inputs)} inputs: {names}")
    bad: dict[int, str] = {}
    arrays: list[tuple[str, str, Any]] = []
    for at, spec in enumerate(inputs):
        try:
            values, faults = to_input(array[:, at], spec.datatype)
        except WrongColumn as error:
            raise _refused(f'column {at} ("{spec.name}"): {error}', spec.name) from None
        for row, said in faults.items():
            bad.setdefault(row, f'column {at} ("{spec.name}"): {said}')
        if not isinstance(values, list) and len(spec.shape) > 1:
            values = stacked([values])
        arrays.append((spec.name, spec.datatype, values))
    return TensorBlock(arrays, bad, model)


def _shaped(values: Any, spec: Any) -> Any:
    """An array of several axes as an input; what does not fit is refused with both shapes."""
    import numpy as np

    from .values import DTYPES, FLOATS

    array = np.asarray(values)
    if array.ndim == 1 and len(spec.shape) == 2 and spec.shape[1] == 1:
        array = array.reshape(-1, 1)
    fits = array.ndim == len(spec.shape) and all(
        want in (-1, got) for want, got in zip(spec.shape[1:], array.shape[1:], strict=False)
    )
    if not fits:
        raise _refused(
            f'an array of shape {list(array.shape)} came; the input "{spec.name}" takes {_described(spec)}', spec.name
        )
    if spec.datatype == "BYTES":
        if array.ndim > 1 and array.shape[1:] != (1,):
            raise _refused(f'texts of shape {list(array.shape)} came for "{spec.name}": send a column or dicts', spec.name)
        return [str(value).encode() for value in array.reshape(-1).tolist()]
    if array.dtype.kind == "O" and spec.datatype in FLOATS:
        array = np.where(array == None, np.nan, array)  # noqa: E711
    try:
        return array.astype(DTYPES[spec.datatype], casting="unsafe" if spec.datatype in FLOATS else "same_kind")
    except (TypeError, ValueError) as error:
        raise _refused(f'the input "{spec.name}" takes {spec.datatype}: {error}', spec.name) from None


def _without_numpy(data: Any, model: Any) -> Block:
    rows = [data] if data and not isinstance(data[0], Sequence) else data
    if len(model.inputs) != 1 or model.inputs[0].datatype not in ("FP32", "FP64", "INT64", "INT32"):
        raise _refused("lists for this model need numpy: pip install 'assay-client[numpy]', or send dicts")
    if len({len(row) for row in rows}) > 1:
        raise _refused("the rows have different lengths")
    return ListBlock(model.inputs[0].name, model.inputs[0].datatype, rows)


def _find(name: str, aliases: list[str], columns: dict[str, Any], spelled: dict[str, str]) -> str | None:
    for one in (name, *aliases):
        if one in columns:
            return one
    return spelled.get(_spelling(name))


def _spelling(name: str) -> str:
    return re.sub(r"[\W_]+", "_", name)


def _hint(name: str, columns: dict[str, Any]) -> str:
    near = difflib.get_close_matches(name, columns, 1)
    return f'; "{near[0]}" is there' if near else ""


def _described(spec: Any) -> str:
    return f"{spec.datatype}[{','.join(map(str, spec.shape))}]"


def _refused(message: str, column: str | None = None) -> AssayError:
    return AssayError("INVALID_REQUEST", message, violations=[Violation(column or "", message, column=column)])


def to_request(block: Block, rows: Indexes, model_name: str, model_version: str, outputs: Sequence[str]) -> Any:
    """Some rows of a block as a request."""
    request = pb.PredictRequest(model_name=model_name, model_version=model_version, output_names=outputs)
    block.fill(request, rows)
    return request
