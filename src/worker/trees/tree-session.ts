import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import type { TreeGraph } from "../../model/trees/tree-graph.ts";
import type { RowNumbers } from "../kernel/plane-filling.ts";
import type { SplitTrees } from "../kernel/split-trees.ts";
import { TreeKernel } from "../kernel/tree-kernel.ts";
import { type Finisher, finisherOf } from "./finish-scores.ts";
import { followTail, labelValues, type TailValue, tailDims } from "./tail.ts";

/** An output as ONNX Runtime would give it. */
export interface TreeTensor extends TailValue {
  readonly dims: readonly number[];
}

/** A graph's ensemble and what stands behind it: numbers in, outputs of the graph out. */
export class TreeSession {
  readonly treeCount: number;
  readonly #kernel: TreeKernel;
  readonly #outputs: TreeGraph["outputs"];
  readonly #finisher: Finisher;
  readonly #targetCount: number;
  readonly #featureCount: number;
  readonly #isDouble: boolean;
  readonly #isDoubleScore: boolean;

  /** Throws TreeError where the graph does something that only ONNX Runtime does. */
  constructor({ ensemble, outputs }: Pick<TreeGraph, "ensemble" | "outputs">, split: SplitTrees) {
    this.treeCount = split.trees.length;
    this.#outputs = outputs;
    this.#kernel = new TreeKernel(ensemble, split);
    this.#finisher = finisherOf(ensemble, this.#kernel.isScored);
    this.#isDouble = ensemble.isDouble;
    this.#targetCount = ensemble.targetCount;
    this.#featureCount = ensemble.nodes.features.reduce((most, one) => Math.max(most, one + 1), 1);
    this.#isDoubleScore = ensemble.isDouble && ensemble.operator === "TreeEnsemble";
    this.run(new Float32Array(this.#featureCount), 1, this.#featureCount);
  }

  /** Runs rows and returns the graph's outputs by name, of those that `isWanted`. Throws RUN_FAILED for rows of too few columns. */
  run(
    rows: RowNumbers,
    rowCount: number,
    columnCount: number,
    isWanted: (name: string) => boolean = () => true,
  ): Record<string, TreeTensor> {
    if (columnCount < this.#featureCount) {
      throw new AssayError(
        Reason.RUN_FAILED,
        `the model failed on these rows: its trees read ${this.#featureCount} columns, ${columnCount} came`,
      );
    }
    const sums = new (this.#isDouble ? Float64Array : Float32Array)(rowCount * this.#targetCount);
    this.#kernel.run(rows, rowCount, columnCount, sums);
    const places = this.#finisher.finish(sums, rowCount);
    const isDouble = sums instanceof Float64Array;
    const scores: TailValue =
      isDouble && this.#isDoubleScore
        ? { type: "float64", data: sums }
        : { type: "float32", data: isDouble ? Float32Array.from(sums) : sums };
    const outputs: Record<string, TreeTensor> = Object.create(null);
    for (const output of this.#outputs) {
      if (!isWanted(output.name)) continue;
      if (output.source === "scores")
        outputs[output.name] = {
          ...followTail(scores, output),
          dims: tailDims([rowCount, this.#targetCount], output),
        };
      else if (places !== undefined && this.#finisher.labels !== undefined)
        outputs[output.name] = {
          ...followTail(labelValues(this.#finisher.labels, places), output),
          dims: tailDims([rowCount], output),
        };
    }
    return outputs;
  }
}
