"""Trains the `housing` model: a LightGBM regressor over a vector whose columns have names.

    python housing.py --data housing.csv --output ../../models

Data: California housing. The value is the median house value in dollars.
"""

import json

import lightgbm
import numpy as np
import pandas as pd
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

from repository import arguments, case, write_version

SEED = 2026
FEATURES = [
    "longitude",
    "latitude",
    "housing_median_age",
    "total_rooms",
    "total_bedrooms",
    "population",
    "households",
    "median_income",
]


def main() -> None:
    options = arguments("housing", "housing.csv")
    table = pd.read_csv(options.data)
    # float32 is what the exported model takes: training on it keeps each split on the side where ONNX will look.
    features = table[FEATURES].to_numpy(np.float32)
    model = lightgbm.LGBMRegressor(
        n_estimators=100, num_leaves=15, random_state=SEED, n_jobs=1, deterministic=True, verbose=-1
    ).fit(features, table["median_house_value"])

    exported = convert_lightgbm(
        model, name="housing", initial_types=[("features", FloatTensorType([None, len(FEATURES)]))]
    )
    # The converter drops the names of the columns; the metadata property keeps them with the file.
    exported.metadata_props.add(key="feature_names", value=json.dumps(FEATURES))

    def golden(rows: np.ndarray) -> dict:
        outputs = {"variable": model.predict(rows).astype(np.float32).reshape(-1, 1)}
        # A value is a sum of 100 leaves in the order of hundreds of thousands of dollars, kept in float32.
        return case({"features": rows}, outputs, tolerance=(0.5, 1e-5))

    missing = np.flatnonzero(np.isnan(features[:, FEATURES.index("total_bedrooms")]))
    cases = [
        golden(features[[0]]),
        golden(features[[1500, 4800, 8730, 12000, 16500, 20639]]),
        # A missing value is NaN; LightGBM and the export send it down the same branch.
        golden(features[[int(missing[0]), 42, int(missing[100])]]),
    ]
    write_version(options.output, "housing", exported, cases)


if __name__ == "__main__":
    main()
