"""The client for asyncio: the same calls and streams over ``grpc.aio``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
from typing import Any

import grpc
import grpc.aio

from .blocks import Block, needs_model, to_block, to_request
from .client import UNARY_ROWS, bad_rows
from .course import Close, Describe, Fetch, Give, Open, Send, Wait, course
from .errors import AssayError, from_rpc, named
from .job import ScoreJob
from .models import KnownModels, probability_output, ready_model
from .retrying import RetryPolicy
from .scores import Scores, with_probabilities
from .servers import Access, Attempts, Server, Servers, ended_early
from .v1 import model_service_pb2, scoring_service_pb2


class AsyncClient:
    """As ``Client``, for asyncio: make it where the event loop runs.

    >>> async with AsyncClient("http://127.0.0.1:8080") as client:
    ...     scores = await client.predict("iris", [[5.1, 3.5, 1.4, 0.2]])
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
        self._servers = Servers(url, self._access, grpc.aio, turn)
        self._timeout = timeout
        self._retry = retry or RetryPolicy()
        self._models = KnownModels()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends all calls and connections."""
        for server in self._servers.all:
            await server.channel.close()

    async def predict(
        self,
        model: str,
        rows: Any,
        *,
        version: str = "",
        probabilities: bool = False,
        timeout: float | None = None,
    ) -> Scores:
        """Scores some rows, as ``Client.predict`` does."""
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        while True:
            described = await self._known(model, version, deadline) if probabilities or needs_model(rows) else None
            block = to_block(rows, described)
            if block.bad:
                raise bad_rows(block)
            outputs = [probability_output(described)] if probabilities else []
            if block.count > UNARY_ROWS:
                described = described or await self._known(model, version, deadline)
                job = ScoreJob(described, outputs, 1024, "fail", self._retry)
                return await anext(self._run(job, _each([block]), deadline))
            request = to_request(block, range(block.count), model, version, outputs)
            try:
                response = await self._call(lambda server: server.predict, request, deadline)
            except AssayError as error:
                if await self._is_outdated(described, model, version, error, deadline):
                    continue
                raise named(error, block.inputs) from None
            scores = Scores(block.count, model, "", tuple(described.labels) if described is not None else ())
            scores.add(range(block.count), response)
            return with_probabilities(scores, outputs[0] if outputs else "")

    async def score(
        self,
        batches: Iterable[Any] | AsyncIterable[Any],
        model: str,
        *,
        version: str = "",
        probabilities: bool = False,
        rows_per_message: int = 1024,
        on_error: str = "keep",
        timeout: float | None = None,
    ) -> AsyncIterator[Scores]:
        """Scores batches of rows over a bidi stream, as ``Client.score`` does. ``batches`` may come asynchronously."""
        deadline = None if timeout is None else time.monotonic() + timeout
        described = await self._known(model, version, time.monotonic() + self._timeout)
        outputs = [probability_output(described)] if probabilities else []
        job = ScoreJob(described, outputs, rows_per_message, on_error, self._retry)

        async def blocks() -> AsyncIterator[Block]:
            async for one in _each(batches):
                yield to_block(one, described)

        async for scores in self._run(job, blocks(), deadline):
            yield scores

    async def describe(self, model: str, version: str = "") -> Any:
        """The model as ``assay.v1.Model``."""
        request = model_service_pb2.GetModelRequest(model_name=model, model_version=version)
        return (await self._call(lambda server: server.get_model, request, time.monotonic() + self._timeout)).model

    async def call(
        self, request: scoring_service_pb2.PredictRequest, timeout: float | None = None
    ) -> scoring_service_pb2.PredictResponse:
        """Sends a request as it is, with this client's deadline, retries and servers."""
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        response: scoring_service_pb2.PredictResponse = await self._call(lambda server: server.predict, request, deadline)
        return response

    async def _known(self, name: str, version: str, deadline: float) -> Any:
        model = self._models.get(name, version)
        if model is None:
            request = model_service_pb2.GetModelRequest(model_name=name, model_version=version)
            model = await self._call(lambda server: server.get_model, request, deadline, ready_model)
            self._models.keep(name, version, model)
        return model

    async def _is_outdated(self, described: Any, name: str, version: str, error: AssayError, deadline: float) -> bool:
        if described is None or error.reason != "INVALID_REQUEST":
            return False
        self._models.forget(name, version)
        return bool((await self._known(name, version, deadline)).sha256 != described.sha256)

    async def _call(
        self, method: Callable[[Server], Any], request: Any, deadline: float, read: Callable[[Any], Any] = lambda answer: answer
    ) -> Any:
        attempts = Attempts(self._servers, self._retry, deadline)
        while True:
            server, timeout = attempts.next()
            try:
                return read(await method(server)(request, timeout=timeout, metadata=self._access.metadata))
            except grpc.RpcError as thrown:
                error = from_rpc(thrown, server.origin)
            except AssayError as refused:
                error = refused
            await asyncio.sleep(attempts.failed(error))

    async def _run(self, job: ScoreJob, blocks: AsyncIterator[Block], deadline: float | None) -> AsyncIterator[Scores]:
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
                    found = await anext(blocks, None)
                elif isinstance(step, Wait):
                    await asyncio.sleep(step.seconds)
                elif isinstance(step, Open):
                    stream = _Stream(step.server, self._access, deadline)
                elif isinstance(step, Describe):
                    try:
                        found = await self._pinned(job, step.server)
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
                        found = await stream.read()
                    except grpc.RpcError as thrown:
                        failure = from_rpc(thrown, stream.server.origin)
                    except StopAsyncIteration:
                        failure = ended_early(stream.server)
        finally:
            if stream is not None:
                stream.close()

    async def _pinned(self, job: ScoreJob, server: Server) -> Any:
        request = model_service_pb2.GetModelRequest(
            model_name=job.model.model_name, model_version=job.model.model_version
        )
        return ready_model(await server.get_model(request, timeout=10.0, metadata=self._access.metadata))


class _Stream:
    """One PredictStream. Messages are written by a task of their own: a writer that waits for the server would not read."""

    def __init__(self, server: Server, access: Access, deadline: float | None) -> None:
        self.server = server
        self._queue: asyncio.Queue[Any] = asyncio.Queue()
        timeout = None if deadline is None else max(deadline - time.monotonic(), 0.001)
        self._call = server.predict_stream(self._messages(), timeout=timeout, metadata=access.metadata)
        self._answers = self._call.__aiter__()

    def send(self, message: Any) -> None:
        self._queue.put_nowait(message)

    async def read(self) -> Any:
        return await anext(self._answers)

    def close(self) -> None:
        self._queue.put_nowait(None)
        self._call.cancel()

    async def _messages(self) -> AsyncIterator[Any]:
        while (message := await self._queue.get()) is not None:
            yield message


async def _each(items: Iterable[Any] | AsyncIterable[Any]) -> AsyncIterator[Any]:
    if isinstance(items, AsyncIterable):
        async for item in items:
            yield item
    else:
        for item in items:
            yield item
