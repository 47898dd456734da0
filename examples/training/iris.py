"""Trains the `iris` model: a logistic regression over one plain `features` vector.

    python iris.py --output ../../models

Data: iris as scikit-learn ships it; nothing is read from `--data`.
"""

import numpy as np
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from repository import arguments, case, write_version

SEED = 2026


def main() -> None:
    options = arguments("iris")
    table = load_iris()
    species = np.array([str(name) for name in table.target_names], dtype=object)[table.target]
    features = table.data.astype(np.float32)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000, random_state=SEED)).fit(features, species)

    # The shape says that any number of rows may come; the name is the one that PredictRequest.features stands for.
    exported = to_onnx(model, initial_types=[("features", FloatTensorType([None, 4]))], options={"zipmap": False})

    def golden(rows: np.ndarray) -> dict:
        outputs = {
            "label": model.predict(rows),
            "probabilities": model.predict_proba(rows).astype(np.float32),
        }
        return case({"features": rows}, outputs, tolerance=(1e-5, 1e-4))

    cases = [golden(features[[0]]), golden(features[[57, 77, 106, 133]]), golden(features[[24, 70, 83, 119, 148]])]
    write_version(options.output, "iris", exported, cases)


if __name__ == "__main__":
    main()
