/** The simple steps between an ensemble and the outputs of its graph. */
import type { TreeLabels } from "../../model/trees/tree-ensemble.ts";
import { TreeError } from "../../model/trees/tree-ensemble.ts";
import type { TailStep, TreeOutput } from "../../model/trees/tree-graph.ts";

/** Elements of an output, with ONNX Runtime's name of their type. */
export interface TailValue {
  readonly type: "float32" | "float64" | "int64" | "int32" | "string";
  readonly data: Float32Array | Float64Array | BigInt64Array | Int32Array | readonly string[];
}

const FLOAT = 1;
const INT32 = 6;
const INT64 = 7;
const STRING = 8;
const DOUBLE = 11;

/** Labels of rows as an ensemble gives them. */
export function labelValues({ kind, values }: TreeLabels, places: Int32Array): TailValue {
  if (kind === "strings") return { type: "string", data: Array.from(places, (place) => values[place]!) };
  const data = new BigInt64Array(places.length);
  for (let row = 0; row < places.length; row++) data[row] = values[places[row]!]!;
  return { type: "int64", data };
}

/** Takes an output of the ensemble to one of the graph. Throws TreeError for a cast that only ONNX Runtime does. */
export function followTail(value: TailValue, { steps }: Pick<TreeOutput, "steps">): TailValue {
  return steps.reduce(followStep, value);
}

/** The axes of an output: those of the ensemble's, through the steps between. */
export function tailDims(dims: readonly number[], { steps }: Pick<TreeOutput, "steps">): readonly number[] {
  let axes = dims;
  for (const step of steps) if (step.kind === "reshape") axes = reshapedDims(axes, step.target);
  return axes;
}

/** As ONNX's Reshape has it: 0 for the length that is there, -1 for the one that follows. */
function reshapedDims(dims: readonly number[], target: readonly number[]): readonly number[] {
  const product = (axes: readonly number[]) => axes.reduce((count, length) => count * length, 1);
  const lengths = target.map((length, axis) => (length === 0 ? (dims[axis] ?? 0) : length));
  const known = product(lengths.filter((length) => length !== -1));
  const open = known === 0 ? 0 : product(dims) / known;
  const axes = lengths.map((length) => (length === -1 ? open : length));
  if (product(axes) !== product(dims) || !Number.isInteger(open))
    throw new TreeError(`a Reshape of [${dims}] to [${target}] stands behind the trees`);
  return axes;
}

/** Of single precision each is rounded once, as ONNX Runtime's is. */
function arithmeticOf(
  step: Exclude<TailStep, { readonly kind: "cast" | "reshape" }>,
): (score: number) => number {
  switch (step.kind) {
    case "multiply":
      return (score) => score * step.factor;
    case "divide":
      return (score) => score / step.divisor;
    case "exponentiate":
      return Math.exp;
  }
}

function followStep({ type, data }: TailValue, step: TailStep): TailValue {
  if (step.kind === "reshape") return { type, data };
  if (step.kind !== "cast") {
    if (!(data instanceof Float32Array || data instanceof Float64Array))
      throw new TreeError("labels are reckoned with");
    return { type, data: data.map(arithmeticOf(step)) };
  }
  switch (step.elementType) {
    case FLOAT:
      if (type !== "string") return { type: "float32", data: Float32Array.from(data, Number) };
      break;
    case DOUBLE:
      if (type !== "string") return { type: "float64", data: Float64Array.from(data, Number) };
      break;
    case INT64:
      if (data instanceof BigInt64Array) return { type, data };
      if (data instanceof Int32Array) return { type: "int64", data: BigInt64Array.from(data, BigInt) };
      break;
    case INT32:
      if (data instanceof BigInt64Array) return { type: "int32", data: Int32Array.from(data, Number) };
      if (data instanceof Int32Array) return { type, data };
      break;
    case STRING:
      if (type === "string") return { type, data };
      if (data instanceof BigInt64Array || data instanceof Int32Array)
        return { type: "string", data: Array.from(data as ArrayLike<unknown>, String) };
  }
  throw new TreeError(`a cast from ${type} to ONNX's type ${step.elementType} stands behind the trees`);
}
