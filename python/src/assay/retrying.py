"""When what failed is tried again, and when no more. Pure decisions."""

from __future__ import annotations

import random
from dataclasses import dataclass

from .errors import AssayError

PASSING = frozenset(
    {
        "SERVER_UNREACHABLE",
        "SHUTTING_DOWN",
        "MODEL_NOT_READY",
        "QUEUE_FULL",
        "MEMORY_FULL",
        "INSTANCE_LOST",
        "RUN_TIMEOUT",
        "DEADLINE_EXCEEDED",
        "CANCELLED",
    }
)
"""Reasons that pass by themselves: an item of a stream is sent again."""

PERHAPS_THE_ITEMS_FAULT = frozenset({"INSTANCE_LOST", "RUN_TIMEOUT", "DEADLINE_EXCEEDED"})
"""The item may have ended the worker, or take too long."""

MOST_REFUSALS_OF_AN_ITEM = 5

OF_SOME_ROW = frozenset(
    {"RUN_FAILED", "ROWS_REFUSED", "REQUEST_TOO_LARGE", "OUTPUT_TOO_LARGE", "MESSAGE_TOO_LARGE"}
    | PERHAPS_THE_ITEMS_FAULT
)
"""Reasons after which the halves of an item may succeed."""


@dataclass(frozen=True)
class RetryPolicy:
    """How calls are tried again: a full queue, a server that is away or restarts, a worker that is replaced."""

    attempts: int = 5
    """Of one ``predict``, the first included; its timeout bounds them all. 1: never again."""
    first_delay: float = 0.1
    """Seconds before the second attempt; doubled each time, half of it at random, never less than the server asks for."""
    longest_delay: float = 5.0
    stream_timeout: float = 60.0
    """Seconds that ``score`` goes on without any answer."""

    def delay(self, attempt: int, error: AssayError) -> float:
        """Seconds before the attempt after number ``attempt`` (from 1)."""
        longest: float = min(self.longest_delay, self.first_delay * 2.0 ** min(attempt - 1, 16))
        return max(error.retry_delay or 0.0, longest * (0.5 + random.random() / 2))

    def delay_of_call(self, attempt: int, error: AssayError) -> float | None:
        """The same for one call; None where it is not tried again."""
        passes = error.code == "UNAVAILABLE" or (
            error.code == "RESOURCE_EXHAUSTED" and error.retry_delay is not None
        )
        return self.delay(attempt, error) if passes and attempt < self.attempts else None


def passes(error: AssayError) -> bool:
    """Whether an item or a stream is worth sending again."""
    return error.retry_delay is not None or error.reason in PASSING


class Outage:
    """Time without any answer: how long to wait, and when to give up. Times are seconds of one clock."""

    def __init__(self, policy: RetryPolicy) -> None:
        self.policy = policy
        self.since: float | None = None
        self.attempts = 0

    def failed(self, error: AssayError, now: float) -> float:
        """Seconds before the next try; raises where trying again would not help."""
        if not passes(error):
            raise error
        self.since = now if self.since is None else self.since
        self.attempts += 1
        if now - self.since >= self.policy.stream_timeout:
            message = f"no answer for {now - self.since:.1f} s ({self.attempts} failures); the last was: {error.message}"
            raise AssayError(error.reason, message, code=error.code) from error
        return self.policy.delay(self.attempts, error)

    def answered(self) -> None:
        """What failed before no longer counts."""
        self.since = None
        self.attempts = 0
