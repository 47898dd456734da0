import { type GraphProto, TensorProto_DataType, type ValueInfoProto } from "../../../gen/onnx/onnx-ml_pb.ts";
import { attribute, type GraphIndex } from "./graph-index.ts";
import { isStandard } from "./value-trace.ts";

/** Operators of the machine learning set whose numbers are float32 whatever comes in. */
const FLOAT_RESULTS = new Set(
  "TreeEnsembleClassifier LinearClassifier SVMClassifier TreeEnsembleRegressor LinearRegressor SVMRegressor Normalizer Scaler".split(
    " ",
  ),
);
/** Operators whose result has the type of their first operand. */
const KEEPS_TYPE = new Set(
  (
    "Identity Reshape Squeeze Unsqueeze Flatten Transpose Slice Split Gather ArrayFeatureExtractor Concat Expand Softmax LogSoftmax " +
    "Sigmoid Exp Log Neg Abs Sqrt Reciprocal Clip Relu Tanh Add Sub Mul Div Max Min Sum Mean Pow MatMul Gemm ReduceSum ReduceMax " +
    "ReduceMean ReduceLogSumExp LpNormalization Dropout GatherElements"
  ).split(" "),
);
const MAX_STEPS = 1000;

/**
 * The ONNX element type of a value, as the operators make it that lead to it, else as the graph declares it; undefined where
 * neither tells.
 */
export function inferElementType(
  valueName: string,
  graph: GraphProto,
  index: GraphIndex,
): number | undefined {
  return madeElementType(valueName, graph, index) ?? declaredType(valueName, graph.valueInfo);
}

/** The same from operators alone. */
export function madeElementType(valueName: string, graph: GraphProto, index: GraphIndex): number | undefined {
  let name = valueName;
  for (let i = 0; i < MAX_STEPS; i++) {
    const node = index.producer(name);
    if (node === undefined) {
      const stored = graph.initializer.find((tensor) => tensor.name === name);
      return stored?.dataType ?? declaredType(name, graph.input);
    }
    if (!isStandard(node)) return undefined;
    if (node.opType === "Cast") return Number(attribute(node, "to")?.i ?? 0) || undefined;
    if (FLOAT_RESULTS.has(node.opType)) return TensorProto_DataType.FLOAT;
    if (!KEEPS_TYPE.has(node.opType)) return index.constant(name)?.dataType;
    name = node.input[0] ?? "";
  }
  return undefined;
}

function declaredType(name: string, values: readonly ValueInfoProto[]): number | undefined {
  const value = values.find((candidate) => candidate.name === name);
  return value === undefined ? undefined : elementType(value);
}

function elementType({ type }: ValueInfoProto): number | undefined {
  const tensor = type?.value.case === "tensorType" ? type.value.value.elemType : 0;
  return tensor === 0 ? undefined : tensor;
}
