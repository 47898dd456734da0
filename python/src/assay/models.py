"""What is known of models: descriptions that are asked for once, and what follows from them."""

from __future__ import annotations

import time
from typing import Any

from .errors import AssayError
from .v1 import model_service_pb2 as pb

FRESH_SECONDS = 30.0


class KnownModels:
    """Descriptions by name and version, each kept for half a minute."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], tuple[float, Any]] = {}

    def get(self, name: str, version: str) -> Any:
        """A description; None where it is to be asked for."""
        since, model = self._found.get((name, version), (0.0, None))
        return model if time.monotonic() - since < FRESH_SECONDS else None

    def keep(self, name: str, version: str, model: Any) -> None:
        """Remembers a description."""
        self._found[name, version] = (time.monotonic(), model)

    def forget(self, name: str, version: str) -> None:
        """Lets the next call ask again."""
        self._found.pop((name, version), None)


def ready_model(answer: Any) -> Any:
    """The model of a GetModelResponse; raises where it takes no requests."""
    model = answer.model
    what = f"{model.model_name} version {model.model_version}"
    if model.state == pb.READY:
        return model
    if model.state == pb.FAILED:
        raise AssayError("MODEL_INVALID", f"the server does not serve {what}: {model.state_reason}")
    said = model.state_reason or "it has no live instance at the moment"
    raise AssayError("MODEL_NOT_READY", f"{what} takes no requests yet: {said}", code="UNAVAILABLE", retry_delay=0.2)


def probability_output(model: Any) -> str:
    """The output that holds a column for each class. Raises where the model has none."""
    for spec in model.outputs:
        if len(spec.labels) > 0:
            return str(spec.name)
    raise AssayError("INVALID_REQUEST", f"{model.model_name} has no output with a probability for each class")
