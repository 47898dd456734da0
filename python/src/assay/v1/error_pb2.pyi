from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REASON_UNSPECIFIED: _ClassVar[Reason]
    INVALID_REQUEST: _ClassVar[Reason]
    MODEL_NOT_FOUND: _ClassVar[Reason]
    MODEL_VERSION_NOT_FOUND: _ClassVar[Reason]
    MODEL_NOT_READY: _ClassVar[Reason]
    QUEUE_FULL: _ClassVar[Reason]
    DEADLINE_EXCEEDED: _ClassVar[Reason]
    CANCELLED: _ClassVar[Reason]
    INSTANCE_LOST: _ClassVar[Reason]
    RUN_FAILED: _ClassVar[Reason]
    RUN_TIMEOUT: _ClassVar[Reason]
    MESSAGE_TOO_LARGE: _ClassVar[Reason]
    OUTPUT_TOO_LARGE: _ClassVar[Reason]
    SHUTTING_DOWN: _ClassVar[Reason]
    LIMIT_REACHED: _ClassVar[Reason]
    MODEL_INVALID: _ClassVar[Reason]
    CONFIG_INVALID: _ClassVar[Reason]
    DEVICE_UNAVAILABLE: _ClassVar[Reason]
    UNIMPLEMENTED: _ClassVar[Reason]
    INTERNAL: _ClassVar[Reason]
    TABLE_INVALID: _ClassVar[Reason]
    SERVER_UNREACHABLE: _ClassVar[Reason]
    REQUEST_TOO_LARGE: _ClassVar[Reason]
    ROWS_REFUSED: _ClassVar[Reason]
    MEMORY_FULL: _ClassVar[Reason]
    UNAUTHENTICATED: _ClassVar[Reason]
    PERMISSION_DENIED: _ClassVar[Reason]
    RATE_EXCEEDED: _ClassVar[Reason]
    IDENTITY_UNAVAILABLE: _ClassVar[Reason]
    FEATURES_UNAVAILABLE: _ClassVar[Reason]
REASON_UNSPECIFIED: Reason
INVALID_REQUEST: Reason
MODEL_NOT_FOUND: Reason
MODEL_VERSION_NOT_FOUND: Reason
MODEL_NOT_READY: Reason
QUEUE_FULL: Reason
DEADLINE_EXCEEDED: Reason
CANCELLED: Reason
INSTANCE_LOST: Reason
RUN_FAILED: Reason
RUN_TIMEOUT: Reason
MESSAGE_TOO_LARGE: Reason
OUTPUT_TOO_LARGE: Reason
SHUTTING_DOWN: Reason
LIMIT_REACHED: Reason
MODEL_INVALID: Reason
CONFIG_INVALID: Reason
DEVICE_UNAVAILABLE: Reason
UNIMPLEMENTED: Reason
INTERNAL: Reason
TABLE_INVALID: Reason
SERVER_UNREACHABLE: Reason
REQUEST_TOO_LARGE: Reason
ROWS_REFUSED: Reason
MEMORY_FULL: Reason
UNAUTHENTICATED: Reason
PERMISSION_DENIED: Reason
RATE_EXCEEDED: Reason
IDENTITY_UNAVAILABLE: Reason
FEATURES_UNAVAILABLE: Reason
