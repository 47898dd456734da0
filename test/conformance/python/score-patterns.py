"""python score-patterns.py FOLDER: trains the models of the table in docs/models.md, exports them, and writes what each library itself predicts.

Each becomes FOLDER/<number>/1/model.onnx with truth.json beside it: `name` (library and model as the table has them), `inputs`,
`labels` and `scores`, null where the library has none of them for a row.
"""

import json
import sys
import warnings
from pathlib import Path

import catboost
import lightgbm
import numpy as np
import onnx
import xgboost
from onnxmltools import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as Floats
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron
from sklearn.mixture import GaussianMixture
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, LocalOutlierFactor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC, OneClassSVM
from sklearn.tree import DecisionTreeClassifier

warnings.filterwarnings("ignore")
folder = Path(sys.argv[1])
two, three, amounts = load_breast_cancer(), load_iris(), load_diabetes()
X2, y2 = StandardScaler().fit_transform(two.data[:, :6]).astype(np.float32), two.target
X3, y3 = three.data.astype(np.float32), three.target
XR, yR = amounts.data.astype(np.float32), amounts.target
names2, names3 = np.array(["no", "yes"]), np.array(["low", "middle", "high"])
ROWS = np.r_[0:5, 60:65, 100:105]
count = 0


def rule(values):
    """The second class's value of two, the highest of more."""
    values = np.asarray(values, dtype=float)
    if values.ndim == 1:
        return values
    return values[:, 1] if values.shape[1] == 2 else values.max(axis=1)


def write(name, model, X, labels, scores):
    global count
    place = folder / str(count) / "1"
    place.mkdir(parents=True)
    count += 1
    if isinstance(model, bytes):
        (place / "model.onnx").write_bytes(model)
    else:
        onnx.save(model, place / "model.onnx")
    first = onnx.load(place / "model.onnx").graph.input[0].name
    datatype = "FP64" if X.dtype == np.float64 else "FP32"
    tensor = {"name": first, "datatype": datatype, "shape": list(X.shape), "data": X.ravel().tolist()}
    truth = {
        "name": name,
        "inputs": [tensor],
        "labels": None if labels is None else [str(label) for label in np.asarray(labels).ravel().tolist()],
        "scores": None if scores is None else [float(score) for score in np.ravel(scores)],
    }
    (place.parent / "truth.json").write_text(json.dumps(truth))


def sklearn(name, model, X, y, scores="predict_proba", labels=True, opset=None, **options):
    """`scores`: the method that gives them, or None where no output is one."""
    model.fit(X, y)
    kind = DoubleTensorType if X.dtype == np.float64 else FloatTensorType
    exported = to_onnx(
        model,
        initial_types=[("X", kind([None, X.shape[1]]))],
        options={id(model): options} if options else None,
        target_opset=opset,
    )
    rows = X[ROWS]
    said = model.predict(rows) if labels else None
    write(f"scikit-learn: {name}", exported, rows, said, None if scores is None else rule(getattr(model, scores)(rows)))


ML3 = {"": 17, "ai.onnx.ml": 3}
sklearn("LogisticRegression (a ZipMap, the default)", LogisticRegression(), X2, y2)
sklearn("LogisticRegression, `zipmap=False`", LogisticRegression(), X3, names3[y3], zipmap=False)
sklearn("LogisticRegression, `zipmap='columns'`", LogisticRegression(), X3, names3[y3], zipmap="columns")
sklearn("LogisticRegression of float labels, `zipmap='columns'`", LogisticRegression(), X2, y2.astype(float), zipmap="columns")
sklearn("LogisticRegression in double precision", LogisticRegression(), X3.astype(float), y3)
sklearn("LogisticRegression, `output_class_labels`", LogisticRegression(), X3, names3[y3], zipmap=False, output_class_labels=True)
sklearn("LogisticRegression, `raw_scores`", LogisticRegression(), X2, y2, "decision_function", zipmap=False, raw_scores=True)
sklearn("pipeline of scaler and LogisticRegression", make_pipeline(StandardScaler(), LogisticRegression()), X2, names2[y2])
sklearn("Perceptron", Perceptron(), X2, y2, "decision_function", zipmap=False)
sklearn("LinearSVC, two classes", LinearSVC(), X2, y2, "decision_function")
sklearn("LinearSVC, three classes", LinearSVC(), X3, names3[y3], "decision_function")
sklearn("SVC, two classes", SVC(), X2, y2, "decision_function", zipmap=False)
sklearn("SVC, two classes, `raw_scores`", SVC(), X2, y2, "decision_function", zipmap=False, raw_scores=True)
sklearn("SVC, three classes", SVC(), X3, y3, "decision_function", zipmap=False)
sklearn("SVC, three classes, one value for each pair", SVC(decision_function_shape="ovo"), X3, y3, None, zipmap=False)
sklearn("SVC with probabilities", SVC(probability=True, random_state=0), X2, names2[y2], zipmap=False)
sklearn("RandomForestClassifier", RandomForestClassifier(10, random_state=0), X3, y3)
sklearn("RandomForestClassifier, `decision_leaf`", RandomForestClassifier(5, random_state=0), X2, y2, zipmap=False, decision_leaf=True)
sklearn("DecisionTreeClassifier, `decision_path`", DecisionTreeClassifier(max_depth=3, random_state=0), X2, names2[y2], zipmap=False, decision_path=True)
sklearn("GradientBoostingClassifier", GradientBoostingClassifier(n_estimators=5), X2, y2)
sklearn("HistGradientBoostingClassifier", HistGradientBoostingClassifier(max_iter=5), X3, names3[y3])
sklearn("MLPClassifier", MLPClassifier((8,), max_iter=300, random_state=0), X2, names2[y2])
sklearn("GaussianNB", GaussianNB(), X3, y3)
sklearn("KNeighborsClassifier", KNeighborsClassifier(), X3, names3[y3])
sklearn("VotingClassifier, soft", VotingClassifier([("a", LogisticRegression()), ("b", GaussianNB())], voting="soft", flatten_transform=False), X2, y2)
sklearn("CalibratedClassifierCV", CalibratedClassifierCV(LogisticRegression(), cv=2), X2, y2)
sklearn("StackingClassifier", StackingClassifier([("a", LogisticRegression()), ("b", GaussianNB())], final_estimator=LogisticRegression()), X2, names2[y2])
sklearn("OneVsRestClassifier of LogisticRegression", OneVsRestClassifier(LogisticRegression()), X3, names3[y3])
sklearn("OneVsRestClassifier of LinearSVC, which skl2onnx norms by its sum", OneVsRestClassifier(LinearSVC()), X3, y3, None)
sklearn("QuadraticDiscriminantAnalysis, label `[1, N]`", QuadraticDiscriminantAnalysis(), X3, y3, zipmap=False)
sklearn("IsolationForest", IsolationForest(n_estimators=10, random_state=0), X2, None, "decision_function", opset=ML3)
sklearn("IsolationForest, `score_samples`", IsolationForest(n_estimators=10, random_state=0), X2, None, "decision_function", opset=ML3, score_samples=True)
sklearn("OneClassSVM", OneClassSVM(nu=0.2), X2, None, "decision_function", opset=ML3)
sklearn("LocalOutlierFactor", LocalOutlierFactor(novelty=True), X2, None, "decision_function", opset=ML3)
sklearn("KMeans", KMeans(3, n_init=2, random_state=0), X3, None, None)
sklearn("GaussianMixture", GaussianMixture(3, random_state=0), X3, None)
sklearn("LinearRegression", LinearRegression(), XR, yR, "predict", labels=False)
sklearn("GaussianProcessRegressor, `return_std`", GaussianProcessRegressor(alpha=1.0), XR, yR, "predict", labels=False, return_std=True)
sklearn("LinearRegression of two values", LinearRegression(), XR, np.c_[yR, -yR], None, labels=False)
sklearn("KNeighborsClassifier of several labels a row", KNeighborsClassifier(), X3, np.c_[y3 == 1, y3 == 2].astype(int), None, labels=False, zipmap=False)

for library, Classifier, Regressor, convert in (
    ("LightGBM", lightgbm.LGBMClassifier, lightgbm.LGBMRegressor, convert_lightgbm),
    ("XGBoost", xgboost.XGBClassifier, xgboost.XGBRegressor, convert_xgboost),
):
    quiet = {"verbose": -1} if library == "LightGBM" else {}
    for title, X, y in (("two classes", X2, y2), ("three classes", X3, y3)):
        model = Classifier(n_estimators=5, max_depth=3, **quiet).fit(X, y)
        exported = convert(model, initial_types=[("input", Floats([None, X.shape[1]]))])
        write(f"{library}: {title}", exported, X[ROWS], model.predict(X[ROWS]), rule(model.predict_proba(X[ROWS])))
    model = Regressor(n_estimators=5, max_depth=3, **quiet).fit(XR, yR)
    exported = convert(model, initial_types=[("input", Floats([None, XR.shape[1]]))])
    write(f"{library}: regression", exported, XR[ROWS], None, model.predict(XR[ROWS]))


def cat(name, model, X, y):
    model.fit(X, y)
    place = folder / "catboost.onnx"
    model.save_model(str(place), format="onnx")
    isClassifier = isinstance(model, catboost.CatBoostClassifier)
    said = model.predict(X[ROWS])
    write(name, place.read_bytes(), X[ROWS], said if isClassifier else None, rule(model.predict_proba(X[ROWS])) if isClassifier else said)
    place.unlink()


settings = {"iterations": 5, "depth": 3, "verbose": 0, "allow_writing_files": False}
cat("CatBoost: two classes", catboost.CatBoostClassifier(**settings), X2, names2[y2].astype(object))
cat("CatBoost: two classes, other numbers than 0 and 1", catboost.CatBoostClassifier(**settings), X2, np.array([-1, 1])[y2])
cat("CatBoost: three classes", catboost.CatBoostClassifier(**settings), X3, y3)
cat("CatBoost: regression", catboost.CatBoostRegressor(**settings), XR, yR)
