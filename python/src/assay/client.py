"""The client for programs that wait: calls and streams over grpcio's threads."""

from __future__ import annotations

import queue
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import grpc

from .blocks import Block, needs_model, to_block, to_request
from .course import Close, Describe, Fetch, Give, Open, Send, Wait, course
from .errors import AssayError, Violation, from_rpc, named
from .job import ScoreJob
from .models import KnownModels, probability_output, ready_model
from .retrying import RetryPolicy
from .scores import Scores, with_probabilities
from .servers import Access, Attempts, Server, Servers, ended_early
from .v1 import model_service_pb2, scoring_service_pb2

UNARY_ROWS = 4096
"""More rows in one ``predict`` go over a stream."""


class Client:
    """Scores rows with the models of one Assay server, or of several that serve the same.

    ``url``: ``http://host:8080``, ``https://host``, or several, as a list or with commas between: they take turns, and one that is away is
    left out for a while. By default the variable ASSAY_URL says it, or it is ``http://127.0.0.1:8080``.
    ``turn``: which of them is asked first, counted from 0 and around (a worker's number spreads workers evenly; by default any).
    ``key``: sent as ``authorization: Bearer``. ``timeout``: seconds for each call, its retries included, unless a call says another.
    Calls may come from many threads. Close it, or use it as a context.

    >>> with Client("http://127.0.0.1:8080") as client:
    ...     client.predict("iris", [[5.1, 3.5, 1.4, 0.2]]).labels
    ['setosa']
    """

    def __init__(
        self,
        url: str | Sequence[str] | None = None,
        *,
        key: str | None = None,
        tls_ca: str | None = None,
        tls_cert: str | None = None,
        tls_key: str | None = None,
        timeout: float = 30.0,
        retry: RetryPolicy | None = None,
        turn: int | None = None,
    ) -> None:
        self._access = Access(key, tls_ca, tls_cert, tls_key)
        self._servers = Servers(url, self._access, grpc, turn)
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
        attempts = Attempts(self._servers, self._retry, deadline)
        while True:
            server, timeout = attempts.next()
            try:
                return read(method(server)(request, timeout=timeout, metadata=self._access.metadata))
            except grpc.RpcError as thrown:
                error = from_rpc(thrown, server.origin)
            except AssayError as refused:
                error = refused
            time.sleep(attempts.failed(error))

    def _predict_many(
        self, block: Block, described: Any, model: str, version: str, outputs: list[str], deadline: float
    ) -> Scores:
        described = described or self._known(model, version, deadline)
        job = ScoreJob(described, outputs, 1024, "fail", self._retry)
        return next(self._run(job, iter([block]), deadline))

    def _run(self, job: ScoreJob, blocks: Iterator[Block], deadline: float | None) -> Iterator[Scores]:
        steps = course(job, self._servers, deadline)
        stream: _Stream | None = None
        found: Any = None
        failure: AssayError | None = None
        try:
            while True:
                try:
                    step = steps.send(found) if failure is None else steps.throw(failure)
                except StopIteration:
                    return
                found, failure = None, None
                if isinstance(step, Give):
                    yield step.scores
                elif isinstance(step, Fetch):
                    found = next(blocks, None)
                elif isinstance(step, Wait):
                    time.sleep(step.seconds)
                elif isinstance(step, Open):
                    stream = _Stream(step.server, self._access, deadline)
                elif isinstance(step, Describe):
                    try:
                        found = self._pinned(job, step.server)
                    except grpc.RpcError as thrown:
                        failure = from_rpc(thrown, step.server.origin)
                    except AssayError as refused:
                        failure = refused
                elif stream is None:
                    raise RuntimeError("there is no stream")
                elif isinstance(step, Send):
                    stream.send(step.message)
                elif isinstance(step, Close):
                    stream.close()
                    stream = None
                else:
                    try:
                        found = stream.read()
                    except grpc.RpcError as thrown:
                        failure = from_rpc(thrown, stream.server.origin)
                    except StopIteration:
                        failure = ended_early(stream.server)
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
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        timeout = None if deadline is None else max(deadline - time.monotonic(), 0.001)
        self._call = server.predict_stream(iter(self._queue.get, None), timeout=timeout, metadata=access.metadata)

    def send(self, message: Any) -> None:
        self._queue.put(message)

    def read(self) -> Any:
        return next(self._call)

    def close(self) -> None:
        self._queue.put(None)
        self._call.cancel()


def bad_rows(block: Block) -> AssayError:
    """The error of a ``predict`` some of whose rows cannot be sent."""
    violations = [Violation(f"rows[{row}]", said, row=row, column=_column_of(said)) for row, said in sorted(block.bad.items())[:20]]
    message = "; ".join(f"row {one.row}: {one.description}" for one in violations)
    return AssayError("INVALID_REQUEST", message, violations=violations, violation_count=len(block.bad))


def _column_of(said: str) -> str | None:
    found = re.match(r'column (?:\d+ \()?"(.*?)"', said)
    return found[1] if found else None
