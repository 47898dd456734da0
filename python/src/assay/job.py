"""A job over PredictStream: which rows are sent, sent again, settled, and handed out. No I/O, so that threads and asyncio share it.

Promises: batches come out whole and in their order; each row has a score or an error; what a lost connection, a full queue or a
restarted worker left unanswered is sent again until nothing was answered for the policy's time; one file of one version scores all.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from .blocks import Block
from .errors import AssayError, from_status, named
from .retrying import MOST_REFUSALS_OF_AN_ITEM, OF_SOME_ROW, PERHAPS_THE_ITEMS_FAULT, Outage, RetryPolicy, passes
from .scores import Scores, with_probabilities
from .v1 import scoring_service_pb2 as pb

ITEMS_IN_FLIGHT = 8
BYTES_IN_FLIGHT = 4 * 1024 * 1024


class Item:
    """Some rows of a batch, as one message."""

    def __init__(self, item_id: int, batch: Batch, rows: range | list[int], refusals: int = 0) -> None:
        self.item_id, self.batch, self.rows, self.refusals = item_id, batch, rows, refusals

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return self.batch.block.row_bytes * len(self.rows)


class Batch:
    """What the caller gave, and its scores as they come."""

    def __init__(self, number: int, block: Block, scores: Scores) -> None:
        self.number, self.block, self.scores = number, block, scores
        self.open = block.count
        """Rows that are neither scored nor failed."""


class ScoreJob:
    """The state of one ``score``."""

    def __init__(self, model: Any, outputs: Sequence[str], rows_an_item: int, on_error: str, policy: RetryPolicy) -> None:
        if on_error not in ("keep", "fail"):
            raise ValueError(f'on_error is {on_error!r}; expected "keep" or "fail"')
        if rows_an_item < 1:
            raise ValueError(f"rows_per_message is {rows_an_item}; expected 1 or more")
        self.model = model
        self.pause_until = 0.0
        """Nothing is sent before; what is in flight is read on."""
        self._outputs, self._rows_an_item, self._on_error = list(outputs), rows_an_item, on_error
        self._outage = Outage(policy)
        self._waiting: list[tuple[int, Item]] = []
        self._sent: dict[int, Item] = {}
        self._bytes = 0
        self._batches: deque[Batch] = deque()
        self._last_id = 0
        self._count = 0

    @property
    def wants_more(self) -> bool:
        """Whether another batch is worth reading."""
        return len(self._waiting) + len(self._sent) < 2 * ITEMS_IN_FLIGHT and len(self._batches) < 256

    @property
    def in_flight(self) -> int:
        """Items that are sent and not answered."""
        return len(self._sent)

    @property
    def is_settled(self) -> bool:
        """Whether every row has a score or an error."""
        return not self._waiting and not self._sent

    def add(self, block: Block) -> None:
        """Takes the rows of one batch."""
        model = self.model
        scores = Scores(block.count, model.model_name, model.model_version, tuple(model.labels))
        batch = Batch(self._count, block, with_probabilities(scores, self._outputs[0] if self._outputs else ""))
        self._count += 1
        self._batches.append(batch)
        for row, said in block.bad.items():
            self._fail(batch, row, said)
        limit = max(1, min(self._rows_an_item, BYTES_IN_FLIGHT // max(1, block.row_bytes)))
        for first in range(0, block.count, limit):
            rows = range(first, min(first + limit, block.count))
            clean = [row for row in rows if row not in block.bad] if block.bad else rows
            if len(clean) > 0:
                self._wait(batch, clean)

    def take_messages(self, first_of_stream: bool, now: float) -> Iterator[Any]:
        """What is to be sent by now."""
        while self._waiting and now >= self.pause_until and len(self._sent) < ITEMS_IN_FLIGHT:
            item = self._waiting[0][1]
            if self._sent and self._bytes + item.size > BYTES_IN_FLIGHT:
                return
            heapq.heappop(self._waiting)
            self._sent[item.item_id] = item
            self._bytes += item.size
            message = pb.PredictStreamRequest(item_id=item.item_id)
            if first_of_stream:
                message.options.unordered = True
                first_of_stream = False
            request = message.request
            request.model_name, request.model_version = self.model.model_name, self.model.model_version
            request.output_names.extend(self._outputs)
            item.batch.block.fill(request, item.rows)
            yield message

    def answered(self, answer: Any, now: float) -> None:
        """Takes the answer to an item. Raises where the job cannot go on."""
        item = self._sent.pop(answer.item_id, None)
        if item is None:
            return
        self._bytes -= item.size
        if answer.HasField("response"):
            self._outage.answered()
            item.batch.scores.add(item.rows, answer.response)
            item.batch.open -= len(item.rows)
            return
        error = named(from_status(answer.status), item.batch.block.inputs)
        if passes(error):
            item.refusals += error.reason in PERHAPS_THE_ITEMS_FAULT
            if item.refusals < MOST_REFUSALS_OF_AN_ITEM:
                self._put_back(item)
                self.pause_until = now + self._outage.failed(error, now)
                return
        self._outage.answered()
        self._refused(item, error)

    def lost(self, error: AssayError, now: float) -> float:
        """The stream ended before its time. Seconds until another is opened; raises where that would not help."""
        unanswered = list(self._sent.values())
        self._sent.clear()
        self._bytes = 0
        if error.reason == "MESSAGE_TOO_LARGE" and unanswered:
            # One of them is above the server's limit, so the largest is.
            largest = max(unanswered, key=lambda one: one.size)
            for item in unanswered:
                if item is not largest:
                    self._put_back(item)
            self._refused(largest, error)
            return 0.0
        for item in unanswered:
            self._put_back(item)
        return self._outage.failed(error, now)

    def check(self, found: Any) -> None:
        """Refuses another file than the one that scored so far."""
        if found.sha256 != self.model.sha256:
            raise AssayError(
                "MODEL_VERSION_NOT_FOUND",
                f"the server now has another file for {found.model_name} version {found.model_version}: SHA-256 {found.sha256}, "
                f"the rows so far were scored with {self.model.sha256}; score all rows anew, or give the new file a version of its own",
            )

    def take_ready(self) -> Iterator[Scores]:
        """Batches that are complete, in order."""
        while self._batches and self._batches[0].open == 0:
            yield self._batches.popleft().scores

    def _refused(self, item: Item, error: AssayError) -> None:
        batch, rows = item.batch, item.rows
        bad: dict[int, str] = {}
        if error.reason == "INVALID_REQUEST":
            for one in error.violations:
                if one.row is not None and one.row < len(rows):
                    row = rows[one.row]
                    said = f'column "{one.column}": {one.description}' if one.column else one.description
                    bad[row] = f"{bad[row]}; {said}" if row in bad else said
            for row in bad or rows:
                self._fail(batch, row, bad.get(row, error.message), error)
            left = [row for row in rows if row not in bad] if bad else []
            if left:
                self._wait(batch, left)
        elif error.reason in OF_SOME_ROW:
            if len(rows) == 1:
                self._fail(batch, rows[0], error.message, error)
                return
            half = len(rows) // 2
            self._wait(batch, rows[:half], item.refusals)
            self._wait(batch, rows[half:], item.refusals)
        else:
            raise error

    def _fail(self, batch: Batch, row: int, said: str, cause: AssayError | None = None) -> None:
        if self._on_error == "fail":
            reason = cause.reason if cause is not None else "INVALID_REQUEST"
            violations = cause.violations if cause is not None else ()
            message = f"batch {batch.number}, row {row}: {said}"
            raise AssayError(reason, message, code=cause.code if cause is not None else "", violations=violations)
        batch.scores.errors[row] = said
        batch.open -= 1

    def _wait(self, batch: Batch, rows: range | list[int], refusals: int = 0) -> None:
        self._last_id += 1
        self._put_back(Item(self._last_id, batch, rows, refusals))

    def _put_back(self, item: Item) -> None:
        # What a batch still lacks goes before later ones, so that it comes out.
        heapq.heappush(self._waiting, (item.batch.number * 2**32 + item.item_id, item))
