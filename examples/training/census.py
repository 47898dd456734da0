"""Trains the `census` model: a gradient-boosted pipeline over columns of strings and numbers, one model input a column.

    python census.py --data adult.data --output ../../models

Data: UCI Adult. The label is whether somebody earns more than 50,000 dollars a year.
The export is what skl2onnx gives by default: it ends in a ZipMap, and column names become C identifiers
(`education-num` is the input `education_num`).
"""

import numpy as np
import pandas as pd
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from repository import arguments, case, write_version

SEED = 2026
COLUMNS = [
    "age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation", "relationship",
    "race", "sex", "capital-gain", "capital-loss", "hours-per-week", "native-country", "income",
]  # fmt: skip
WHOLE_NUMBERS = ["age", "education-num", "hours-per-week"]
AMOUNTS = ["capital-gain", "capital-loss"]
CATEGORIES = ["workclass", "marital-status", "occupation", "relationship", "sex"]


def read_census(path) -> pd.DataFrame:
    """The table as it came: `?` is a category of its own, amounts are floating point."""
    table = pd.read_csv(path, names=COLUMNS, skipinitialspace=True)
    table[CATEGORIES] = table[CATEGORIES].astype(object)
    table[WHOLE_NUMBERS] = table[WHOLE_NUMBERS].astype(np.int64)
    table[AMOUNTS] = table[AMOUNTS].astype(np.float32)
    return table


def main() -> None:
    options = arguments("census", "adult.data")
    table = read_census(options.data)
    columns = WHOLE_NUMBERS + AMOUNTS + CATEGORIES
    model = Pipeline(
        [
            (
                "columns",
                ColumnTransformer(
                    [
                        ("categories", OneHotEncoder(handle_unknown="ignore", sparse_output=False), CATEGORIES),
                        ("numbers", "passthrough", WHOLE_NUMBERS + AMOUNTS),
                    ]
                ),
            ),
            ("boosting", GradientBoostingClassifier(n_estimators=100, max_depth=3, random_state=SEED)),
        ]
    ).fit(table[columns], table["income"].astype(object))

    types = {name: Int64TensorType([None, 1]) for name in WHOLE_NUMBERS}
    types |= {name: FloatTensorType([None, 1]) for name in AMOUNTS}
    types |= {name: StringTensorType([None, 1]) for name in CATEGORIES}
    exported = to_onnx(model, name="census", initial_types=[(name, types[name]) for name in columns])
    classes = [str(name) for name in model.classes_]

    def golden(rows: pd.DataFrame) -> dict:
        inputs = {name.replace("-", "_"): rows[[name]].to_numpy() for name in columns}
        outputs = {
            "output_label": model.predict(rows).astype(object),
            "output_probability": model.predict_proba(rows).astype(np.float32),
        }
        return case(inputs, outputs, tolerance=(1e-5, 1e-4), labels={"output_probability": classes})

    # Row 27 has `?` for workclass and occupation; both labels occur in each case of several rows.
    cases = [
        golden(table[columns].iloc[[0]]),
        golden(table[columns].iloc[[4, 7, 8, 9, 11, 27]]),
        golden(table[columns].iloc[[10, 52, 61, 84, 101]]),
    ]
    write_version(options.output, "census", exported, cases)


if __name__ == "__main__":
    main()
