import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { tensorFromJson } from "../src/tensor/json-tensor.ts";
import type { TensorData } from "../src/tensor/tensor-data.ts";

/** The folder of models that others made, beside the checkout; absent on most machines. */
export const SHARED_MODELS = fileURLToPath(new URL("../../shared/models/", import.meta.url));

/** Why tests over that folder are skipped, or undefined where it is there. */
export const sharedModelsMissing: string | undefined = existsSync(SHARED_MODELS)
  ? undefined
  : "skipped: ../shared/models is absent";

if (sharedModelsMissing !== undefined) console.log(sharedModelsMissing);

/** One of `exports/cases`: inputs, and what the training library predicts. */
export interface ExportCase {
  readonly file: string;
  readonly model: string;
  readonly coupled: boolean;
  readonly inputs: readonly TensorData[];
  readonly outputs: readonly TensorData[];
  readonly tolerance: { readonly abs: number; readonly rel: number };
}

/** Reads `exports/cases/<file>`. */
export function readExportCase(file: string): ExportCase {
  const parsed = JSON.parse(readFileSync(`${SHARED_MODELS}exports/cases/${file}`, "utf8")) as {
    model: string;
    coupled?: boolean;
    inputs: Record<string, unknown>;
    outputs: Record<string, unknown>;
    tolerance: { abs: number; rel: number };
  };
  const tensors = (part: Record<string, unknown>) =>
    Object.entries(part).map(([name, value]) => tensorFromJson(name, value));
  return {
    file,
    model: parsed.model,
    coupled: parsed.coupled ?? false,
    inputs: tensors(parsed.inputs),
    outputs: tensors(parsed.outputs),
    tolerance: parsed.tolerance,
  };
}

/** One of `cases`: a request in Open Inference JSON, and what comes. */
export function readRequestCase(file: string): Omit<ExportCase, "coupled"> {
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
    inputs: tensors(parsed.request.inputs),
    outputs: tensors(parsed.response.outputs),
    tolerance: { abs: parsed.tolerance, rel: parsed.tolerance },
  };
}
