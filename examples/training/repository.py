"""Writes one version of a model into a repository folder: `<output>/<name>/1/` with `model.onnx` and `golden.json`.

Golden rows are Open Inference JSON: inputs as they are sent, outputs as the training library predicts them. Nothing
here runs ONNX Runtime; Assay compares its own answers with these rows before a version takes traffic.
"""

import argparse
import json
from pathlib import Path

import numpy as np

# NumPy's dtype to the Open Inference datatype.
DATATYPES = {
    "bool": "BOOL",
    "float32": "FP32",
    "float64": "FP64",
    "int32": "INT32",
    "int64": "INT64",
    "object": "BYTES",
}

HERE = Path(__file__).resolve().parent


def arguments(name: str, table: str = "") -> argparse.Namespace:
    """Reads `--output` (the model repository), and `--data` (the table; README.md says where it comes from) where there is one."""
    parser = argparse.ArgumentParser(description=f"Trains and exports the {name} model.")
    if table:
        parser.add_argument("--data", type=Path, required=True, metavar="FILE", help=f"{table}, see README.md")
    parser.add_argument("--output", type=Path, default=HERE / "../../models", help="model repository to write to")
    return parser.parse_args()


def tensor(name: str, values: np.ndarray, labels: list | None = None) -> dict:
    """One Open Inference tensor. NaN, a missing value, is null: JSON has no word for it."""
    # str() of a float32 is its shortest form, so 5.1 stays 5.1 in the file and reads back to the same bits.
    flat = [float(str(v)) for v in values.ravel()] if values.dtype == np.float32 else values.ravel().tolist()
    flat = [None if isinstance(v, float) and v != v else v for v in flat]
    described = {"name": name, "datatype": DATATYPES[values.dtype.name], "shape": list(values.shape), "data": flat}
    return described if labels is None else described | {"labels": labels}


def case(inputs: dict, outputs: dict, tolerance: tuple[float, float], labels: dict | None = None) -> dict:
    """A golden case. `labels` gives the classes of an output's columns, in order, where the export ends in a ZipMap."""
    labels = labels or {}
    return {
        "inputs": [tensor(name, values) for name, values in inputs.items()],
        "outputs": [tensor(name, values, labels.get(name)) for name, values in outputs.items()],
        "tolerance": {"abs": tolerance[0], "rel": tolerance[1]},
    }


def write_version(repository: Path, name: str, model, cases: list[dict], config: dict | None = None) -> None:
    """Writes the model, its golden rows and, where given, its `config.json`, and prints what was written."""
    folder = repository / name / "1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    golden = ",\n".join("  " + json.dumps(one, ensure_ascii=False, allow_nan=False) for one in cases)
    (folder / "golden.json").write_text(f"[\n{golden}\n]\n", encoding="utf-8")
    if config is not None:
        (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    rows = sum(one["outputs"][0]["shape"][0] for one in cases)
    print(f"{folder}: model.onnx {(folder / 'model.onnx').stat().st_size} bytes, {rows} golden rows in {len(cases)} cases")
