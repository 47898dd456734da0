"""Tables with the columns of their scores: for notebooks, and for Spark, Polars, Airflow, Dagster and dbt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .client import Client
from .errors import AssayError
from .scores import Scores


def score(
    table: Any,
    *,
    model: str,
    url: str | Sequence[str] | None = None,
    version: str = "",
    probabilities: bool = False,
    on_error: str = "keep",
    **options: Any,
) -> Any:
    """The table with the columns ``score``, ``label``, ``probability_<class>``, ``model_version`` and ``score_error`` added.

    ``table``: a DataFrame of pandas or polars, a pyarrow table or record batch; the same kind comes back. A LazyFrame of polars and a
    DataFrame of Spark stay lazy: their rows are scored where they are made, by ``udf`` and ``map_in_arrow``, which have no probabilities.
    ``url`` and ``options`` are those of ``Client``.
    """
    kind = type(table).__module__.split(".")[0]
    if kind not in ("pandas", "polars", "pyarrow", "pyspark"):
        raise TypeError(f"a {type(table).__name__} came; expected a DataFrame of pandas, polars or Spark, or a pyarrow table")
    if kind == "pyspark" or hasattr(table, "collect_schema") and not hasattr(table, "hstack"):
        if probabilities:
            raise ValueError(f"probabilities=True came with a lazy {type(table).__name__}; expected a table whose rows are there")
        return _scored_later(table, kind, model, url, version=version, on_error=on_error, **options)
    names = list(table.schema.names) if kind == "pyarrow" else list(table.columns)
    with Client(url, **options) as client:
        parts = list(client.score([table], model, version=version, probabilities=probabilities, on_error=on_error))
    scores = parts[0]
    if kind == "pyarrow":
        return with_scores(table, scores)
    columns = scores.to_columns()
    refuse_taken(names, columns)
    if kind == "pandas":
        import pandas as pd

        return pd.concat([table, pd.DataFrame(columns, index=table.index)], axis=1)
    return table.hstack(scores.to_polars())


def _scored_later(table: Any, kind: str, model: str, url: str | Sequence[str] | None, **options: Any) -> Any:
    if kind == "pyspark":
        from .spark import map_in_arrow, scored_schema

        return table.mapInArrow(map_in_arrow(model, url, **options), scored_schema(table.schema))
    from .scoring_function import udf

    return udf(model, url, **options).over(table)


def with_scores(table: Any, scores: Scores) -> Any:
    """A table or record batch of pyarrow with the results behind its columns; ``score`` and ``label`` are always there."""
    columns = scores.to_arrow_columns(whole=True)
    refuse_taken(table.schema.names, columns)
    return type(table).from_arrays([*table.columns, *columns.values()], names=[*table.schema.names, *columns])


def refuse_taken(names: Iterable[Any], columns: Iterable[str]) -> None:
    """Raises where a table has a column that the results bring, in any case."""
    results = {one.lower() for one in columns}
    taken = [str(name) for name in names if str(name).lower() in results]
    if taken:
        raise AssayError(
            "TABLE_INVALID", f'the table has a column "{taken[0]}" already, as the results do: rename it or leave it out'
        )
