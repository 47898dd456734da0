from assay.config.v1 import model_config_pb2 as _model_config_pb2
from assay.v1 import scoring_service_pb2 as _scoring_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ModelState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MODEL_STATE_UNSPECIFIED: _ClassVar[ModelState]
    LOADING: _ClassVar[ModelState]
    READY: _ClassVar[ModelState]
    FAILED: _ClassVar[ModelState]
    UNAVAILABLE: _ClassVar[ModelState]
    UNLOADED: _ClassVar[ModelState]

class BatchingMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BATCHING_MODE_UNSPECIFIED: _ClassVar[BatchingMode]
    ACROSS_REQUESTS: _ClassVar[BatchingMode]
    WITHIN_REQUEST: _ClassVar[BatchingMode]
    SINGLE_ROWS: _ClassVar[BatchingMode]
    NO_BATCH_DIMENSION: _ClassVar[BatchingMode]
MODEL_STATE_UNSPECIFIED: ModelState
LOADING: ModelState
READY: ModelState
FAILED: ModelState
UNAVAILABLE: ModelState
UNLOADED: ModelState
BATCHING_MODE_UNSPECIFIED: BatchingMode
ACROSS_REQUESTS: BatchingMode
WITHIN_REQUEST: BatchingMode
SINGLE_ROWS: BatchingMode
NO_BATCH_DIMENSION: BatchingMode

class ListModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models",)
    MODELS_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[ModelSummary]
    def __init__(self, models: _Optional[_Iterable[_Union[ModelSummary, _Mapping]]] = ...) -> None: ...

class ModelSummary(_message.Message):
    __slots__ = ("model_name", "model_version", "state", "state_reason", "changed_files", "version_labels", "is_default", "update_failure")
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_REASON_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FILES_FIELD_NUMBER: _ClassVar[int]
    VERSION_LABELS_FIELD_NUMBER: _ClassVar[int]
    IS_DEFAULT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FAILURE_FIELD_NUMBER: _ClassVar[int]
    model_name: str
    model_version: str
    state: ModelState
    state_reason: str
    changed_files: _containers.RepeatedScalarFieldContainer[str]
    version_labels: _containers.RepeatedScalarFieldContainer[str]
    is_default: bool
    update_failure: str
    def __init__(self, model_name: _Optional[str] = ..., model_version: _Optional[str] = ..., state: _Optional[_Union[ModelState, str]] = ..., state_reason: _Optional[str] = ..., changed_files: _Optional[_Iterable[str]] = ..., version_labels: _Optional[_Iterable[str]] = ..., is_default: bool = ..., update_failure: _Optional[str] = ...) -> None: ...

class GetModelRequest(_message.Message):
    __slots__ = ("model_name", "model_version")
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    model_name: str
    model_version: str
    def __init__(self, model_name: _Optional[str] = ..., model_version: _Optional[str] = ...) -> None: ...

class GetModelResponse(_message.Message):
    __slots__ = ("model", "versions")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    model: Model
    versions: _containers.RepeatedCompositeFieldContainer[ModelSummary]
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ..., versions: _Optional[_Iterable[_Union[ModelSummary, _Mapping]]] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("model_name", "model_version", "state", "state_reason", "inputs", "outputs", "score_output", "labels", "repairs", "notices", "devices", "batching", "config", "sha256", "file_bytes", "ir_version", "opset_imports", "producer", "example_request", "label_output", "changed_files", "tree_kernel", "version_labels", "is_default", "update_failure", "golden_cases")
    MODEL_NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_REASON_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    SCORE_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    REPAIRS_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    DEVICES_FIELD_NUMBER: _ClassVar[int]
    BATCHING_FIELD_NUMBER: _ClassVar[int]
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    FILE_BYTES_FIELD_NUMBER: _ClassVar[int]
    IR_VERSION_FIELD_NUMBER: _ClassVar[int]
    OPSET_IMPORTS_FIELD_NUMBER: _ClassVar[int]
    PRODUCER_FIELD_NUMBER: _ClassVar[int]
    EXAMPLE_REQUEST_FIELD_NUMBER: _ClassVar[int]
    LABEL_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FILES_FIELD_NUMBER: _ClassVar[int]
    TREE_KERNEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_LABELS_FIELD_NUMBER: _ClassVar[int]
    IS_DEFAULT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FAILURE_FIELD_NUMBER: _ClassVar[int]
    GOLDEN_CASES_FIELD_NUMBER: _ClassVar[int]
    model_name: str
    model_version: str
    state: ModelState
    state_reason: str
    inputs: _containers.RepeatedCompositeFieldContainer[TensorSpec]
    outputs: _containers.RepeatedCompositeFieldContainer[TensorSpec]
    score_output: str
    labels: _containers.RepeatedScalarFieldContainer[str]
    repairs: _containers.RepeatedCompositeFieldContainer[Repair]
    notices: _containers.RepeatedScalarFieldContainer[str]
    devices: _containers.RepeatedScalarFieldContainer[str]
    batching: BatchingMode
    config: _model_config_pb2.ModelConfig
    sha256: str
    file_bytes: int
    ir_version: int
    opset_imports: _containers.RepeatedCompositeFieldContainer[OpsetImport]
    producer: str
    example_request: _scoring_service_pb2.PredictRequest
    label_output: str
    changed_files: _containers.RepeatedScalarFieldContainer[str]
    tree_kernel: TreeKernelUse
    version_labels: _containers.RepeatedScalarFieldContainer[str]
    is_default: bool
    update_failure: str
    golden_cases: int
    def __init__(self, model_name: _Optional[str] = ..., model_version: _Optional[str] = ..., state: _Optional[_Union[ModelState, str]] = ..., state_reason: _Optional[str] = ..., inputs: _Optional[_Iterable[_Union[TensorSpec, _Mapping]]] = ..., outputs: _Optional[_Iterable[_Union[TensorSpec, _Mapping]]] = ..., score_output: _Optional[str] = ..., labels: _Optional[_Iterable[str]] = ..., repairs: _Optional[_Iterable[_Union[Repair, _Mapping]]] = ..., notices: _Optional[_Iterable[str]] = ..., devices: _Optional[_Iterable[str]] = ..., batching: _Optional[_Union[BatchingMode, str]] = ..., config: _Optional[_Union[_model_config_pb2.ModelConfig, _Mapping]] = ..., sha256: _Optional[str] = ..., file_bytes: _Optional[int] = ..., ir_version: _Optional[int] = ..., opset_imports: _Optional[_Iterable[_Union[OpsetImport, _Mapping]]] = ..., producer: _Optional[str] = ..., example_request: _Optional[_Union[_scoring_service_pb2.PredictRequest, _Mapping]] = ..., label_output: _Optional[str] = ..., changed_files: _Optional[_Iterable[str]] = ..., tree_kernel: _Optional[_Union[TreeKernelUse, _Mapping]] = ..., version_labels: _Optional[_Iterable[str]] = ..., is_default: bool = ..., update_failure: _Optional[str] = ..., golden_cases: _Optional[int] = ...) -> None: ...

class TreeKernelUse(_message.Message):
    __slots__ = ("used", "reason")
    USED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    used: bool
    reason: str
    def __init__(self, used: bool = ..., reason: _Optional[str] = ...) -> None: ...

class TensorSpec(_message.Message):
    __slots__ = ("name", "datatype", "shape", "optional", "feature_names", "labels", "aliases", "categories")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DATATYPE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    OPTIONAL_FIELD_NUMBER: _ClassVar[int]
    FEATURE_NAMES_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    name: str
    datatype: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    optional: bool
    feature_names: _containers.RepeatedScalarFieldContainer[str]
    labels: _containers.RepeatedScalarFieldContainer[str]
    aliases: _containers.RepeatedScalarFieldContainer[str]
    categories: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., datatype: _Optional[str] = ..., shape: _Optional[_Iterable[int]] = ..., optional: bool = ..., feature_names: _Optional[_Iterable[str]] = ..., labels: _Optional[_Iterable[str]] = ..., aliases: _Optional[_Iterable[str]] = ..., categories: _Optional[_Iterable[str]] = ...) -> None: ...

class Repair(_message.Message):
    __slots__ = ("kind", "target", "description")
    KIND_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    kind: str
    target: str
    description: str
    def __init__(self, kind: _Optional[str] = ..., target: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class OpsetImport(_message.Message):
    __slots__ = ("domain", "version")
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    domain: str
    version: int
    def __init__(self, domain: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...
