"""Where servers are and how they are reached, and which of several is asked next."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import grpc

from .errors import AssayError
from .retrying import RetryPolicy
from .v1 import model_service_pb2, scoring_service_pb2

OPTIONS: list[tuple[str, Any]] = [
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # A server that vanished without a word is noticed.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # Several addresses of one name take turns.
    ("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})),
]


@dataclass(frozen=True)
class Access:
    """How servers are reached: a bearer key, and TLS for ``https://``."""

    key: str | None = None
    tls_ca: str | os.PathLike[str] | None = None
    tls_cert: str | os.PathLike[str] | None = None
    tls_key: str | os.PathLike[str] | None = None

    @property
    def metadata(self) -> list[tuple[str, str]]:
        """Headers of each call."""
        return [] if self.key is None else [("authorization", f"Bearer {self.key}")]

    def credentials(self) -> grpc.ChannelCredentials:
        """Certificates, read from their files."""
        return grpc.ssl_channel_credentials(_read(self.tls_ca), _read(self.tls_key), _read(self.tls_cert))


def _read(path: str | os.PathLike[str] | None) -> bytes | None:
    if path is None:
        return None
    with open(path, "rb") as file:
        return file.read()


class Server:
    """One server, over a channel of ``grpc`` or ``grpc.aio``."""

    def __init__(self, url: str, access: Access, library: Any) -> None:
        target, secure, self.origin = _parse(url)
        if secure:
            self.channel = library.secure_channel(target, access.credentials(), options=OPTIONS)
        else:
            self.channel = library.insecure_channel(target, options=OPTIONS)
        scoring, models = scoring_service_pb2, model_service_pb2
        self.predict = self.channel.unary_unary(
            "/assay.v1.ScoringService/Predict",
            request_serializer=scoring.PredictRequest.SerializeToString,
            response_deserializer=scoring.PredictResponse.FromString,
        )
        self.predict_stream = self.channel.stream_stream(
            "/assay.v1.ScoringService/PredictStream",
            request_serializer=scoring.PredictStreamRequest.SerializeToString,
            response_deserializer=scoring.PredictStreamResponse.FromString,
        )
        self.get_model = self.channel.unary_unary(
            "/assay.v1.ModelService/GetModel",
            request_serializer=models.GetModelRequest.SerializeToString,
            response_deserializer=models.GetModelResponse.FromString,
        )
        self.rests_until = 0.0


class Servers:
    """Servers that take turns; one that failed rests while another is there.

    ``turn``: the one that is asked first, counted from 0 and around. By default any: many clients of the same list spread over it.
    """

    def __init__(self, urls: str | Sequence[str] | None, access: Access, library: Any, turn: int | None = None) -> None:
        self.all = [Server(url, access, library) for url in addresses(urls)]
        self._turn = random.randrange(len(self.all)) if turn is None else turn

    def next(self) -> Server:
        """The server that is asked next."""
        now = time.monotonic()
        for _ in self.all:
            server = self.all[self._turn % len(self.all)]
            self._turn += 1
            if server.rests_until <= now:
                return server
        return min(self.all, key=lambda one: one.rests_until)

    def failed(self, server: Server, delay: float) -> float:
        """Lets a server rest; how long the caller waits before it asks another."""
        now = time.monotonic()
        server.rests_until = now + delay
        return max(0.0, min(one.rests_until for one in self.all) - now)


class Attempts:
    """The attempts of one call: which server each asks, for how long, and when no other follows. Makes no I/O."""

    def __init__(self, servers: Servers, policy: RetryPolicy, deadline: float) -> None:
        self._servers, self._policy, self._deadline = servers, policy, deadline
        self._count = 0
        self._asked: Server | None = None

    def next(self) -> tuple[Server, float]:
        """The server of the next attempt, and its seconds."""
        self._count += 1
        self._asked = self._servers.next()
        return self._asked, max(self._deadline - time.monotonic(), 0.001)

    def failed(self, error: AssayError) -> float:
        """Seconds until the next attempt; raises the error where there is none."""
        delay = self._policy.delay_of_call(self._count, error)
        if delay is None or self._asked is None:
            raise error from None
        wait = self._servers.failed(self._asked, delay)
        if time.monotonic() + wait >= self._deadline:
            raise error from None
        return wait


def addresses(urls: str | Sequence[str] | None) -> list[str]:
    """The addresses of servers: a list, or text with commas between; None is the variable ASSAY_URL, or the port of `assay serve` here."""
    if urls is None:
        urls = os.environ.get("ASSAY_URL") or "http://127.0.0.1:8080"
    names = [one.strip() for one in urls.split(",")] if isinstance(urls, str) else list(urls)
    if not names:
        raise ValueError("no server was named; expected a URL such as http://127.0.0.1:8080")
    return names


def ended_early(server: Server) -> AssayError:
    """The error of a stream that ended with items unanswered."""
    return AssayError("SERVER_UNREACHABLE", f"{server.origin} ended the stream before its answers")


def _parse(url: str) -> tuple[str, bool, str]:
    if "://" not in url:
        url = f"http://{url}"
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(f"{url} is no address of a server; expected http://host:port or https://host:port")
    secure = parts.scheme == "https"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = parts.port or (443 if secure else 80)
    return f"dns:///{host}:{port}", secure, f"{parts.scheme}://{host}:{port}"
