"""Scores for Spark: record batches of a partition through one stream of the task that has it."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from .client import Client
from .frames import refuse_taken, with_scores
from .servers import addresses

_SLICE = 65_536


def map_in_arrow(
    model: str,
    url: str | Sequence[str] | None = None,
    *,
    version: str = "",
    on_error: str = "keep",
    **options: Any,
) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """A function for Spark's ``DataFrame.mapInArrow``: record batches in, the same with ``score``, ``label``, ``model_version`` and
    ``score_error`` behind their columns out, over one stream a partition.

    Of several servers partition n begins with number n, so that tasks spread evenly; what a lost server left unanswered is sent to the
    next. Where none answers for ``RetryPolicy.stream_timeout`` the task fails, and Spark's next attempt begins at another server.
    ``version`` says which version scores; without it each partition takes the newest of its time. ``url`` and ``options`` are those of
    ``Client``.

    >>> frame.mapInArrow(assay.map_in_arrow("census", "http://scorer:8080"), assay.scored_schema(frame.schema))
    """
    # Read where the job is written: executors have an environment of their own.
    urls = addresses(url)

    def scored(batches: Iterable[Any]) -> Iterator[Any]:
        kept: deque[Any] = deque()
        slices = (
            batch.slice(first, _SLICE) for batch in batches for first in range(0, batch.num_rows, _SLICE)
        )
        head = next(slices, None)
        if head is None:
            # Of an empty partition nobody is asked.
            return

        def reading() -> Iterator[Any]:
            kept.append(head)
            yield head
            for one in slices:
                kept.append(one)
                yield one

        with Client(urls, **{"turn": _turn(), **options}) as client:
            for scores in client.score(reading(), model, version=version, on_error=on_error):
                yield with_scores(kept.popleft(), scores)

    return scored


def scored_schema(schema: Any) -> Any:
    """The schema that ``map_in_arrow`` makes of that of a Spark DataFrame."""
    from pyspark.sql.types import DoubleType, StringType, StructField, StructType

    texts = [StructField(name, StringType()) for name in ("label", "model_version", "score_error")]
    added = [StructField("score", DoubleType()), *texts]
    refuse_taken(schema.names, [one.name for one in added])
    return StructType([*schema.fields, *added])


def _turn() -> int | None:
    """The task's number where it is one of Spark's; another attempt has another."""
    if "pyspark" not in sys.modules:
        return None
    from pyspark import TaskContext

    task = TaskContext.get()
    return None if task is None else task.partitionId() + task.attemptNumber()
