import { tensorFromJson } from "../../tensor/json-tensor.ts";
import type { TensorData } from "../../tensor/tensor-data.ts";
import type { GoldenCase } from "../prepared-model.ts";
import { quoted, refusal } from "../refusal.ts";

/** Where a case gives no tolerance. */
export const DEFAULT_TOLERANCE = { abs: 1e-4, rel: 1e-4 };

/**
 * Reads golden.json: a list of cases (or one), each `inputs` and `outputs` in Open Inference JSON, as a list or as an object
 * by name, and a `tolerance` of `abs` and `rel`. Throws MODEL_INVALID that names the case and the tensor.
 */
export function readGoldenFile(text: string, fileName = "golden.json"): GoldenCase[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw refusal(`${fileName}: not JSON: ${(cause as Error).message}`, cause);
  }
  const cases = Array.isArray(parsed) ? parsed : [parsed];
  if (cases.length === 0)
    throw refusal(`${fileName}: an empty list; expected at least one case, or no such file`);
  return cases.map((value, index) => readCase(value, `${fileName}: case ${index}`));
}

function readCase(value: unknown, place: string): GoldenCase {
  if (typeof value !== "object" || value === null) {
    throw refusal(`${place}: ${JSON.stringify(value)} came, expected an object with inputs and outputs`);
  }
  const { inputs, outputs, tolerance } = value as Record<string, unknown>;
  return {
    inputs: readTensors(inputs, `${place}: inputs`),
    outputs: readTensors(outputs, `${place}: outputs`),
    tolerance: readTolerance(tolerance, place),
  };
}

function readTensors(value: unknown, place: string): TensorData[] {
  if (typeof value !== "object" || value === null) {
    throw refusal(`${place}: missing; expected a list of tensors (name, datatype, shape, data)`);
  }
  const entries: [unknown, unknown][] = Array.isArray(value)
    ? value.map((tensor: unknown) => [(tensor as { name?: unknown } | null)?.name, tensor])
    : Object.entries(value);
  if (entries.length === 0) throw refusal(`${place}: no tensor; expected at least one`);
  return entries.map(([name, tensor], index) => {
    if (typeof name !== "string" || name === "")
      throw refusal(`${place}[${index}]: has no name; expected one`);
    try {
      return tensorFromJson(name, tensor);
    } catch (cause) {
      throw refusal(`${place}: ${quoted(name)}: ${(cause as Error).message}`, cause);
    }
  });
}

function readTolerance(value: unknown, place: string): GoldenCase["tolerance"] {
  if (value === undefined) return DEFAULT_TOLERANCE;
  const { abs = 0, rel = 0 } = (value ?? {}) as Record<string, unknown>;
  const sound = (number: unknown): number is number =>
    typeof number === "number" && number >= 0 && Number.isFinite(number);
  if (typeof value !== "object" || value === null || !sound(abs) || !sound(rel)) {
    throw refusal(
      `${place}: tolerance is ${JSON.stringify(value)}; expected {"abs": number, "rel": number}, neither below 0`,
    );
  }
  return { abs, rel };
}
