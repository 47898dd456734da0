"""The one exception of this package, and how answers of servers become it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

_ROW = re.compile(r"^(?:rows|inputs\[\d+\]\.(?:raw_contents|contents\.\w+))\[(\d+)\]")
_COLUMN = re.compile(r'\.fields\["((?:[^"\\]|\\.)*)"\]')
_ELEMENT = re.compile(r"\.raw_contents\[\d+\]\[(\d+)\]$")
_INPUT = re.compile(r"^inputs\[(\d+)\]")

# What a code means where no ErrorInfo came: the call was answered by a proxy, or by nobody.
_REASONS = {
    "CANCELLED": "CANCELLED",
    "DEADLINE_EXCEEDED": "DEADLINE_EXCEEDED",
    "UNAVAILABLE": "SERVER_UNREACHABLE",
    "INVALID_ARGUMENT": "INVALID_REQUEST",
    "UNIMPLEMENTED": "UNIMPLEMENTED",
    "RESOURCE_EXHAUSTED": "MESSAGE_TOO_LARGE",
}


@dataclass(frozen=True)
class Violation:
    """One thing that is wrong with a request."""

    field: str
    """Where, as the schema names it: ``rows[2].fields["age"]``, ``inputs[0].shape``."""
    description: str
    rule: str = ""
    row: int | None = None
    """The row of the data that was given; None where it concerns all of it."""
    column: str | None = None
    """The column or input; None where it concerns none."""


class AssayError(Exception):
    """Why a call, or the rows of one, got no scores."""

    def __init__(
        self,
        reason: str,
        message: str | None = None,
        *,
        code: str = "",
        violations: Iterable[Violation] = (),
        violation_count: int = 0,
        retry_delay: float | None = None,
    ) -> None:
        if message is None:
            # Engines such as polars make an error anew from its text.
            named, separator, rest = reason.partition(": ")
            reason, message = (named, rest) if separator and named.replace("_", "").isupper() else ("INTERNAL", reason)
        super().__init__(message)
        self.reason = reason
        """A name of ``assay.v1.Reason``: ``INVALID_REQUEST``, ``QUEUE_FULL``, … (docs/errors.md)."""
        self.message = message
        self.code = code
        """The gRPC code's name; empty where nothing was sent."""
        self.violations = tuple(violations)
        """Each rule that is broken, where the reason is ``INVALID_REQUEST``."""
        self.violation_count = max(violation_count, len(self.violations))
        """How many there are; those that are listed may be fewer."""
        self.retry_delay = retry_delay
        """Seconds after which the same may succeed; None where the server named none."""

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"

    def __reduce__(self) -> tuple[Any, ...]:
        # Spark and multiprocessing carry errors between processes.
        return _rebuilt, (self.reason, self.message, self.code, self.violations, self.violation_count, self.retry_delay)


def _rebuilt(
    reason: str, message: str, code: str, violations: tuple[Violation, ...], count: int, delay: float | None
) -> AssayError:
    return AssayError(
        reason, message, code=code, violations=violations, violation_count=count, retry_delay=delay
    )


def from_rpc(error: Any, origin: str) -> AssayError:
    """The error of a call; ``origin`` is the server's address."""
    code = error.code() if hasattr(error, "code") else None
    name = code.name if code is not None else "UNKNOWN"
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status = status_pb2.Status.FromString(value)
            found = from_status(status)
            if found.reason != "INTERNAL" or status.details:
                return found
    reason = _REASONS.get(name, "INTERNAL")
    return AssayError(reason, f"{origin}: {error.details() or name}", code=name)


def from_status(status: Any) -> AssayError:
    """The error of a google.rpc.Status, as calls and items of streams have it."""
    name = next((one.name for one in grpc.StatusCode if one.value[0] == status.code), "UNKNOWN")
    reason = _REASONS.get(name, "INTERNAL")
    count = 0
    delay = None
    violations: list[Violation] = []
    info = error_details_pb2.ErrorInfo()
    bad = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    for detail in status.details:
        if detail.Unpack(info):
            reason = info.reason
            count = int(info.metadata.get("violation_count", "0"))
        elif detail.Unpack(bad):
            violations += [_violation(one) for one in bad.field_violations]
        elif detail.Unpack(retry):
            delay = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
    return AssayError(
        reason,
        status.message,
        code=name,
        violations=violations,
        violation_count=count,
        retry_delay=delay,
    )


def _violation(one: Any) -> Violation:
    row = _ROW.match(one.field)
    column = _COLUMN.search(one.field)
    return Violation(
        field=one.field,
        description=one.description,
        rule=one.reason,
        row=int(row[1]) if row else None,
        column=re.sub(r"\\(.)", r"\1", column[1]) if column else None,
    )


def named(error: AssayError, inputs: list[tuple[str, list[str]]]) -> AssayError:
    """The same error, whose violations name the inputs that they are about, or the columns of these."""

    def with_name(one: Violation) -> Violation:
        place = _INPUT.match(one.field)
        if one.column is not None or place is None or int(place[1]) >= len(inputs):
            return one
        name, columns = inputs[int(place[1])]
        element = _ELEMENT.search(one.field)
        at = int(element[1]) if element else -1
        return replace(one, column=columns[at] if 0 <= at < len(columns) else name)

    error.violations = tuple(with_name(one) for one in error.violations)
    return error
