/** The models of the stream benchmarks: made here, so that a run needs no file. Their inputs are rows of 30 floats in [0, 1). */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildModel, node, storedTensor, tensorInfo } from "../../test/support/models/model-builder.ts";
import { grownModel, seeded } from "./tree-models.ts";

/** Columns of every bench model. */
export const COLUMNS = 30;

/** 200 trees of 31 leaves, grown leaf by leaf where most rows fall, as LightGBM's defaults do. */
function treeModel(): Uint8Array {
  return grownModel({ trees: 200, leaves: 31, columns: COLUMNS, classes: 1 });
}

/** A logistic regression: nearly nothing to compute, so that everything else shows. */
export function logisticModel(columns = COLUMNS): Uint8Array {
  const random = seeded(11);
  const weights = Float32Array.from({ length: columns }, () => random() - 0.5);
  return buildModel({
    inputs: [tensorInfo("features", "FLOAT", ["N", columns])],
    outputs: [tensorInfo("score", "FLOAT", ["N", 1])],
    nodes: [node("MatMul", ["features", "weights"], ["sum"]), node("Sigmoid", ["sum"], ["score"])],
    initializers: [storedTensor("weights", [columns, 1], weights)],
  });
}

/** `rowCount` rows, all different. */
export function benchRows(rowCount: number): Float32Array {
  const random = seeded(3);
  return Float32Array.from({ length: rowCount * COLUMNS }, random);
}

/** A model repository with both, `gbdt30` and `lr30`, in a folder of its own; whoever asked for it removes it. */
export function benchRepository(): string {
  return repositoryOf([
    ["gbdt30", treeModel()],
    ["lr30", logisticModel()],
  ]);
}

/** A model repository of models by name, in a folder of its own; whoever asked for it removes it. */
export function repositoryOf(models: readonly (readonly [name: string, bytes: Uint8Array])[]): string {
  const folder = mkdtempSync(join(tmpdir(), "assay-bench-"));
  for (const [name, bytes] of models) {
    mkdirSync(join(folder, name, "1"), { recursive: true });
    writeFileSync(join(folder, name, "1", "model.onnx"), bytes);
  }
  return folder;
}
