"""The course of a job: which step comes next, at which server. Makes no I/O: a client takes the steps, with threads or with asyncio."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from .errors import AssayError
from .job import ScoreJob
from .scores import Scores
from .servers import Server, Servers


@dataclass(frozen=True, slots=True)
class Fetch:
    """Read the caller's next batch; the answer is its Block, None at the end."""


@dataclass(frozen=True, slots=True)
class Give:
    """Hand out the scores of a batch."""

    scores: Scores


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Describe:
    """Ask a server for the model of the job; the answer is its description."""

    server: Server


@dataclass(frozen=True, slots=True)
class Open:
    """Open a stream, which is the one until Close."""

    server: Server


@dataclass(frozen=True, slots=True)
class Send:
    """Write a message to the stream, without waiting."""

    message: Any


@dataclass(frozen=True, slots=True)
class Answer:
    """Read from the stream; the answer is a PredictStreamResponse."""


@dataclass(frozen=True, slots=True)
class Close:
    """End the stream."""


Step = Fetch | Give | Wait | Describe | Open | Send | Answer | Close


def course(job: ScoreJob, servers: Servers, deadline: float | None) -> Generator[Step, Any, None]:
    """The steps of a job until its rows are settled. What fails in Describe and Answer is thrown in as an AssayError.

    A stream stays where it is until it is lost; the next one is opened at the server whose turn it is.
    """
    fetching = True
    server: Server | None = None
    is_new = True
    # Where there is one server, it is the one that described the model a moment ago.
    checked = len(servers.all) == 1
    while True:
        while fetching and job.wants_more:
            block = yield Fetch()
            if block is None:
                fetching = False
            else:
                job.add(block)
        for scores in job.take_ready():
            yield Give(scores)
        if job.is_settled:
            if not fetching:
                return
            continue
        pause = job.pause_until - time.monotonic()
        if job.in_flight == 0 and pause > 0:
            yield Wait(_within(pause, deadline))
        is_open = server is not None
        asked = server if server is not None else servers.next()
        try:
            if not is_open:
                if not checked:
                    job.check((yield Describe(asked)))
                yield Open(asked)
                server, is_open, is_new = asked, True, True
            for message in job.take_messages(is_new, time.monotonic()):
                is_new = False
                yield Send(message)
            if job.in_flight == 0:
                continue
            answer = yield Answer()
        except AssayError as failure:
            error = failure
        else:
            job.answered(answer, time.monotonic())
            continue
        if is_open:
            yield Close()
        server, checked = None, False
        if deadline is not None and error.reason == "DEADLINE_EXCEEDED" and time.monotonic() >= deadline:
            raise error
        # A server that was started again refuses until the model is loaded: that passes too.
        delay = job.lost(error, time.monotonic())
        yield Wait(_within(servers.failed(asked, delay), deadline))


def _within(seconds: float, deadline: float | None) -> float:
    if deadline is not None and time.monotonic() + seconds >= deadline:
        raise AssayError("DEADLINE_EXCEEDED", "the time that was given for the rows is over")
    return seconds
