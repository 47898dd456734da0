import { expect, test } from "vitest";
import type { RowWriter } from "../../../../src/batcher/batcher.ts";
import type { Batching, ModelSignature, TensorSpec } from "../../../../src/model/signature.ts";
import { addDefaultInputs, byteCount } from "../../../../src/service/check/checked-rows.ts";
import { copyValues } from "../../../../src/service/check/input-values.ts";
import type { TensorData } from "../../../../src/tensor/tensor-data.ts";

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
  return {
    inputs,
    outputs: [],
    score: undefined,
    labelOutput: undefined,
    labels: [],
    batching,
    ignoreUnknownColumns: false,
  };
}

/** A writer of input 1. */
function writer(target: { numbers?: Float32Array; texts?: string[] }): RowWriter {
  return {
    numeric: () => target.numbers!,
    strings: (_, values) => target.texts!.push(...values),
  };
}

const x = { name: "x", datatype: "FP32", tailShape: [2], values: { kind: "numbers", values: [] } } as const;
const numbers: TensorData = { name: "d", datatype: "FP32", shape: [1, 2], data: Float32Array.of(3, 4) };
const texts: TensorData = { name: "d", datatype: "BYTES", shape: [1, 2], data: ["a", "b"] };

test("a default is fed to each row", () => {
  const { inputs } = addDefaultInputs({ rowCount: 2, inputs: [x] }, signature(numbers, "across-requests"));
  expect(inputs[1]).toMatchObject({ name: "d", datatype: "FP32", tailShape: [2] });
  const target = new Float32Array(6);
  copyValues(inputs[1]!.values, writer({ numbers: target }), 1, 2, 6);
  expect([...target]).toEqual([3, 4, 3, 4, 3, 4]);
});

test("a default of texts is fed to each row", () => {
  const { inputs } = addDefaultInputs({ rowCount: 2, inputs: [x] }, signature(texts, "single-rows"));
  const target: string[] = [];
  copyValues(inputs[1]!.values, writer({ texts: target }), 1, 0, 4);
  expect(target).toEqual(["a", "b", "a", "b"]);
});

test("a default of a megabyte a row costs a request of 8,000 rows nothing, and counts for the queue in full", () => {
  const large: TensorData = { ...numbers, shape: [1, 262_144], data: new Float32Array(262_144) };
  const before = process.memoryUsage().arrayBuffers;
  const rows = addDefaultInputs({ rowCount: 8000, inputs: [x] }, signature(large, "across-requests"));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24);
  expect(byteCount(rows)).toBeGreaterThan(8000 * 2 ** 20);
});

test("without a batch dimension a default is fed whole", () => {
  const { inputs } = addDefaultInputs({ rowCount: 1, inputs: [x] }, signature(numbers, "no-batch-dimension"));
  expect(inputs[1]?.tailShape).toEqual([1, 2]);
});

test("an input that came is not fed again", () => {
  const rows = { rowCount: 1, inputs: [x, { ...x, name: "d" }] };
  expect(addDefaultInputs(rows, signature(numbers, "across-requests"))).toBe(rows);
});
