"""Tables with the columns of their scores: for notebooks, and for Spark, Airflow, Dagster and dbt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from .client import Client
from .errors import AssayError
from .scores import Scores

RESULTS = ("score", "label", "model_version", "score_error")
_SLICE = 65_536


def score(
    table: Any,
    *,
    model: str,
    url: str | Sequence[str],
    version: str = "",
    probabilities: bool = False,
    on_error: str = "keep",
    **options: Any,
) -> Any:
    """The table with the columns ``score``, ``label``, ``probability_<class>``, ``model_version`` and ``score_error`` added.

    ``table``: a DataFrame of pandas or polars, a pyarrow table or record batch; the same kind comes back. ``options`` are those of
    ``Client``.
    """
    kind = type(table).__module__.split(".")[0]
    if kind not in ("pandas", "polars", "pyarrow"):
        raise TypeError(f"a {type(table).__name__} came; expected a DataFrame of pandas or polars, or a pyarrow table")
    names = list(table.schema.names) if kind == "pyarrow" else list(table.columns)
    with Client(url, **options) as client:
        parts = list(client.score([table], model, version=version, probabilities=probabilities, on_error=on_error))
    scores = parts[0]
    columns = scores.to_columns()
    _refuse_taken(names, columns)
    if kind == "pandas":
        import pandas as pd

        return pd.concat([table, pd.DataFrame(columns, index=table.index)], axis=1)
    if kind == "polars":
        return table.hstack(scores.to_polars())
    return _with_columns(table, scores)


def map_in_arrow(
    model: str,
    url: str | Sequence[str],
    *,
    version: str = "",
    on_error: str = "keep",
    **options: Any,
) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """A function for Spark's ``DataFrame.mapInArrow``: record batches in, the same with ``score``, ``label``, ``model_version`` and
    ``score_error`` behind their columns out, over one stream a partition.

    >>> schema = "id long, …, score double, label string, model_version string, score_error string"
    >>> frame.mapInArrow(assay.map_in_arrow("census", "http://scorer:8080"), schema)
    """

    def scored(batches: Iterable[Any]) -> Iterator[Any]:
        kept: list[Any] = []

        def reading() -> Iterator[Any]:
            for batch in batches:
                for first in range(0, batch.num_rows, _SLICE):
                    kept.append(batch.slice(first, _SLICE))
                    yield kept[-1]

        with Client(url, **options) as client:
            for scores in client.score(reading(), model, version=version, on_error=on_error):
                yield _with_columns(kept.pop(0), scores)

    return scored


def _with_columns(table: Any, scores: Scores) -> Any:
    """A table or record batch with the results behind its columns, each of them always there."""
    import pyarrow as pa

    columns = scores.to_columns()
    _refuse_taken(table.schema.names, columns)
    columns = {
        "score": columns.pop("score", [None] * len(scores)),
        "label": columns.pop("label", [None] * len(scores)),
        **columns,
    }
    texts = {"label", "model_version", "score_error"}
    arrays = [pa.array(values, pa.string() if name in texts else pa.float64()) for name, values in columns.items()]
    return type(table).from_arrays([*table.columns, *arrays], names=[*table.schema.names, *columns])


def _refuse_taken(names: Iterable[Any], columns: dict[str, Any]) -> None:
    taken = [str(name) for name in names if str(name).lower() in {one.lower() for one in columns}]
    if taken:
        raise AssayError(
            "TABLE_INVALID", f'the table has a column "{taken[0]}" already, as the results do: rename it or leave it out'
        )
