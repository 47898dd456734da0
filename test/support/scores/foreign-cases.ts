import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { expect } from "vitest";
import { type Model, ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { compareOutputs } from "../../../src/model/gate/compare-outputs.ts";
import { numberOf } from "../../../src/tensor/datatype.ts";
import { tensorFromJson } from "../../../src/tensor/json-tensor.ts";
import type { TensorData } from "../../../src/tensor/tensor-data.ts";
import type { ExportCase } from "../models/exports.ts";
import { fromMessage } from "../models/tensor-messages.ts";

/** Sends one case as columns and as rows, in the forms of KServe v1 and MLflow, and fails unless all outputs are the training library's. */
export async function checkForeignForms(url: string, one: ExportCase): Promise<void> {
  const rowCount = one.inputs[0]!.shape[0]!;
  const inputs = Object.fromEntries(one.inputs.map((input) => [input.name, nested(input)]));
  const instances = Array.from({ length: rowCount }, (_, row) =>
    Object.fromEntries(one.inputs.map(({ name }) => [name, (inputs[name] as unknown[])[row]])),
  );
  const v1 = `/v1/models/${one.model}:predict`;
  const columns = await answered(url, v1, { inputs, signature_name: "outputs" });
  checkColumns(one, rowCount, columns.outputs);
  const rows = await answered(url, v1, { instances, signature_name: "outputs" });
  checkRows(one, rowCount, rows.predictions);
  const mlflow = { inputs, params: { predictions: "outputs" } };
  checkRows(one, rowCount, (await answered(url, `/invocations/${one.model}`, mlflow)).predictions);
}

/** Sends the example request of each model that is ready natively and in both forms, and fails unless they score it alike. */
export async function checkForeignExamples(url: string, models: Iterable<Model>): Promise<void> {
  const client = createClient(ScoringService, createConnectTransport({ baseUrl: url, httpVersion: "1.1" }));
  for (const { modelName, state, exampleRequest } of models) {
    if (state !== ModelState.READY) continue;
    const { scores, labels } = await client.predict({ ...exampleRequest!, modelName });
    const { features, rows, inputs } = exampleRequest!;
    const tensors = inputs.map(fromMessage);
    const byName = Object.fromEntries(tensors.map((input) => [input.name, nested(input)]));
    const body =
      features.length > 0
        ? { instances: [features] }
        : rows.length > 0
          ? { instances: rows }
          : { inputs: byName };
    const wanted = scores.length > 0 ? scores : labels;
    const v1 = await answered(url, `/v1/models/${modelName}:predict`, body);
    const mlflow = await answered(url, `/invocations/${modelName}`, body);
    if (wanted.length === 0) continue;
    const shown = wanted.map((value) => (typeof value === "number" && Number.isNaN(value) ? null : value));
    expect([modelName, v1.predictions ?? v1.outputs, mlflow.predictions]).toEqual([modelName, shown, shown]);
  }
}

async function answered(
  url: string,
  path: string,
  body: unknown,
): Promise<{ outputs?: unknown; predictions?: unknown }> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text.slice(0, 500)}`);
  return JSON.parse(text) as { outputs?: unknown; predictions?: unknown };
}

/** One output comes without its name. */
function checkColumns(one: ExportCase, rowCount: number, answer: unknown): void {
  const columns = Array.isArray(answer) ? { [one.outputs[0]!.name]: answer as unknown } : (answer as object);
  const outputs = Object.entries(columns).flatMap(([name, data]) => tensor(one, name, data));
  expect(compareOutputs(outputs, one.outputs, rowCount, one.tolerance), one.file).toBeUndefined();
}

/** Outputs that have no value for each row come as columns here too. */
function checkRows(one: ExportCase, rowCount: number, answer: unknown): void {
  const [first] = Array.isArray(answer) ? (answer as unknown[]) : [];
  if (typeof first !== "object" || first === null || Array.isArray(first)) {
    checkColumns(one, rowCount, answer);
    return;
  }
  const rows = answer as Record<string, unknown>[];
  const names = Object.keys(first);
  checkColumns(one, rowCount, Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name])])));
}

/** None where the case says nothing of the output. */
function tensor({ outputs }: ExportCase, name: string, data: unknown): TensorData[] {
  const wanted = outputs.find((output) => output.name === name);
  if (wanted === undefined) return [];
  const shape: number[] = [];
  for (let inner = data; Array.isArray(inner); inner = inner[0] as unknown) shape.push(inner.length);
  return [tensorFromJson(name, { datatype: wanted.datatype, shape, data })];
}

function nested({ datatype, data, shape }: TensorData): unknown {
  let values: unknown[] = Array.from(data as ArrayLike<unknown>, (value) => {
    if (datatype === "BOOL") return value !== 0;
    if (typeof value !== "number") return typeof value === "bigint" ? Number(value) : value;
    const number = numberOf(datatype, value);
    return Number.isNaN(number) ? null : number;
  });
  for (const length of shape.slice(1).reverse()) {
    const lists: unknown[][] = [];
    for (let from = 0; from < values.length; from += length) lists.push(values.slice(from, from + length));
    values = lists;
  }
  return values;
}
