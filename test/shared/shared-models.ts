import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { tensorFromJson } from "../../src/tensor/json-tensor.ts";
import type { ExportCase } from "../support/models/exports.ts";

/** The folder beside the checkout that holds models and tables which are too many to be kept in it. */
export const SHARED = fileURLToPath(new URL("../../../shared/", import.meta.url));

/** Models that others made. */
export const SHARED_MODELS = `${SHARED}models/`;

/** One of `models/cases`: a request in Open Inference JSON, and what comes. */
export function readRequestCase(file: string): ExportCase {
  const parsed = JSON.parse(readFileSync(`${SHARED_MODELS}cases/${file}`, "utf8")) as {
    model: string;
    tolerance: number;
    request: { inputs: { name: string }[] };
    response: { outputs: { name: string }[] };
  };
  const [fileName = "", version, folder] = parsed.model.split("/").reverse();
  const tensors = (list: readonly { name: string }[]) => list.map((one) => tensorFromJson(one.name, one));
  return {
    file,
    model: fileName === "model.onnx" && version === "1" ? folder! : fileName.slice(0, -".onnx".length),
    coupled: false,
    inputs: tensors(parsed.request.inputs),
    outputs: tensors(parsed.response.outputs),
    tolerance: { abs: parsed.tolerance, rel: parsed.tolerance },
  };
}
