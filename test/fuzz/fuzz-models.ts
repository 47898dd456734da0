/** The models that cases are sent to: the examples, and some that take what the examples do not. */
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { echoModels } from "../support/clients/large-messages.ts";
import { wideModel } from "../support/clients/loop-attacks.ts";
import { onnxModel, type TestModel } from "../support/models/onnx-model.ts";

const EXAMPLES = fileURLToPath(new URL("../../models", import.meta.url));
/** Inputs of `many`. */
export const MANY_INPUTS = 300;

const AXES = ["rows", "width", "depth"];

/** Gives back what it is given: answers are as long as requests. */
function echoModel(name: string, datatype: "FP32" | "INT64" | "BYTES", shape: readonly number[]): TestModel {
  return onnxModel(name, {
    inputs: [{ name: "x", datatype, shape, axes: AXES }],
    outputs: [{ name: "y", datatype, shape, axes: AXES }],
    nodes: [{ op: "Identity", inputs: ["x"], outputs: ["y"] }],
  });
}

/** Inputs that are no columns, since a row of each is a list. */
function manyModel(): TestModel {
  const inputs = Array.from({ length: MANY_INPUTS }, (_, i) => ({
    name: `in${i}`,
    datatype: "FP32" as const,
    shape: [-1, -1],
    axes: AXES,
  }));
  return onnxModel("many", {
    inputs,
    outputs: [{ name: "y", datatype: "FP32", shape: [-1, -1], axes: AXES }],
    nodes: [{ op: "Sum", inputs: inputs.map(({ name }) => name), outputs: ["y"] }],
  });
}

/** Writes them as a model repository. */
export function writeFuzzModels(folder: string): void {
  cpSync(EXAMPLES, folder, { recursive: true });
  const models = [
    ...echoModels(),
    wideModel(),
    manyModel(),
    echoModel("floats", "FP32", [-1, -1]),
    echoModel("cubes", "FP32", [-1, -1, -1]),
    echoModel("longs", "INT64", [-1, -1]),
    echoModel("texts", "BYTES", [-1, -1]),
  ];
  for (const { modelName, bytes } of models) {
    const version = join(folder, modelName, "1");
    mkdirSync(version, { recursive: true });
    writeFileSync(join(version, "model.onnx"), bytes);
  }
}
