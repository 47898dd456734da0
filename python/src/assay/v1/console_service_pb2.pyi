import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WatchFiguresRequest(_message.Message):
    __slots__ = ("interval",)
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    interval: _duration_pb2.Duration
    def __init__(self, interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class WatchFiguresResponse(_message.Message):
    __slots__ = ("taken_at", "server", "models", "protocols", "duration_bounds", "row_bounds")
    TAKEN_AT_FIELD_NUMBER: _ClassVar[int]
    SERVER_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    PROTOCOLS_FIELD_NUMBER: _ClassVar[int]
    DURATION_BOUNDS_FIELD_NUMBER: _ClassVar[int]
    ROW_BOUNDS_FIELD_NUMBER: _ClassVar[int]
    taken_at: _timestamp_pb2.Timestamp
    server: ServerFigures
    models: _containers.RepeatedCompositeFieldContainer[ModelFigures]
    protocols: _containers.RepeatedCompositeFieldContainer[ProtocolFigures]
    duration_bounds: _containers.RepeatedScalarFieldContainer[float]
    row_bounds: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, taken_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., server: _Optional[_Union[ServerFigures, _Mapping]] = ..., models: _Optional[_Iterable[_Union[ModelFigures, _Mapping]]] = ..., protocols: _Optional[_Iterable[_Union[ProtocolFigures, _Mapping]]] = ..., duration_bounds: _Optional[_Iterable[float]] = ..., row_bounds: _Optional[_Iterable[float]] = ...) -> None: ...

class ServerFigures(_message.Message):
    __slots__ = ("server_name", "server_version", "ready", "draining", "loading", "started_at", "connections", "open_calls", "request_memory_bytes", "request_memory_limit_bytes", "resident_bytes", "cpu_seconds")
    SERVER_NAME_FIELD_NUMBER: _ClassVar[int]
    SERVER_VERSION_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    LOADING_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    CONNECTIONS_FIELD_NUMBER: _ClassVar[int]
    OPEN_CALLS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_MEMORY_LIMIT_BYTES_FIELD_NUMBER: _ClassVar[int]
    RESIDENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    CPU_SECONDS_FIELD_NUMBER: _ClassVar[int]
    server_name: str
    server_version: str
    ready: bool
    draining: bool
    loading: bool
    started_at: _timestamp_pb2.Timestamp
    connections: int
    open_calls: int
    request_memory_bytes: int
    request_memory_limit_bytes: int
    resident_bytes: int
    cpu_seconds: float
    def __init__(self, server_name: _Optional[str] = ..., server_version: _Optional[str] = ..., ready: bool = ..., draining: bool = ..., loading: bool = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., connections: _Optional[int] = ..., open_calls: _Optional[int] = ..., request_memory_bytes: _Optional[int] = ..., request_memory_limit_bytes: _Optional[int] = ..., resident_bytes: _Optional[int] = ..., cpu_seconds: _Optional[float] = ...) -> None: ...

class ModelFigures(_message.Message):
    __slots__ = ("model_name", "model_version", "answered", "rows", "runs", "cancelled", "failures", "batch_ends", "stages", "durations", "batch_rows", "queued_rows", "queue_limit_rows", "running_rows")
    class FailuresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class BatchEndsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    ANSWERED_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    RUNS_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    BATCH_ENDS_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    DURATIONS_FIELD_NUMBER: _ClassVar[int]
    BATCH_ROWS_FIELD_NUMBER: _ClassVar[int]
    QUEUED_ROWS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_LIMIT_ROWS_FIELD_NUMBER: _ClassVar[int]
    RUNNING_ROWS_FIELD_NUMBER: _ClassVar[int]
    model_name: str
    model_version: str
    answered: int
    rows: int
    runs: int
    cancelled: int
    failures: _containers.ScalarMap[str, int]
    batch_ends: _containers.ScalarMap[str, int]
    stages: StageSeconds
    durations: HistogramFigures
    batch_rows: HistogramFigures
    queued_rows: int
    queue_limit_rows: int
    running_rows: int
    def __init__(self, model_name: _Optional[str] = ..., model_version: _Optional[str] = ..., answered: _Optional[int] = ..., rows: _Optional[int] = ..., runs: _Optional[int] = ..., cancelled: _Optional[int] = ..., failures: _Optional[_Mapping[str, int]] = ..., batch_ends: _Optional[_Mapping[str, int]] = ..., stages: _Optional[_Union[StageSeconds, _Mapping]] = ..., durations: _Optional[_Union[HistogramFigures, _Mapping]] = ..., batch_rows: _Optional[_Union[HistogramFigures, _Mapping]] = ..., queued_rows: _Optional[int] = ..., queue_limit_rows: _Optional[int] = ..., running_rows: _Optional[int] = ...) -> None: ...

class StageSeconds(_message.Message):
    __slots__ = ("input", "queue", "run", "output")
    INPUT_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    input: float
    queue: float
    run: float
    output: float
    def __init__(self, input: _Optional[float] = ..., queue: _Optional[float] = ..., run: _Optional[float] = ..., output: _Optional[float] = ...) -> None: ...

class HistogramFigures(_message.Message):
    __slots__ = ("counts", "sum")
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    SUM_FIELD_NUMBER: _ClassVar[int]
    counts: _containers.RepeatedScalarFieldContainer[int]
    sum: float
    def __init__(self, counts: _Optional[_Iterable[int]] = ..., sum: _Optional[float] = ...) -> None: ...

class ProtocolFigures(_message.Message):
    __slots__ = ("protocol", "succeeded", "failures")
    class FailuresEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    SUCCEEDED_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    protocol: str
    succeeded: int
    failures: _containers.ScalarMap[str, int]
    def __init__(self, protocol: _Optional[str] = ..., succeeded: _Optional[int] = ..., failures: _Optional[_Mapping[str, int]] = ...) -> None: ...
