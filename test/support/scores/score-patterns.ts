import type { NodeProto, TensorProto, ValueInfoProto } from "../../../gen/onnx/onnx-ml_pb.ts";
import { buildModel, node, storedTensor, tensorInfo } from "../models/model-builder.ts";

/** A graph as some exporter leaves it, in small; `library` and `model` are those of its row in docs/models.md. */
export interface ScorePattern {
  readonly library: string;
  readonly model: string;
  readonly bytes: Uint8Array;
}

const ML = "ai.onnx.ml";
const floats = (name: string, dims: readonly number[], ...values: number[]): TensorProto =>
  storedTensor(name, dims, Float32Array.from(values));
const integers = (name: string, dims: readonly number[], ...values: bigint[]): TensorProto =>
  storedTensor(name, dims, BigInt64Array.from(values));

/** Trees of one split a feature: they give a raw value a row. */
const stump = (input: string, output: string, transform = "NONE"): NodeProto =>
  node(
    "TreeEnsembleRegressor",
    [input],
    [output],
    {
      n_targets: 1n,
      post_transform: transform,
      nodes_treeids: [0n, 0n, 0n, 1n, 1n, 1n],
      nodes_nodeids: [0n, 1n, 2n, 0n, 1n, 2n],
      nodes_featureids: [0n, 0n, 0n, 1n, 0n, 0n],
      nodes_modes: ["BRANCH_LEQ", "LEAF", "LEAF", "BRANCH_LEQ", "LEAF", "LEAF"],
      nodes_values: [0.25, 0.1, 0.1, -0.5, 0.1, 0.1],
      nodes_truenodeids: [1n, 0n, 0n, 1n, 0n, 0n],
      nodes_falsenodeids: [2n, 0n, 0n, 2n, 0n, 0n],
      target_treeids: [0n, 0n, 1n, 1n],
      target_nodeids: [1n, 2n, 1n, 2n],
      target_ids: [0n, 0n, 0n, 0n],
      target_weights: [-1.5, 0.75, -0.5, 1.25],
    },
    ML,
  );

/** Boosted trees of two classes, which have weights for one of them alone; `more` takes the place of attributes. */
const binaryTrees = (
  output: readonly string[],
  more: Parameters<typeof node>[3] = { classlabels_strings: ["no", "yes"], base_values: [0.1] },
): NodeProto =>
  node(
    "TreeEnsembleClassifier",
    ["x"],
    output,
    {
      post_transform: "LOGISTIC",
      nodes_treeids: [0n, 0n, 0n],
      nodes_nodeids: [0n, 1n, 2n],
      nodes_featureids: [0n, 0n, 0n],
      nodes_modes: ["BRANCH_GTE", "LEAF", "LEAF"],
      nodes_values: [0.25, 0.1, 0.1],
      nodes_truenodeids: [1n, 0n, 0n],
      nodes_falsenodeids: [2n, 0n, 0n],
      class_treeids: [0n, 0n],
      class_nodeids: [1n, 2n],
      class_ids: [0n, 0n],
      class_weights: [1.5, -0.75],
      ...more,
    },
    ML,
  );

const linear = (
  output: readonly string[],
  classes: number,
  transform: string,
  labels?: readonly string[],
): NodeProto =>
  node(
    "LinearClassifier",
    ["x"],
    output,
    {
      ...(labels === undefined
        ? { classlabels_ints: Array.from({ length: classes }, (_, index) => BigInt(index)) }
        : { classlabels_strings: labels }),
      coefficients: classes === 2 ? [-0.5, 1, 0.5, -1] : [0.5, -1, -0.25, 2, 1, 0.1],
      intercepts: classes === 2 ? [-0.25, 0.25] : [0.1, -0.2, 0.3],
      post_transform: transform,
      multi_class: 1n,
    },
    ML,
  );

const weights = floats("w", [2, 1], 0.5, -1);
const weights3 = floats("w3", [2, 3], 0.5, -1, 0.25, 2, 1, -0.5);
const x = tensorInfo("x", "FLOAT", ["N", 2]);
const out = (
  name: string,
  type: Parameters<typeof tensorInfo>[1],
  ...tail: (number | string)[]
): ValueInfoProto => tensorInfo(name, type, ["N", ...tail]);

const pattern = (
  library: string,
  model: string,
  outputs: readonly ValueInfoProto[],
  nodes: readonly NodeProto[],
  initializers: readonly TensorProto[] = [],
  inputs: readonly ValueInfoProto[] = [x],
): ScorePattern => ({ library, model, bytes: buildModel({ inputs, outputs, nodes, initializers }) });

/** ML.NET passes every column of its pipeline through, the label's too. */
const mlNetInputs = [
  tensorInfo("Age", "FLOAT", ["N", 1]),
  tensorInfo("Income", "FLOAT", ["N", 1]),
  tensorInfo("Label", "STRING", ["N", 1]),
];
const mlNetPasses = [
  node("Identity", ["Age"], ["Age.output"]),
  node("Identity", ["Income"], ["Income.output"]),
  node("LabelEncoder", ["Label"], ["key"], { keys_strings: ["no", "yes"], values_int64s: [1n, 2n] }, ML),
  node("Cast", ["key"], ["Label.output"], { to: 12n }),
  node("Concat", ["Age", "Income"], ["Features"], { axis: 1n }),
  node("Identity", ["Features"], ["Features.output"]),
];
const mlNetOutputs = [
  out("Age.output", "FLOAT", 1),
  out("Income.output", "FLOAT", 1),
  out("Label.output", "UINT32", 1),
  out("Features.output", "FLOAT", 2),
];
const mlNet = (
  model: string,
  outputs: readonly ValueInfoProto[],
  nodes: readonly NodeProto[],
  initializers: readonly TensorProto[] = [],
) =>
  pattern(
    "ML.NET",
    model,
    [...mlNetOutputs, ...outputs],
    [...mlNetPasses, ...nodes],
    initializers,
    mlNetInputs,
  );

const mlNetPatterns = [
  mlNet(
    "binary trees with a calibrator",
    [
      out("Score.output", "FLOAT", 1),
      out("PredictedLabel.output", "BOOL", 1),
      out("Probability.output", "FLOAT", 1),
    ],
    [
      stump("Features", "Score"),
      node("Binarizer", ["Score"], ["binary"], { threshold: 0 }, ML),
      node("Cast", ["binary"], ["PredictedLabel.output"], { to: 9n }),
      node("Mul", ["Score", "slope"], ["scaled"]),
      node("Sigmoid", ["scaled"], ["Probability.output"]),
      node("Identity", ["Score"], ["Score.output"]),
    ],
    [floats("slope", [1], 0.4)],
  ),
  mlNet(
    "binary without a calibrator",
    [out("Score.output", "FLOAT", 1), out("PredictedLabel.output", "BOOL", 1)],
    [
      stump("Features", "Score"),
      node("Binarizer", ["Score"], ["binary"], { threshold: 0 }, ML),
      node("Cast", ["binary"], ["PredictedLabel.output"], { to: 9n }),
      node("Identity", ["Score"], ["Score.output"]),
    ],
  ),
  mlNet(
    "multiclass, key labels",
    [out("PredictedLabel.output", "UINT32", 1), out("Score.output", "FLOAT", 3)],
    [
      node("MatMul", ["Features", "w3"], ["raw"]),
      node("Softmax", ["raw"], ["Score"], { axis: 1n }),
      node("ArgMax", ["Score"], ["top"], { axis: 1n, keepdims: 1n }),
      node("Add", ["top", "one"], ["counted"]),
      node("Cast", ["counted"], ["PredictedLabel.output"], { to: 12n }),
      node("Identity", ["Score"], ["Score.output"]),
    ],
    [weights3, integers("one", [1], 1n)],
  ),
  mlNet(
    "multiclass, text labels",
    [out("PredictedLabel.output", "STRING", 1), out("Score.output", "FLOAT", 3)],
    [
      node("MatMul", ["Features", "w3"], ["raw"]),
      node("Softmax", ["raw"], ["Score"], { axis: 1n }),
      node("ArgMax", ["Score"], ["top"], { axis: 1n, keepdims: 1n }),
      node("Add", ["top", "one"], ["counted"]),
      node(
        "LabelEncoder",
        ["counted"],
        ["PredictedLabel.output"],
        { keys_int64s: [1n, 2n, 3n], values_strings: ["low", "middle", "high"] },
        ML,
      ),
      node("Identity", ["Score"], ["Score.output"]),
    ],
    [weights3, integers("one", [1], 1n)],
  ),
  mlNet("regression", [out("Score.output", "FLOAT", 1)], [stump("Features", "Score.output")]),
  mlNet(
    "k-means",
    [out("PredictedLabel.output", "UINT32", 1), out("Score.output", "FLOAT", 3)],
    [
      node("MatMul", ["Features", "w3"], ["distance"]),
      node("Abs", ["distance"], ["Score.output"]),
      node("ArgMin", ["Score.output"], ["nearest"], { axis: 1n, keepdims: 1n }),
      node("Cast", ["nearest"], ["PredictedLabel.output"], { to: 12n }),
    ],
    [weights3],
  ),
];

const sparkPatterns = [
  pattern(
    "Spark ML",
    "logistic regression (onnxmltools)",
    [out("prediction", "INT64"), out("probability", "FLOAT", 2)],
    [
      linear(["prediction", "raw"], 2, "LOGISTIC"),
      node("Normalizer", ["raw"], ["probability"], { norm: "L1" }, ML),
    ],
  ),
  pattern(
    "Spark ML",
    "float prediction, raw prediction, probability",
    [out("rawPrediction", "FLOAT", 2), out("prediction", "FLOAT", 1), out("probability", "FLOAT", 2)],
    [
      node("MatMul", ["x", "w"], ["margin"]),
      node("Neg", ["margin"], ["minus"]),
      node("Concat", ["minus", "margin"], ["rawPrediction"], { axis: 1n }),
      node("Softmax", ["rawPrediction"], ["probability"], { axis: 1n }),
      node("ArgMax", ["probability"], ["top"], { axis: 1n, keepdims: 1n }),
      node("Cast", ["top"], ["prediction"], { to: 1n }),
    ],
    [weights],
  ),
  pattern(
    "Spark ML",
    "boosted trees: sigmoid spelled out, label from the raw values",
    [out("prediction", "INT64"), out("probability", "FLOAT", 2)],
    [
      stump("x", "target"),
      node("Neg", ["target"], ["minus"]),
      node("Concat", ["minus", "target"], ["raw"], { axis: 1n }),
      node("Mul", ["raw", "minus_two"], ["scaled"]),
      node("Exp", ["scaled"], ["power"]),
      node("Add", ["power", "one"], ["more"]),
      node("Reciprocal", ["more"], ["probability"]),
      node("ArgMax", ["raw"], ["prediction"], { axis: 1n, keepdims: 0n }),
    ],
    [floats("minus_two", [1], -2), floats("one", [1], 1)],
  ),
  pattern(
    "Spark ML",
    "indexed features and label beside the prediction's text",
    [
      out("indexed", "INT64", 1),
      out("features", "FLOAT", 2),
      out("prediction", "FLOAT", 1),
      out("probability", "FLOAT", 2),
      out("predictedLabel", "STRING", 1),
    ],
    [
      node(
        "LabelEncoder",
        ["colour"],
        ["indexed"],
        { keys_strings: ["red", "blue"], values_int64s: [0n, 1n] },
        ML,
      ),
      node("Cast", ["indexed"], ["number"], { to: 1n }),
      node("Concat", ["number", "size"], ["features"], { axis: 1n }),
      node("MatMul", ["features", "w"], ["margin"]),
      node("Sigmoid", ["margin"], ["p1"]),
      node("Sub", ["one", "p1"], ["p0"]),
      node("Concat", ["p0", "p1"], ["probability"], { axis: 1n }),
      node("ArgMax", ["probability"], ["top"], { axis: 1n, keepdims: 1n }),
      node("Cast", ["top"], ["prediction"], { to: 1n }),
      node(
        "LabelEncoder",
        ["top"],
        ["predictedLabel"],
        { keys_int64s: [0n, 1n], values_strings: ["no", "yes"] },
        ML,
      ),
    ],
    [weights, floats("one", [1], 1)],
    [tensorInfo("colour", "STRING", ["N", 1]), tensorInfo("size", "FLOAT", ["N", 1])],
  ),
  pattern("Spark ML", "linear SVM", [out("prediction", "INT64")], [linear(["prediction", "raw"], 2, "NONE")]),
  pattern("Spark ML", "regression", [out("prediction", "FLOAT", 1)], [stump("x", "prediction")]),
];

const otherPatterns = [
  pattern(
    "H2O",
    "gradient boosting, two classes",
    [out("label", "STRING"), out("probabilities", "FLOAT", 2)],
    [binaryTrees(["label", "probabilities"])],
  ),
  pattern("H2O", "regression", [out("variable", "FLOAT", 1)], [stump("x", "variable")]),
  pattern(
    "Keras",
    "one sigmoid",
    [out("dense_1", "FLOAT", 1)],
    [node("MatMul", ["x", "w"], ["logit"]), node("Sigmoid", ["logit"], ["dense_1"])],
    [weights],
  ),
  pattern(
    "Keras",
    "softmax",
    [out("dense_1", "FLOAT", 3)],
    [node("MatMul", ["x", "w3"], ["logits"]), node("Softmax", ["logits"], ["dense_1"], { axis: 1n })],
    [weights3],
  ),
  pattern(
    "Keras",
    "two sigmoid heads",
    [out("churn", "FLOAT", 1), out("fraud", "FLOAT", 1)],
    [
      node("MatMul", ["x", "w"], ["a"]),
      node("Sigmoid", ["a"], ["churn"]),
      node("MatMul", ["x", "v"], ["b"]),
      node("Sigmoid", ["b"], ["fraud"]),
    ],
    [weights, floats("v", [2, 1], -1, 0.5)],
  ),
  pattern(
    "TensorFlow",
    "estimator: logits, logistic, probabilities, class_ids",
    [
      out("logits", "FLOAT", 1),
      out("logistic", "FLOAT", 1),
      out("probabilities", "FLOAT", 2),
      out("class_ids", "INT64", 1),
    ],
    [
      node("MatMul", ["x", "w"], ["logits"]),
      node("Sigmoid", ["logits"], ["logistic"]),
      node("Mul", ["logits", "zero"], ["zeros"]),
      node("Concat", ["zeros", "logits"], ["two"], { axis: 1n }),
      node("Softmax", ["two"], ["probabilities"], { axis: 1n }),
      node("ArgMax", ["probabilities"], ["class_ids"], { axis: 1n, keepdims: 1n }),
    ],
    [weights, floats("zero", [1], 0)],
  ),
  pattern(
    "PyTorch",
    "logits",
    [out("logits", "FLOAT", 3)],
    [node("MatMul", ["x", "w3"], ["logits"])],
    [weights3],
  ),
  pattern(
    "PyTorch",
    "one value",
    [out("output", "FLOAT", 1)],
    [node("MatMul", ["x", "w"], ["output"])],
    [weights],
  ),
  pattern(
    "PyTorch",
    "logit and its sigmoid",
    [out("logit", "FLOAT", 1), out("probability", "FLOAT", 1)],
    [node("MatMul", ["x", "w"], ["logit"]), node("Sigmoid", ["logit"], ["probability"])],
    [weights],
  ),
  pattern(
    "PyTorch",
    "argmax and softmax beside an embedding",
    [out("embedding", "FLOAT", 3), out("label", "INT64"), out("probabilities", "FLOAT", 3)],
    [
      node("MatMul", ["x", "w3"], ["hidden"]),
      node("Tanh", ["hidden"], ["embedding"]),
      node("MatMul", ["embedding", "head"], ["logits"]),
      node("ArgMax", ["logits"], ["label"], { axis: 1n, keepdims: 0n }),
      node("Softmax", ["logits"], ["probabilities"], { axis: 1n }),
    ],
    [weights3, floats("head", [3, 3], 1, -1, 0.5, 0.25, 2, -0.5, 0, 1, 1)],
  ),
  pattern(
    "PyTorch",
    "topk: the name of the likeliest class and its probability",
    [out("name", "STRING"), out("confidence", "FLOAT", 1)],
    [
      node("MatMul", ["x", "w3"], ["logits"]),
      node("Softmax", ["logits"], ["p"], { axis: 1n }),
      node("TopK", ["p", "k"], ["confidence", "at"], { axis: 1n }),
      node("Reshape", ["at", "flat"], ["position"]),
      node("Gather", ["names", "position"], ["name"]),
    ],
    [
      weights3,
      integers("k", [1], 1n),
      integers("flat", [1], -1n),
      storedTensor("names", [3], ["a", "b", "c"]),
    ],
  ),
  pattern(
    "any",
    "a count: a number rounded and cast, no class",
    [out("count", "INT64", 1)],
    [
      node("MatMul", ["x", "w"], ["number"]),
      node("Round", ["number"], ["rounded"]),
      node("Cast", ["rounded"], ["count"], { to: 7n }),
    ],
    [weights],
  ),
  pattern(
    "any",
    "two classifiers, each with its label",
    [out("label_a", "INT64"), out("p_a", "FLOAT", 2), out("label_b", "INT64"), out("p_b", "FLOAT", 3)],
    [linear(["label_a", "p_a"], 2, "LOGISTIC"), linear(["label_b", "p_b"], 3, "SOFTMAX")],
  ),
  pattern(
    "any",
    "a label of one classifier beside the scores of another",
    [out("label", "INT64"), out("p", "FLOAT", 3)],
    [linear(["label", "p_a"], 2, "LOGISTIC"), linear(["label_b", "p"], 3, "SOFTMAX")],
  ),
  pattern(
    "any",
    "two labels of one classifier: the class, and a threshold of its own",
    [out("approved", "BOOL"), out("label", "STRING"), out("p", "FLOAT", 2)],
    [
      linear(["label", "p"], 2, "LOGISTIC", ["no", "yes"]),
      node("Gather", ["p", "second"], ["p1"], { axis: 1n }),
      node("Greater", ["p1", "limit"], ["approved"]),
    ],
    [integers("second", [], 1n), floats("limit", [], 0.7)],
  ),
  pattern(
    "any",
    "an id passes through",
    [out("id", "STRING", 1), out("label", "STRING"), out("p", "FLOAT", 2)],
    [node("Cast", ["customer"], ["id"], { to: 8n }), linear(["label", "p"], 2, "LOGISTIC", ["no", "yes"])],
    [],
    [tensorInfo("customer", "INT64", ["N", 1]), x],
  ),
  pattern(
    "any",
    "contributions before probabilities",
    [out("label", "INT64"), out("contributions", "FLOAT", 2), out("p", "FLOAT", 2)],
    [node("Mul", ["x", "c"], ["contributions"]), linear(["label", "p"], 2, "LOGISTIC")],
    [floats("c", [1, 2], 1, -2)],
  ),
  pattern(
    "any",
    "the first class's probability alone beside the label",
    [out("label", "INT64"), out("p0", "FLOAT")],
    [linear(["label", "p"], 2, "LOGISTIC"), node("Gather", ["p", "first"], ["p0"], { axis: 1n })],
    [integers("first", [], 0n)],
  ),
];

/** Every pattern that is built here; what can be trained stands in test/conformance. */
export const SCORE_PATTERNS: readonly ScorePattern[] = [...mlNetPatterns, ...sparkPatterns, ...otherPatterns];

/** Trees as CatBoost writes them: weights for both of two classes, each the other's negative. */
export function bothWeighted(classes: readonly bigint[]): Uint8Array {
  const trees = binaryTrees(["label", "p"], {
    classlabels_int64s: classes,
    class_treeids: [0n, 0n, 0n, 0n],
    class_nodeids: [1n, 1n, 2n, 2n],
    class_ids: [0n, 1n, 0n, 1n],
    class_weights: [-0.9, 0.9, 0.6, -0.6],
  });
  return pattern("CatBoost", "", [out("label", "INT64"), out("p", "FLOAT", 2)], [trees]).bytes;
}
