import datetime

from assay.v1 import tensor_pb2 as _tensor_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.rpc import error_details_pb2 as _error_details_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PredictRequest(_message.Message):
    __slots__ = ("model_name", "model_version", "request_id", "features", "inputs", "rows", "output_names", "explain_features")
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_NAMES_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FEATURES_FIELD_NUMBER: _ClassVar[int]
    model_name: str
    model_version: str
    request_id: str
    features: _containers.RepeatedScalarFieldContainer[float]
    inputs: _containers.RepeatedCompositeFieldContainer[_tensor_pb2.Tensor]
    rows: _containers.RepeatedCompositeFieldContainer[_struct_pb2.Struct]
    output_names: _containers.RepeatedScalarFieldContainer[str]
    explain_features: bool
    def __init__(self, model_name: _Optional[str] = ..., model_version: _Optional[str] = ..., request_id: _Optional[str] = ..., features: _Optional[_Iterable[float]] = ..., inputs: _Optional[_Iterable[_Union[_tensor_pb2.Tensor, _Mapping]]] = ..., rows: _Optional[_Iterable[_Union[_struct_pb2.Struct, _Mapping]]] = ..., output_names: _Optional[_Iterable[str]] = ..., explain_features: bool = ...) -> None: ...

class PredictResponse(_message.Message):
    __slots__ = ("model_name", "model_version", "request_id", "scores", "labels", "outputs", "feature_report")
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    FEATURE_REPORT_FIELD_NUMBER: _ClassVar[int]
    model_name: str
    model_version: str
    request_id: str
    scores: _containers.RepeatedScalarFieldContainer[float]
    labels: _containers.RepeatedScalarFieldContainer[str]
    outputs: _containers.RepeatedCompositeFieldContainer[_tensor_pb2.Tensor]
    feature_report: FeatureReport
    def __init__(self, model_name: _Optional[str] = ..., model_version: _Optional[str] = ..., request_id: _Optional[str] = ..., scores: _Optional[_Iterable[float]] = ..., labels: _Optional[_Iterable[str]] = ..., outputs: _Optional[_Iterable[_Union[_tensor_pb2.Tensor, _Mapping]]] = ..., feature_report: _Optional[_Union[FeatureReport, _Mapping]] = ...) -> None: ...

class FeatureReport(_message.Message):
    __slots__ = ("columns",)
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    columns: _containers.RepeatedCompositeFieldContainer[FeatureOrigin]
    def __init__(self, columns: _Optional[_Iterable[_Union[FeatureOrigin, _Mapping]]] = ...) -> None: ...

class FeatureOrigin(_message.Message):
    __slots__ = ("column", "source", "age_ms")
    class From(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        FROM_UNSPECIFIED: _ClassVar[FeatureOrigin.From]
        REQUEST: _ClassVar[FeatureOrigin.From]
        STORE: _ClassVar[FeatureOrigin.From]
        CACHE: _ClassVar[FeatureOrigin.From]
        DEFAULT: _ClassVar[FeatureOrigin.From]
        MISSING: _ClassVar[FeatureOrigin.From]
    FROM_UNSPECIFIED: FeatureOrigin.From
    REQUEST: FeatureOrigin.From
    STORE: FeatureOrigin.From
    CACHE: FeatureOrigin.From
    DEFAULT: FeatureOrigin.From
    MISSING: FeatureOrigin.From
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    AGE_MS_FIELD_NUMBER: _ClassVar[int]
    column: str
    source: str
    age_ms: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, column: _Optional[str] = ..., source: _Optional[str] = ..., age_ms: _Optional[_Iterable[int]] = ..., **kwargs) -> None: ...

class PredictStreamRequest(_message.Message):
    __slots__ = ("item_id", "request", "options")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    item_id: int
    request: PredictRequest
    options: StreamOptions
    def __init__(self, item_id: _Optional[int] = ..., request: _Optional[_Union[PredictRequest, _Mapping]] = ..., options: _Optional[_Union[StreamOptions, _Mapping]] = ...) -> None: ...

class StreamOptions(_message.Message):
    __slots__ = ("unordered", "lane")
    class Lane(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        LANE_UNSPECIFIED: _ClassVar[StreamOptions.Lane]
        INTERACTIVE: _ClassVar[StreamOptions.Lane]
        BULK: _ClassVar[StreamOptions.Lane]
    LANE_UNSPECIFIED: StreamOptions.Lane
    INTERACTIVE: StreamOptions.Lane
    BULK: StreamOptions.Lane
    UNORDERED_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    unordered: bool
    lane: StreamOptions.Lane
    def __init__(self, unordered: bool = ..., lane: _Optional[_Union[StreamOptions.Lane, str]] = ...) -> None: ...

class PredictStreamResponse(_message.Message):
    __slots__ = ("item_id", "response", "status", "error")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    item_id: int
    response: PredictResponse
    status: _status_pb2.Status
    error: ItemError
    def __init__(self, item_id: _Optional[int] = ..., response: _Optional[_Union[PredictResponse, _Mapping]] = ..., status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., error: _Optional[_Union[ItemError, _Mapping]] = ...) -> None: ...

class ItemError(_message.Message):
    __slots__ = ("reason", "violations", "violation_count", "retry_delay")
    REASON_FIELD_NUMBER: _ClassVar[int]
    VIOLATIONS_FIELD_NUMBER: _ClassVar[int]
    VIOLATION_COUNT_FIELD_NUMBER: _ClassVar[int]
    RETRY_DELAY_FIELD_NUMBER: _ClassVar[int]
    reason: str
    violations: _containers.RepeatedCompositeFieldContainer[_error_details_pb2.BadRequest.FieldViolation]
    violation_count: int
    retry_delay: _duration_pb2.Duration
    def __init__(self, reason: _Optional[str] = ..., violations: _Optional[_Iterable[_Union[_error_details_pb2.BadRequest.FieldViolation, _Mapping]]] = ..., violation_count: _Optional[int] = ..., retry_delay: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class PredictRowsRequest(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[PredictStreamRequest]
    def __init__(self, items: _Optional[_Iterable[_Union[PredictStreamRequest, _Mapping]]] = ...) -> None: ...
