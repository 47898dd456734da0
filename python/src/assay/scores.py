"""What comes back for some rows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_KINDS = {
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
}


@dataclass(frozen=True)
class RowScore:
    """One row's."""

    score: float | None
    label: str | None
    error: str | None


class Scores:
    """The scores of some rows, in their order; a row that failed has an error and no score."""

    def __init__(self, count: int, model_name: str = "", model_version: str = "", classes: tuple[str, ...] = ()) -> None:
        self.model_name = model_name
        self.model_version = model_version
        """The exact version that scored."""
        self.classes = classes
        """The class of each column of ``probabilities``."""
        self.errors: dict[int, str] = {}
        """What is wrong with rows that have no score, by their position."""
        self._count = count
        self._parts: list[tuple[range | list[int], Any]] = []
        self._probability_output = ""

    def add(self, rows: range | list[int], response: Any) -> None:
        """Takes the answer for some of the rows."""
        self.model_name, self.model_version = response.model_name, response.model_version
        self._parts.append((rows, response))

    def __len__(self) -> int:
        return self._count

    def __repr__(self) -> str:
        failed = f", {len(self.errors)} failed" if self.errors else ""
        return f"<Scores of {self._count} rows by {self.model_name} version {self.model_version}{failed}>"

    def __iter__(self) -> Iterator[RowScore]:
        scores, labels = self.scores, self.labels
        for row in range(self._count):
            error = self.errors.get(row)
            score = scores[row] if scores and error is None else None
            yield RowScore(score, labels[row] if labels else None, error)

    @property
    def scores(self) -> list[float]:
        """One score a row, NaN where the row failed; empty where the model has none."""
        if self._is_whole():
            return list(self._parts[0][1].scores)
        if not any(len(one.scores) for _, one in self._parts):
            return []
        values = [math.nan] * self._count
        for rows, response in self._parts:
            for row, value in zip(rows, response.scores, strict=True):
                values[row] = value
        return values

    @property
    def labels(self) -> list[str | None]:
        """One class label a row, None where the row failed; empty for models that have none."""
        if self._is_whole():
            return list(self._parts[0][1].labels)
        if not any(len(one.labels) for _, one in self._parts):
            return []
        values: list[str | None] = [None] * self._count
        for rows, response in self._parts:
            for row, value in zip(rows, response.labels, strict=True):
                values[row] = value
        return values

    @property
    def probabilities(self) -> Any:
        """A numpy array of ``[rows, classes]``, where ``probabilities=True`` asked for it; else None."""
        return self.outputs().get(self._probability_output) if self._probability_output else None

    def outputs(self) -> dict[str, Any]:
        """The outputs that were asked for, as numpy arrays; rows that failed are NaN, 0 or None in them."""
        import numpy as np

        found: dict[str, Any] = {}
        for rows, response in self._parts:
            for tensor in response.outputs:
                part = _array(tensor)
                if tensor.name not in found:
                    empty: Any = None if part.dtype.kind == "O" else (np.nan if part.dtype.kind == "f" else 0)
                    found[tensor.name] = np.full((self._count, *part.shape[1:]), empty, part.dtype)
                found[tensor.name][list(rows)] = part
        return found

    def to_numpy(self) -> Any:
        """The scores as an array of float64, NaN where the row failed."""
        import numpy as np

        if self._is_whole():
            values = self._parts[0][1].scores
            return np.fromiter(values, np.float64, len(values))
        if not any(len(one.scores) for _, one in self._parts):
            return np.empty(0)
        array = np.full(self._count, np.nan)
        for rows, response in self._parts:
            place = slice(rows.start, rows.stop) if isinstance(rows, range) else rows
            array[place] = np.fromiter(response.scores, np.float64, len(response.scores))
        return array

    def to_columns(self) -> dict[str, Any]:
        """Columns by name as ``assay score`` writes them: score, label, probability_<class>, model_version, score_error."""
        columns: dict[str, Any] = {}
        scores, labels = self.scores, self.labels
        if scores or not labels:
            columns["score"] = [None if row in self.errors else scores[row] for row in range(self._count)] if scores else [None] * self._count
        if labels:
            columns["label"] = labels
        if self._probability_output and self.probabilities is not None:
            for at, name in enumerate(self.classes):
                columns[f"probability_{name}"] = [
                    None if row in self.errors else float(value) for row, value in enumerate(self.probabilities[:, at])
                ]
        columns["model_version"] = [self.model_version] * self._count
        columns["score_error"] = [self.errors.get(row) for row in range(self._count)]
        return columns

    def to_arrow(self) -> Any:
        """A ``pyarrow.Table`` of ``to_columns``."""
        import pyarrow as pa

        return pa.table(self.to_arrow_columns())

    def to_arrow_columns(self, whole: bool = False) -> dict[str, Any]:
        """The same as arrays of pyarrow by name. ``whole``: with ``score`` and ``label`` also where the model has none."""
        import numpy as np
        import pyarrow as pa

        failed = np.zeros(self._count, bool)
        failed[list(self.errors)] = True
        columns: dict[str, Any] = {}
        scores, labels = self.to_numpy(), self.labels
        if whole or len(scores) or not labels:
            columns["score"] = pa.array(scores, mask=failed) if len(scores) else pa.nulls(self._count, pa.float64())
        if whole or labels:
            columns["label"] = pa.array(labels, pa.string()) if labels else pa.nulls(self._count, pa.string())
        if self._probability_output and (probabilities := self.probabilities) is not None:
            for at, name in enumerate(self.classes):
                columns[f"probability_{name}"] = pa.array(probabilities[:, at].astype("f8"), mask=failed)
        columns["model_version"] = pa.repeat(pa.scalar(self.model_version), self._count)
        said = [self.errors.get(row) for row in range(self._count)] if self.errors else None
        columns["score_error"] = pa.array(said, pa.string()) if said else pa.nulls(self._count, pa.string())
        return columns

    def to_pandas(self) -> Any:
        """A pandas DataFrame of ``to_columns``."""
        import pandas as pd

        return pd.DataFrame(self.to_columns())

    def to_polars(self) -> Any:
        """A polars DataFrame of ``to_columns``."""
        import polars as pl

        texts = {"label": pl.String, "model_version": pl.String, "score_error": pl.String}
        columns = self.to_columns()
        return pl.DataFrame(columns, schema={name: texts.get(name, pl.Float64) for name in columns})

    def _is_whole(self) -> bool:
        return len(self._parts) == 1 and len(self._parts[0][0]) == self._count


def _array(tensor: Any) -> Any:
    import numpy as np

    shape = list(tensor.shape)
    if tensor.datatype == "BYTES":
        texts = _texts(tensor.raw_contents) if tensor.raw_contents else list(tensor.contents.bytes_contents)
        array = np.empty(len(texts), object)
        array[:] = [text.decode("utf-8", "replace") for text in texts]
        return array.reshape(shape)
    if tensor.datatype == "BF16":
        return (np.frombuffer(tensor.raw_contents, "<u2").astype("<u4") << 16).view("<f4").reshape(shape)
    kind = _KINDS[tensor.datatype]
    if tensor.raw_contents:
        return np.frombuffer(tensor.raw_contents, kind).reshape(shape)
    for _, values in tensor.contents.ListFields():
        return np.array(values, kind).reshape(shape)
    return np.empty(shape, kind)


def _texts(raw: bytes) -> list[bytes]:
    texts: list[bytes] = []
    at = 0
    while at < len(raw):
        end = at + 4 + int.from_bytes(raw[at : at + 4], "little")
        texts.append(raw[at + 4 : end])
        at = end
    return texts


def with_probabilities(scores: Scores, output: str) -> Scores:
    """Notes which output holds the probabilities."""
    scores._probability_output = output
    return scores
