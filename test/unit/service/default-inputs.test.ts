import { expect, test } from "vitest";
import type { Batching, ModelSignature, TensorSpec } from "../../../src/model/signature.ts";
import { addDefaultInputs } from "../../../src/service/default-inputs.ts";
import type { TensorData } from "../../../src/tensor/tensor-data.ts";

function signature(defaultValue: TensorData, batching: Batching): ModelSignature {
  const spec = (name: string): TensorSpec => ({
    name,
    datatype: defaultValue.datatype,
    shape: [-1, 2],
    optional: name === "d",
    featureNames: [],
    labels: [],
    aliases: [],
    rejectNan: false,
  });
  const inputs = [spec("x"), { ...spec("d"), defaultValue }];
  return { inputs, outputs: [], score: undefined, labels: [], batching, ignoreUnknownColumns: false };
}

const x = { name: "x", datatype: "FP32", tailShape: [2], values: { kind: "numbers", values: [] } } as const;
const numbers: TensorData = { name: "d", datatype: "FP32", shape: [1, 2], data: Float32Array.of(3, 4) };
const texts: TensorData = { name: "d", datatype: "BYTES", shape: [1, 2], data: ["a", "b"] };

test("a default is fed to each row", () => {
  const { inputs } = addDefaultInputs({ rowCount: 2, inputs: [x] }, signature(numbers, "across-requests"));
  const bytes = new Uint8Array(Float32Array.of(3, 4, 3, 4).buffer);
  expect(inputs[1]).toEqual({ name: "d", datatype: "FP32", tailShape: [2], values: { kind: "raw", bytes } });
});

test("a default of texts is fed to each row", () => {
  const { inputs } = addDefaultInputs({ rowCount: 2, inputs: [x] }, signature(texts, "single-rows"));
  expect(inputs[1]?.values).toEqual({ kind: "strings", values: ["a", "b", "a", "b"] });
});

test("without a batch dimension a default is fed whole", () => {
  const { inputs } = addDefaultInputs({ rowCount: 1, inputs: [x] }, signature(numbers, "no-batch-dimension"));
  expect(inputs[1]?.tailShape).toEqual([1, 2]);
});

test("an input that came is not fed again", () => {
  const rows = { rowCount: 1, inputs: [x, { ...x, name: "d" }] };
  expect(addDefaultInputs(rows, signature(numbers, "across-requests"))).toBe(rows);
});
