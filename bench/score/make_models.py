"""Trains the two models of the batch benchmark: lr30, a logistic regression, and gbdt30, 200 LightGBM trees; 30 floats in.

Usage: make_models.py FOLDER   (needs the packages of examples/training/requirements.txt)
"""

import pathlib
import sys

import numpy as np
from lightgbm import LGBMClassifier
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType as LightGbmFloats
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.linear_model import LogisticRegression

folder = pathlib.Path(sys.argv[1])
rng = np.random.default_rng(7)
features = rng.standard_normal((50_000, 30), dtype=np.float32)
signal = features[:, 0] * features[:, 1] + np.sin(features[:, 2] * 2) + features[:, 3:10].sum(axis=1) / 3
labels = (signal + rng.standard_normal(50_000) / 2 > 0).astype(np.int64)


def save(name: str, model: bytes) -> None:
    (folder / name / "1").mkdir(parents=True, exist_ok=True)
    (folder / name / "1" / "model.onnx").write_bytes(model)
    names = ", ".join(f'"f{i}"' for i in range(30))
    config = f'{{"inputs": [{{"name": "features", "feature_names": [{names}]}}]}}\n'
    (folder / name / "config.json").write_text(config)


regression = LogisticRegression(max_iter=200).fit(features, labels)
converted = to_onnx(regression, initial_types=[("features", FloatTensorType([None, 30]))], options={"zipmap": False})
save("lr30", converted.SerializeToString())

trees = LGBMClassifier(n_estimators=200, num_leaves=31, verbose=-1, n_jobs=2).fit(features, labels)
converted = convert_lightgbm(trees.booster_, initial_types=[("features", LightGbmFloats([None, 30]))], zipmap=False)
save("gbdt30", converted.SerializeToString())
