"""Client of Assay, a scoring server for ONNX models.

>>> import assay
>>> client = assay.Client("http://127.0.0.1:8080")
>>> client.predict("census", data_frame).scores
"""

from .aio import AsyncClient
from .client import Client
from .errors import AssayError, Violation
from .frames import score
from .retrying import RetryPolicy
from .scores import RowScore, Scores
from .scoring_function import ScoringFunction, udf
from .spark import map_in_arrow, scored_schema

__all__ = [
    "AssayError",
    "AsyncClient",
    "Client",
    "RetryPolicy",
    "RowScore",
    "Scores",
    "ScoringFunction",
    "Violation",
    "map_in_arrow",
    "score",
    "scored_schema",
    "udf",
]
__version__ = "0.1.0"
