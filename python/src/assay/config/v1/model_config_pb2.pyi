from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TreeKernel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TREE_KERNEL_UNSPECIFIED: _ClassVar[TreeKernel]
    AUTO: _ClassVar[TreeKernel]
    OFF: _ClassVar[TreeKernel]
TREE_KERNEL_UNSPECIFIED: TreeKernel
AUTO: TreeKernel
OFF: TreeKernel

class ModelConfig(_message.Message):
    __slots__ = ("max_batch_size", "dynamic_batching", "instance_group", "score_output", "inputs", "ignore_unknown_columns", "labels", "max_queue_rows", "max_queue_bytes", "run_timeout_ms", "label_output", "isolation", "tree_kernel", "version_policy", "version_labels", "default_version", "feature_sources")
    class VersionLabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    MAX_BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    DYNAMIC_BATCHING_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_GROUP_FIELD_NUMBER: _ClassVar[int]
    SCORE_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    IGNORE_UNKNOWN_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    MAX_QUEUE_ROWS_FIELD_NUMBER: _ClassVar[int]
    MAX_QUEUE_BYTES_FIELD_NUMBER: _ClassVar[int]
    RUN_TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    LABEL_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    ISOLATION_FIELD_NUMBER: _ClassVar[int]
    TREE_KERNEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_POLICY_FIELD_NUMBER: _ClassVar[int]
    VERSION_LABELS_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_VERSION_FIELD_NUMBER: _ClassVar[int]
    FEATURE_SOURCES_FIELD_NUMBER: _ClassVar[int]
    max_batch_size: int
    dynamic_batching: DynamicBatching
    instance_group: _containers.RepeatedCompositeFieldContainer[InstanceGroup]
    score_output: str
    inputs: _containers.RepeatedCompositeFieldContainer[InputConfig]
    ignore_unknown_columns: bool
    labels: _containers.RepeatedScalarFieldContainer[str]
    max_queue_rows: int
    max_queue_bytes: int
    run_timeout_ms: int
    label_output: str
    isolation: str
    tree_kernel: TreeKernel
    version_policy: VersionPolicy
    version_labels: _containers.ScalarMap[str, int]
    default_version: str
    feature_sources: _containers.RepeatedCompositeFieldContainer[FeatureSource]
    def __init__(self, max_batch_size: _Optional[int] = ..., dynamic_batching: _Optional[_Union[DynamicBatching, _Mapping]] = ..., instance_group: _Optional[_Iterable[_Union[InstanceGroup, _Mapping]]] = ..., score_output: _Optional[str] = ..., inputs: _Optional[_Iterable[_Union[InputConfig, _Mapping]]] = ..., ignore_unknown_columns: bool = ..., labels: _Optional[_Iterable[str]] = ..., max_queue_rows: _Optional[int] = ..., max_queue_bytes: _Optional[int] = ..., run_timeout_ms: _Optional[int] = ..., label_output: _Optional[str] = ..., isolation: _Optional[str] = ..., tree_kernel: _Optional[_Union[TreeKernel, str]] = ..., version_policy: _Optional[_Union[VersionPolicy, _Mapping]] = ..., version_labels: _Optional[_Mapping[str, int]] = ..., default_version: _Optional[str] = ..., feature_sources: _Optional[_Iterable[_Union[FeatureSource, _Mapping]]] = ...) -> None: ...

class FeatureSource(_message.Message):
    __slots__ = ("name", "keys", "columns", "redis", "table", "max_age_ms", "cache_ms", "cache_rows", "cache_bytes", "timeout_ms", "on_missing_key", "on_missing_column", "on_unavailable", "time_column")
    class Absent(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ABSENT_UNSPECIFIED: _ClassVar[FeatureSource.Absent]
        REJECT: _ClassVar[FeatureSource.Absent]
        MISSING: _ClassVar[FeatureSource.Absent]
        DEFAULT: _ClassVar[FeatureSource.Absent]
    ABSENT_UNSPECIFIED: FeatureSource.Absent
    REJECT: FeatureSource.Absent
    MISSING: FeatureSource.Absent
    DEFAULT: FeatureSource.Absent
    NAME_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    REDIS_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    MAX_AGE_MS_FIELD_NUMBER: _ClassVar[int]
    CACHE_MS_FIELD_NUMBER: _ClassVar[int]
    CACHE_ROWS_FIELD_NUMBER: _ClassVar[int]
    CACHE_BYTES_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    ON_MISSING_KEY_FIELD_NUMBER: _ClassVar[int]
    ON_MISSING_COLUMN_FIELD_NUMBER: _ClassVar[int]
    ON_UNAVAILABLE_FIELD_NUMBER: _ClassVar[int]
    TIME_COLUMN_FIELD_NUMBER: _ClassVar[int]
    name: str
    keys: _containers.RepeatedScalarFieldContainer[str]
    columns: _containers.RepeatedCompositeFieldContainer[FeatureColumn]
    redis: RedisFeatures
    table: TableFeatures
    max_age_ms: int
    cache_ms: int
    cache_rows: int
    cache_bytes: int
    timeout_ms: int
    on_missing_key: FeatureSource.Absent
    on_missing_column: FeatureSource.Absent
    on_unavailable: FeatureSource.Absent
    time_column: str
    def __init__(self, name: _Optional[str] = ..., keys: _Optional[_Iterable[str]] = ..., columns: _Optional[_Iterable[_Union[FeatureColumn, _Mapping]]] = ..., redis: _Optional[_Union[RedisFeatures, _Mapping]] = ..., table: _Optional[_Union[TableFeatures, _Mapping]] = ..., max_age_ms: _Optional[int] = ..., cache_ms: _Optional[int] = ..., cache_rows: _Optional[int] = ..., cache_bytes: _Optional[int] = ..., timeout_ms: _Optional[int] = ..., on_missing_key: _Optional[_Union[FeatureSource.Absent, str]] = ..., on_missing_column: _Optional[_Union[FeatureSource.Absent, str]] = ..., on_unavailable: _Optional[_Union[FeatureSource.Absent, str]] = ..., time_column: _Optional[str] = ...) -> None: ...

class FeatureColumn(_message.Message):
    __slots__ = ("name", "stored_as", "default_value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    STORED_AS_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    stored_as: str
    default_value: _struct_pb2.Value
    def __init__(self, name: _Optional[str] = ..., stored_as: _Optional[str] = ..., default_value: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ...) -> None: ...

class RedisFeatures(_message.Message):
    __slots__ = ("url", "url_env", "key", "tls_ca_file")
    URL_FIELD_NUMBER: _ClassVar[int]
    URL_ENV_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    TLS_CA_FILE_FIELD_NUMBER: _ClassVar[int]
    url: str
    url_env: str
    key: str
    tls_ca_file: str
    def __init__(self, url: _Optional[str] = ..., url_env: _Optional[str] = ..., key: _Optional[str] = ..., tls_ca_file: _Optional[str] = ...) -> None: ...

class TableFeatures(_message.Message):
    __slots__ = ("path", "table")
    PATH_FIELD_NUMBER: _ClassVar[int]
    TABLE_FIELD_NUMBER: _ClassVar[int]
    path: str
    table: str
    def __init__(self, path: _Optional[str] = ..., table: _Optional[str] = ...) -> None: ...

class VersionPolicy(_message.Message):
    __slots__ = ("latest", "all", "specific")
    class Latest(_message.Message):
        __slots__ = ("num_versions",)
        NUM_VERSIONS_FIELD_NUMBER: _ClassVar[int]
        num_versions: int
        def __init__(self, num_versions: _Optional[int] = ...) -> None: ...
    class All(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class Specific(_message.Message):
        __slots__ = ("versions",)
        VERSIONS_FIELD_NUMBER: _ClassVar[int]
        versions: _containers.RepeatedScalarFieldContainer[int]
        def __init__(self, versions: _Optional[_Iterable[int]] = ...) -> None: ...
    LATEST_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    SPECIFIC_FIELD_NUMBER: _ClassVar[int]
    latest: VersionPolicy.Latest
    all: VersionPolicy.All
    specific: VersionPolicy.Specific
    def __init__(self, latest: _Optional[_Union[VersionPolicy.Latest, _Mapping]] = ..., all: _Optional[_Union[VersionPolicy.All, _Mapping]] = ..., specific: _Optional[_Union[VersionPolicy.Specific, _Mapping]] = ...) -> None: ...

class DynamicBatching(_message.Message):
    __slots__ = ("max_queue_delay_microseconds",)
    MAX_QUEUE_DELAY_MICROSECONDS_FIELD_NUMBER: _ClassVar[int]
    max_queue_delay_microseconds: int
    def __init__(self, max_queue_delay_microseconds: _Optional[int] = ...) -> None: ...

class InstanceGroup(_message.Message):
    __slots__ = ("kind", "count", "gpus")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[InstanceGroup.Kind]
        KIND_AUTO: _ClassVar[InstanceGroup.Kind]
        KIND_GPU: _ClassVar[InstanceGroup.Kind]
        KIND_CPU: _ClassVar[InstanceGroup.Kind]
    KIND_UNSPECIFIED: InstanceGroup.Kind
    KIND_AUTO: InstanceGroup.Kind
    KIND_GPU: InstanceGroup.Kind
    KIND_CPU: InstanceGroup.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    GPUS_FIELD_NUMBER: _ClassVar[int]
    kind: InstanceGroup.Kind
    count: int
    gpus: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, kind: _Optional[_Union[InstanceGroup.Kind, str]] = ..., count: _Optional[int] = ..., gpus: _Optional[_Iterable[int]] = ...) -> None: ...

class InputConfig(_message.Message):
    __slots__ = ("name", "feature_names", "nan", "aliases")
    class NanPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        NAN_POLICY_UNSPECIFIED: _ClassVar[InputConfig.NanPolicy]
        ALLOW: _ClassVar[InputConfig.NanPolicy]
        REJECT: _ClassVar[InputConfig.NanPolicy]
    NAN_POLICY_UNSPECIFIED: InputConfig.NanPolicy
    ALLOW: InputConfig.NanPolicy
    REJECT: InputConfig.NanPolicy
    NAME_FIELD_NUMBER: _ClassVar[int]
    FEATURE_NAMES_FIELD_NUMBER: _ClassVar[int]
    NAN_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    name: str
    feature_names: _containers.RepeatedScalarFieldContainer[str]
    nan: InputConfig.NanPolicy
    aliases: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., feature_names: _Optional[_Iterable[str]] = ..., nan: _Optional[_Union[InputConfig.NanPolicy, str]] = ..., aliases: _Optional[_Iterable[str]] = ...) -> None: ...
