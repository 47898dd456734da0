import type { Datatype } from "../tensor/datatype.ts";
import type { TensorData } from "../tensor/tensor-data.ts";

/** One input or output of a model as Assay serves it, after repairs. */
export interface TensorSpec {
  /** The model's own name. */
  readonly name: string;
  readonly datatype: Datatype;
  /** The length of each axis, -1 where it may vary; with a batch dimension axis 0 counts rows and is -1. */
  readonly shape: readonly number[];
  /** May be left out: the graph brings its own value, or the input is optional. */
  readonly optional: boolean;
  /** The columns of a vector input by position; empty where unknown. */
  readonly featureNames: readonly string[];
  /** Class labels by column of a probability output; empty where there are none. */
  readonly labels: readonly string[];
  /** Other spellings under which `rows` may name this input. */
  readonly aliases: readonly string[];
  /** The values of a column that the graph itself knows; undefined where it has no such list. */
  readonly categories?: readonly string[];
  /** NaN is a violation. */
  readonly rejectNan: boolean;
  /** What an optional input is fed when it is left out; with a batch dimension one row, the same for each. */
  readonly defaultValue?: TensorData;
  /** The file declares no shape: any is taken, and `shape` is empty. */
  readonly anyShape?: boolean;
  /** An output that has no value for each row, such as the list of classes: a request for it is run by itself. */
  readonly rowless?: boolean;
  /** Callers see it in another shape than the graph: a session knows it by another name. */
  readonly reshaped?: boolean;
}

/** The way in which rows may share a run. `gen`'s BatchingMode has the same four. */
export type Batching = "across-requests" | "within-request" | "single-rows" | "no-batch-dimension";

/** A change to, or overruling of, what a file declares; `kind` is stable. */
export interface Repair {
  readonly kind: string;
  /** The input, output or node; empty for the whole file. */
  readonly target: string;
  readonly description: string;
}

/** Where a score comes from, decided once at load. */
export interface ScoreRule {
  /** The output that `scores` is read from. */
  readonly output: string;
  /** Columns of that output: 1 for `[N]` and `[N,1]`. */
  readonly kind: "value" | "second-class" | "highest-class";
  /** The column of the second class where it is not column 1: libraries differ in the order of decision functions. */
  readonly column?: number;
}

/** Whether axis 0 of inputs and outputs counts rows. */
export function hasRows({ batching }: Pick<ModelSignature, "batching">): boolean {
  return batching !== "no-batch-dimension";
}

/** The shape of one row of an input or output: without the axis that counts rows, where there is one. */
export function rowShape(
  { shape }: Pick<TensorSpec, "shape">,
  signature: Pick<ModelSignature, "batching">,
): readonly number[] {
  return hasRows(signature) ? shape.slice(1) : shape;
}

/** All that the stages above the worker know of a model version. */
export interface ModelSignature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly score: ScoreRule | undefined;
  /** The output that holds one class a row, where there is one; without a score too, for models that give labels only. */
  readonly labelOutput: string | undefined;
  /** By the text of a class in the label output: the name that it has in `labels`, where they differ (`0` and `0.0`). */
  readonly labelNames?: ReadonlyMap<string, string>;
  /** Class labels in the order of the probability columns; empty where there are none. */
  readonly labels: readonly string[];
  readonly batching: Batching;
  readonly ignoreUnknownColumns: boolean;
}
