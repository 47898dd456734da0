"""The client for programs that wait: calls and streams over grpcio's threads."""

from __future__ import annotations

import queue
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import grpc

from .blocks import Block, needs_model, to_block, to_request
from .errors import AssayError, Violation, from_rpc, named
from .job import ScoreJob
from .models import KnownModels, probability_output, ready_model
from .retrying import RetryPolicy, passes
from .scores import Scores, with_probabilities
from .servers import Access, Server, Servers
from .v1 import model_service_pb2, scoring_service_pb2

UNARY_ROWS = 4096
"""More rows in one ``predict`` go over a stream."""


class Client:
    """Scores rows with the models of one Assay server, or of several that serve the same.

    ``url``: ``http://host:8080``, ``https://host``, or a list; several take turns, and one that is away is left out for a while.
    ``key``: sent as ``authorization: Bearer``. ``timeout``: seconds for each call, its retries included, unless a call says another.
    Calls may come from many threads. Close it, or use it as a context.

    >>> with Client("http://127.0.0.1:8080") as client:
    ...     client.predict("iris", [[5.1, 3.5, 1.4, 0.2]]).labels
    ['setosa']
    """

    def __init__(
        self,
        url: str | Sequence[str],
        *,
        key: str | None = None,
        tls_ca: str | None = None,
        tls_cert: str | None = None,
        tls_key: str | None = None,
        timeout: float = 30.0,
        retry: RetryPolicy | None = None,
    ) -> None:
        self._access = Access(key, tls_ca, tls_cert, tls_key)
        self._servers = Servers(url, self._access, grpc)
        self._timeout = timeout
        self._retry = retry or RetryPolicy()
        self._models = KnownModels()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends all calls and connections."""
        for server in self._servers.all:
            server.channel.close()

    def predict(
        self,
        model: str,
        rows: Any,
        *,
        version: str = "",
        probabilities: bool = False,
        timeout: float | None = None,
    ) -> Scores:
        """Scores some rows; all of them or none: a row that cannot be scored raises an AssayError with its violations.

        ``rows``: a dict (one row), a list of dicts, a list of lists, a DataFrame of pandas or polars, a pyarrow table or record batch,
        a numpy array, or a dict of arrays (column or input to values). ``version``: a number or a label.
        """
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        while True:
            described = self._known(model, version, deadline) if probabilities or needs_model(rows) else None
            block = to_block(rows, described)
            if block.bad:
                raise bad_rows(block)
            outputs = [probability_output(described)] if probabilities else []
            if block.count > UNARY_ROWS:
                return self._predict_many(block, described, model, version, outputs, deadline)
            request = to_request(block, range(block.count), model, version, outputs)
            try:
                response = self._call(lambda server: server.predict, request, deadline)
            except AssayError as error:
                if self._is_outdated(described, model, version, error, deadline):
                    continue
                raise named(error, block.inputs) from None
            scores = Scores(block.count, model, "", tuple(described.labels) if described is not None else ())
            scores.add(range(block.count), response)
            return with_probabilities(scores, outputs[0] if outputs else "")

    def score(
        self,
        batches: Iterable[Any],
        model: str,
        *,
        version: str = "",
        probabilities: bool = False,
        rows_per_message: int = 1024,
        on_error: str = "keep",
        timeout: float | None = None,
    ) -> Iterator[Scores]:
        """Scores batches of rows over a bidi stream; one ``Scores`` a batch, in their order, as they are ready.

        Batches are what ``predict`` takes, read as they are needed. A row that cannot be scored has its message in ``Scores.errors``
        and all others are scored; with ``on_error="fail"`` it ends the job. A connection that is lost, a server that restarts or
        a full queue is gone on from, and each row comes out once; after ``RetryPolicy.stream_timeout`` without any answer the job
        ends. One version scores all rows. ``timeout`` bounds the whole job; by default it has no end.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        described = self._known(model, version, time.monotonic() + self._timeout)
        outputs = [probability_output(described)] if probabilities else []
        job = ScoreJob(described, outputs, rows_per_message, on_error, self._retry)
        return self._run(job, (to_block(one, described) for one in batches), deadline)

    def describe(self, model: str, version: str = "") -> Any:
        """The model as ``assay.v1.Model``: its inputs, outputs, labels, version and state."""
        request = model_service_pb2.GetModelRequest(model_name=model, model_version=version)
        deadline = time.monotonic() + self._timeout
        return self._call(lambda server: server.get_model, request, deadline).model

    def call(self, request: scoring_service_pb2.PredictRequest, timeout: float | None = None) -> scoring_service_pb2.PredictResponse:
        """Sends a request as it is, with this client's deadline, retries and servers."""
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        response: scoring_service_pb2.PredictResponse = self._call(lambda server: server.predict, request, deadline)
        return response

    def _known(self, name: str, version: str, deadline: float) -> Any:
        model = self._models.get(name, version)
        if model is None:
            request = model_service_pb2.GetModelRequest(model_name=name, model_version=version)
            model = self._call(lambda server: server.get_model, request, deadline, ready_model)
            self._models.keep(name, version, model)
        return model

    def _is_outdated(self, described: Any, name: str, version: str, error: AssayError, deadline: float) -> bool:
        """Whether the model was replaced by one with another signature since it was described."""
        if described is None or error.reason != "INVALID_REQUEST":
            return False
        self._models.forget(name, version)
        return bool(self._known(name, version, deadline).sha256 != described.sha256)

    def _call(
        self, method: Callable[[Server], Any], request: Any, deadline: float, read: Callable[[Any], Any] = lambda answer: answer
    ) -> Any:
        attempt = 0
        while True:
            attempt += 1
            server = self._servers.next()
            left = deadline - time.monotonic()
            try:
                return read(method(server)(request, timeout=max(left, 0.001), metadata=self._access.metadata))
            except grpc.RpcError as thrown:
                error = from_rpc(thrown, server.origin)
            except AssayError as refused:
                error = refused
            delay = self._retry.delay_of_call(attempt, error)
            if delay is None:
                raise error from None
            wait = self._servers.failed(server, delay)
            if time.monotonic() + wait >= deadline:
                raise error from None
            time.sleep(wait)

    def _predict_many(
        self, block: Block, described: Any, model: str, version: str, outputs: list[str], deadline: float
    ) -> Scores:
        described = described or self._known(model, version, deadline)
        job = ScoreJob(described, outputs, 1024, "fail", self._retry)
        return next(self._run(job, iter([block]), deadline))

    def _run(self, job: ScoreJob, blocks: Iterator[Block], deadline: float | None) -> Iterator[Scores]:
        stream: _Stream | None = None
        source: Iterator[Block] | None = blocks
        checked = True
        try:
            while True:
                while source is not None and job.wants_more:
                    block = next(source, None)
                    if block is None:
                        source = None
                    else:
                        job.add(block)
                yield from job.take_ready()
                if job.is_settled:
                    if source is None:
                        return
                    continue
                now = time.monotonic()
                if job.in_flight == 0 and job.pause_until > now:
                    _sleep(job.pause_until - now, deadline)
                server = stream.server if stream is not None else self._servers.next()
                try:
                    if stream is None:
                        if not checked:
                            job.check(self._pinned(job, server))
                        stream = _Stream(server, self._access, deadline)
                    for message in job.take_messages(stream.is_new, time.monotonic()):
                        stream.send(message)
                    if job.in_flight == 0:
                        continue
                    job.answered(stream.read(), time.monotonic())
                    continue
                except grpc.RpcError as thrown:
                    error = from_rpc(thrown, server.origin)
                except AssayError as refused:
                    # A server that was started again says so until the model is loaded.
                    if stream is not None or not passes(refused):
                        raise
                    error = refused
                except StopIteration:
                    error = AssayError("SERVER_UNREACHABLE", f"{server.origin} ended the stream before its answers")
                if stream is not None:
                    stream.close()
                    stream = None
                checked = False
                if deadline is not None and error.reason == "DEADLINE_EXCEEDED" and time.monotonic() >= deadline:
                    raise error
                delay = job.lost(error, time.monotonic())
                _sleep(self._servers.failed(server, delay), deadline)
        finally:
            if stream is not None:
                stream.close()

    def _pinned(self, job: ScoreJob, server: Server) -> Any:
        request = model_service_pb2.GetModelRequest(
            model_name=job.model.model_name, model_version=job.model.model_version
        )
        return ready_model(server.get_model(request, timeout=10.0, metadata=self._access.metadata))


class _Stream:
    """One PredictStream."""

    def __init__(self, server: Server, access: Access, deadline: float | None) -> None:
        self.server = server
        self.is_new = True
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        timeout = None if deadline is None else max(deadline - time.monotonic(), 0.001)
        self._call = server.predict_stream(iter(self._queue.get, None), timeout=timeout, metadata=access.metadata)

    def send(self, message: Any) -> None:
        self.is_new = False
        self._queue.put(message)

    def read(self) -> Any:
        return next(self._call)

    def close(self) -> None:
        self._queue.put(None)
        self._call.cancel()


def _sleep(seconds: float, deadline: float | None) -> None:
    if deadline is not None and time.monotonic() + seconds >= deadline:
        raise AssayError("DEADLINE_EXCEEDED", "the time that was given for the rows is over")
    time.sleep(seconds)


def bad_rows(block: Block) -> AssayError:
    """The error of a ``predict`` some of whose rows cannot be sent."""
    violations = [Violation(f"rows[{row}]", said, row=row, column=_column_of(said)) for row, said in sorted(block.bad.items())[:20]]
    message = "; ".join(f"row {one.row}: {one.description}" for one in violations)
    return AssayError("INVALID_REQUEST", message, violations=violations, violation_count=len(block.bad))


def _column_of(said: str) -> str | None:
    found = re.match(r'column (?:\d+ \()?"(.*?)"', said)
    return found[1] if found else None
