import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildModel, node, storedTensor, tensorInfo } from "../models/model-builder.ts";

/** `y = 2x` and `z = x + 1` over rows of `width` float values. */
export function doublingModel(width: number | null = 4, rows: number | null = null): Uint8Array {
  return buildModel({
    inputs: [tensorInfo("x", "FLOAT", [rows, width])],
    outputs: [tensorInfo("y", "FLOAT", [rows, width]), tensorInfo("z", "FLOAT", [rows, width])],
    nodes: [node("Mul", ["x", "two"], ["y"]), node("Add", ["x", "one"], ["z"])],
    initializers: [storedTensor("two", [], Float32Array.of(2)), storedTensor("one", [], Float32Array.of(1))],
  });
}

/** A config.pbtxt for `doublingModel`, with more lines at its end. */
export function doublingConfig(more = "", dims = "4", maxBatchSize = 8): string {
  return [
    'platform: "onnxruntime_onnx"',
    `max_batch_size: ${maxBatchSize}`,
    `input [ { name: "x" data_type: TYPE_FP32 dims: [ ${dims} ] } ]`,
    `output [ { name: "y" data_type: TYPE_FP32 dims: [ ${dims} ] }, { name: "z" data_type: TYPE_FP32 dims: [ ${dims} ] } ]`,
    more,
  ].join("\n");
}

/** Writes files, by their path inside a folder. */
export function writeFiles(root: string, files: Readonly<Record<string, Uint8Array | string>>): void {
  for (const [path, content] of Object.entries(files)) {
    const full = join(root, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, content);
  }
}
