import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { BatchingMode, ModelSchema } from "../../../gen/assay/v1/model_service_pb.ts";
import { PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { parseModelName, readRequest, repeatRows, rowsOf } from "../../../src/load/bench-request.ts";

const NO_NAME = { modelName: "", modelVersion: "" };
const model = create(ModelSchema, {
  modelName: "m",
  inputs: [
    { name: "hint", optional: true },
    { name: "x", datatype: "FP32", shape: [-1n, 2n] },
  ],
});

test("a model is named with or without its version", () => {
  expect(parseModelName("iris")).toEqual({ modelName: "iris", modelVersion: "" });
  expect(parseModelName("a:b:12")).toEqual({ modelName: "a:b", modelVersion: "12" });
  expect(parseModelName("")).toEqual(NO_NAME);
});

test("a request is read from JSON, and the model that is named beside it wins", () => {
  const text = '{"model_name": "a", "rows": [{"x": 1}, {"x": null}]}';
  expect(readRequest(text, "r.json", NO_NAME)).toMatchObject({ modelName: "a", modelVersion: "" });
  const named = readRequest(text, "r.json", { modelName: "b", modelVersion: "2" });
  expect(named).toMatchObject({ modelName: "b", modelVersion: "2" });
  expect(rowsOf(named)).toBe(2);
});

test("what is no request is refused with the file's name and what is expected", () => {
  expect(() => readRequest('{"feature": [1]}', "r.json", NO_NAME)).toThrow(
    /--request r\.json is no PredictRequest .*feature/,
  );
  expect(() => readRequest("{", "r.json", NO_NAME)).toThrow("r.json");
  expect(() => readRequest("{}", "r.json", NO_NAME)).toThrow("r.json has no rows");
});

test("a row of features is repeated as a tensor of the model's first input that has to come", () => {
  const request = create(PredictRequestSchema, { modelName: "m", features: [1, 2] });
  const { message, rows } = repeatRows(request, 3, model, false);
  expect(rows).toBe(3);
  expect(message.features).toEqual([]);
  expect(message.inputs).toMatchObject([
    { name: "x", datatype: "FP32", shape: [3n, 2n], contents: { fp32Contents: [1, 2, 1, 2, 1, 2] } },
  ]);
  const raw = repeatRows(request, 2, model, true).message.inputs[0]!;
  expect(new Float32Array(Uint8Array.from(raw.rawContents).buffer)).toEqual(new Float32Array([1, 2, 1, 2]));
  expect(repeatRows(request, 1, undefined, true).message).toBe(request);
});

test("rows, raw and typed tensors are repeated along axis 0", () => {
  const rows = create(PredictRequestSchema, { rows: [{ a: 1 }, { a: 2 }] });
  expect(repeatRows(rows, 2, undefined, true)).toMatchObject({
    rows: 4,
    message: { rows: [{ a: 1 }, { a: 2 }, { a: 1 }, { a: 2 }] },
  });
  const tensors = create(PredictRequestSchema, {
    inputs: [
      { name: "r", datatype: "INT8", shape: [1n, 2n], rawContents: new Uint8Array([7, 8]) },
      { name: "t", datatype: "INT64", shape: [1n], contents: { int64Contents: [5n] } },
    ],
  });
  const { message } = repeatRows(tensors, 2, undefined, false);
  expect([...message.inputs[0]!.rawContents]).toEqual([7, 8, 7, 8]);
  expect(message.inputs).toMatchObject([
    { shape: [2n, 2n] },
    { shape: [2n], contents: { int64Contents: [5n, 5n] } },
  ]);
});

test("rows cannot be repeated without end, nor for a model without a batch dimension", () => {
  const request = create(PredictRequestSchema, { rows: [{ a: 1 }, { a: 2 }] });
  expect(() => repeatRows(request, 65_536, undefined, false)).toThrow("at most 65536 are taken");
  const whole = create(ModelSchema, { modelName: "m", batching: BatchingMode.NO_BATCH_DIMENSION });
  expect(() => repeatRows(request, 2, whole, false)).toThrow("m has no batch dimension");
});
