"""Scores for Polars: a function for ``map_batches`` of expressions and of lazy frames."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any

from .client import Client
from .frames import refuse_taken
from .servers import addresses


class ScoringFunction:
    """What Polars calls with a batch of rows; see ``udf``. It keeps one client a process, which ends with it; any thread may call it."""

    def __init__(self, model: str, urls: list[str], version: str, on_error: str, options: dict[str, Any]) -> None:
        self._model, self._urls, self._version, self._on_error, self._options = model, urls, version, on_error, options
        self._lock = threading.Lock()
        self._client: tuple[int, Client] | None = None

    @property
    def dtype(self) -> Any:
        """For ``return_dtype`` of an expression: a struct of the results."""
        import polars as pl

        return pl.Struct(self.columns)

    @property
    def columns(self) -> dict[str, Any]:
        """The results' names and types."""
        import polars as pl

        return {"score": pl.Float64, "label": pl.String, "model_version": pl.String, "score_error": pl.String}

    def over(self, frame: Any) -> Any:
        """A LazyFrame with the results behind its columns; its rows are scored when, and as, they are collected."""
        schema = frame.collect_schema()
        refuse_taken(schema.names(), self.columns)
        # The model reads columns that no later step asks for, and a filter may be over scores.
        return frame.map_batches(
            self,
            schema={**schema, **self.columns},
            predicate_pushdown=False,
            projection_pushdown=False,
            streamable=True,
        )

    def __call__(self, values: Any) -> Any:
        """Results of a DataFrame: the same with their columns. Of a Series of structs, arrays or lists, or several Series: a Series of
        structs."""
        import polars as pl

        if isinstance(values, pl.DataFrame):
            return values.hstack(self._scored(values, values.height))
        if not isinstance(values, pl.Series):
            rows: Any = pl.DataFrame(list(values))
            return self._scored(rows, rows.height).to_struct()
        if isinstance(values.dtype, pl.Struct):
            rows = values.struct.unnest()
        elif isinstance(values.dtype, (pl.Array, pl.List)):
            rows = values.to_list()
        else:
            rows = values.to_frame()
        return self._scored(rows, len(values)).to_struct(values.name)

    def _scored(self, rows: Any, count: int) -> Any:
        import polars as pl

        if count == 0:
            # Polars asks with no rows for what comes back.
            return pl.DataFrame(schema=self.columns)
        [scores] = self._kept_client().score([rows], self._model, version=self._version, on_error=self._on_error)
        columns = scores.to_columns()
        return pl.DataFrame({name: columns.get(name, [None] * count) for name in self.columns}, schema=self.columns)

    def _kept_client(self) -> Client:
        with self._lock:
            # Connections do not outlive a fork.
            if self._client is None or self._client[0] != os.getpid():
                self._client = (os.getpid(), Client(self._urls, **self._options))
            return self._client[1]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_lock", "_client")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._lock, self._client = threading.Lock(), None


def udf(
    model: str, url: str | Sequence[str] | None = None, *, version: str = "", on_error: str = "keep", **options: Any
) -> ScoringFunction:
    """A function for ``map_batches`` of Polars, whose results are structs of ``score``, ``label``, ``model_version`` and ``score_error``.

    ``url`` and ``options`` are those of ``Client``. For all columns of a LazyFrame, ``udf(…).over(frame)`` or ``assay.score(frame, …)``.

    >>> scored = assay.udf("census", "http://127.0.0.1:8080")
    >>> frame.with_columns(pl.struct(pl.all()).map_batches(scored, return_dtype=scored.dtype).struct.unnest())
    """
    return ScoringFunction(model, addresses(url), version, on_error, options)
