import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";

/** A tensor as `golden.json` has it: Open Inference JSON, null for NaN. */
interface GoldenTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: readonly (number | string | boolean | null)[];
}

/** One case of an example model: what the training library answers to `inputs`. */
export interface GoldenCase {
  readonly model: string;
  readonly inputs: readonly GoldenTensor[];
  readonly outputs: readonly GoldenTensor[];
  readonly tolerance: { readonly abs: number; readonly rel: number };
}

/** A message as protojson writes it. */
export type Json = Record<string, unknown>;

/** Every golden case in a model repository, by model and then in the order of the file. */
export function goldenCases(repository: string): readonly GoldenCase[] {
  return readdirSync(repository).flatMap((model) => {
    const text = readFileSync(join(repository, model, "1/golden.json"), "utf8");
    return (JSON.parse(text) as Omit<GoldenCase, "model">[]).map((one) => ({ model, ...one }));
  });
}

/** The PredictRequest of a case as protojson; `raw` sends little-endian bytes instead of typed lists. */
export function goldenRequest(golden: GoldenCase, raw = false): Json {
  const inputs = golden.inputs.map((input) => ({
    name: input.name,
    datatype: input.datatype,
    shape: input.shape.map(String),
    ...(raw ? { rawContents: rawContents(input) } : { contents: typedContents(input) }),
  }));
  return { modelName: golden.model, inputs, outputNames: ["*"] };
}

/** The columns of the one example model whose columns stand in a vector; what housing.py calls them. */
const HOUSING = [
  "longitude",
  "latitude",
  "housing_median_age",
  "total_rooms",
  "total_bedrooms",
  "population",
  "households",
  "median_income",
];

/** The rows of a case as cases of one row each. */
export function singleRows(golden: GoldenCase): readonly GoldenCase[] {
  const count = golden.inputs[0]?.shape[0] ?? 0;
  const cut = (tensor: GoldenTensor, row: number): GoldenTensor => {
    const width = tensor.data.length / count;
    return {
      ...tensor,
      shape: [1, ...tensor.shape.slice(1)],
      data: tensor.data.slice(row * width, (row + 1) * width),
    };
  };
  return Array.from({ length: count }, (_, row) => ({
    ...golden,
    inputs: golden.inputs.map((input) => cut(input, row)),
    outputs: golden.outputs.map((output) => cut(output, row)),
  }));
}

/** The same rows by column name: one input a column, or the named columns of a vector. */
export function goldenRows(golden: GoldenCase): Json {
  const count = golden.inputs[0]?.shape[0] ?? 0;
  const columns = golden.inputs.flatMap(({ name, data }) =>
    golden.model === "housing"
      ? HOUSING.map((column, at) => ({
          column,
          values: data.filter((_, index) => index % HOUSING.length === at),
        }))
      : [{ column: name, values: data }],
  );
  const rows = Array.from({ length: count }, (_, row) =>
    Object.fromEntries(columns.map(({ column, values }) => [column, values[row]])),
  );
  return { modelName: golden.model, rows, outputNames: ["*"] };
}

/** Fails unless a PredictResponse in protojson holds the outputs of the case, within its tolerance. */
export function expectGolden(response: unknown, golden: GoldenCase): void {
  const { modelName, modelVersion, outputs } = response as {
    modelName: string;
    modelVersion: string;
    outputs: Json[];
  };
  expect({ modelName, modelVersion }).toEqual({ modelName: golden.model, modelVersion: "1" });
  for (const wanted of golden.outputs) {
    const came = outputs.find((output) => output.name === wanted.name);
    if (came === undefined)
      throw new Error(`${golden.model}: no output ${wanted.name} in ${JSON.stringify(response)}`);
    expect(came.datatype).toBe(wanted.datatype);
    expect((came.shape as string[]).map(Number)).toEqual(wanted.shape);
    const values = readValues(came);
    expect(values).toHaveLength(wanted.data.length);
    for (const [index, value] of wanted.data.entries()) {
      if (typeof value !== "number") expect(values[index]).toBe(value);
      else {
        const allowed = golden.tolerance.abs + golden.tolerance.rel * Math.abs(value);
        const difference = Math.abs(Number(values[index]) - value);
        expect(
          difference,
          `${golden.model} ${wanted.name}[${index}]: ${values[index]}, wanted ${value}`,
        ).toBeLessThanOrEqual(allowed);
      }
    }
  }
}

/** Messages that a client printed one after another, each over many lines. */
export function jsonMessages(printed: string): readonly Json[] {
  return JSON.parse(`[${printed.trim().replaceAll(/^}\s*{/gm, "},{")}]`);
}

function typedContents(tensor: GoldenTensor): Json {
  if (tensor.datatype === "FP32") return { fp32Contents: tensor.data.map((value) => value ?? "NaN") };
  if (tensor.datatype === "INT64") return { int64Contents: tensor.data.map(String) };
  if (tensor.datatype === "BYTES")
    return { bytesContents: tensor.data.map((value) => base64(Buffer.from(String(value)))) };
  throw new Error(`golden rows of the example models have no ${tensor.datatype}`);
}

function rawContents(tensor: GoldenTensor): string {
  if (tensor.datatype === "FP32")
    return base64(Float32Array.from(tensor.data, (value) => Number(value ?? Number.NaN)));
  if (tensor.datatype === "INT64")
    return base64(BigInt64Array.from(tensor.data, (value) => BigInt(value as number)));
  const parts = tensor.data.flatMap((value) => {
    const text = Buffer.from(String(value));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(text.length);
    return [length, text];
  });
  return base64(Buffer.concat(parts));
}

function base64(view: ArrayBufferView): string {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString("base64");
}

function readValues(output: Json): readonly unknown[] {
  const {
    contents,
    rawContents: raw,
    datatype,
  } = output as { contents?: Json; rawContents?: string; datatype: string };
  if (raw !== undefined && raw !== "") return readRaw(Buffer.from(raw, "base64"), datatype);
  if (contents?.bytesContents !== undefined) {
    return (contents.bytesContents as string[]).map((text) => Buffer.from(text, "base64").toString());
  }
  return (contents?.fp32Contents ?? contents?.int64Contents ?? []) as unknown[];
}

function readRaw(bytes: Buffer, datatype: string): readonly unknown[] {
  const values: unknown[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (datatype === "FP32") values.push(bytes.readFloatLE(at));
    else if (datatype === "INT64") values.push(bytes.readBigInt64LE(at));
    else {
      const length = bytes.readUInt32LE(at);
      values.push(bytes.toString("utf8", at + 4, at + 4 + length));
      at += length;
    }
    at += datatype === "INT64" ? 8 : 4;
  }
  return values;
}
