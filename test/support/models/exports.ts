import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { PreparedModel } from "../../../src/model/prepared-model.ts";
import { scanPath } from "../../../src/model/repository.ts";
import { tensorFromJson } from "../../../src/tensor/json-tensor.ts";
import type { TensorData } from "../../../src/tensor/tensor-data.ts";

const EXPORTS = fileURLToPath(new URL("../../data/exports/", import.meta.url));

/** The model repository of exports as training scripts leave them. */
export const EXPORTED_MODELS = `${EXPORTS}models`;

/** Inputs for one model, and what the training library predicts. */
export interface ExportCase {
  readonly file: string;
  readonly model: string;
  readonly coupled: boolean;
  readonly inputs: readonly TensorData[];
  readonly outputs: readonly TensorData[];
  readonly tolerance: { readonly abs: number; readonly rel: number };
}

/** The names of all cases. */
export function exportCases(): readonly string[] {
  return readdirSync(`${EXPORTS}cases`);
}

/** Reads one case. */
export function readExportCase(file: string): ExportCase {
  const parsed = JSON.parse(readFileSync(`${EXPORTS}cases/${file}`, "utf8")) as {
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

/** One of the models, prepared for serving. */
export async function exportedModel(name: string): Promise<PreparedModel> {
  const [found] = await scanPath(`${EXPORTED_MODELS}/${name}`);
  if (found?.kind !== "prepared") throw new Error(`${name} is refused`);
  return found.model;
}
