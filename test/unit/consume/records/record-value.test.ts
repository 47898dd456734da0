import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { PredictRequestSchema } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { readRecordValue, type ValueFormat } from "../../../../src/consume/records/record-value.ts";

const MODEL = { modelName: "m", modelVersion: "2", askedVersion: "prod" };
const FRAME = Buffer.of(0, 0, 0, 1, 7);
const read = (value: Buffer | string | null, format: ValueFormat = "auto") =>
  readRecordValue(typeof value === "string" ? Buffer.from(value) : value, format, MODEL);
const bytes = (init: Parameters<typeof create<typeof PredictRequestSchema>>[1]) =>
  Buffer.from(toBinary(PredictRequestSchema, create(PredictRequestSchema, init)));

test("an object is a row of columns, an array a row of features, a request what it says", () => {
  expect(read('{"age": 39}').asked).toMatchObject({ kind: "rows", rows: [{ age: 39 }] });
  expect(read(" \n[1, 2.5, null]").asked).toMatchObject({ kind: "features", features: [1, 2.5, Number.NaN] });
  expect(read('{"features": [1], "request_id": "a"}').asked).toMatchObject({
    kind: "features",
    requestId: "a",
  });
  expect(read('{"rows": [{"a": 1}, {"a": 2}]}').asked).toMatchObject({
    kind: "rows",
    rows: [{ a: 1 }, { a: 2 }],
  });
  // A column of that name beside others is a column.
  expect(read('{"rows": [1], "age": 3}').asked).toMatchObject({
    kind: "rows",
    rows: [{ rows: [1], age: 3 }],
  });
});

test("a request in protobuf is told from JSON, also where its first octet is a line feed", () => {
  for (const modelName of ["m", "", "m"]) {
    expect(read(bytes({ modelName, features: [1, 2] })).asked).toMatchObject({ kind: "features" });
  }
  const long = { ...MODEL, modelName: "m".repeat(0x7b) };
  const value = bytes({ modelName: long.modelName, features: [1] });
  expect(value.subarray(0, 2)).toEqual(Buffer.of(0x0a, 0x7b));
  expect(readRecordValue(value, "auto", long).asked.kind).toBe("features");
  expect(readRecordValue(value, "protobuf", long).asked.kind).toBe("features");
  expect(read('\n{"age": 1}\n').asked.kind).toBe("rows");
});

test("a schema id in front is kept: with JSON alone, with protobuf the path of the message's type too", () => {
  const json = read(Buffer.concat([FRAME, Buffer.from('{"age": 1}')]));
  expect(json).toMatchObject({ asked: { kind: "rows" }, frame: FRAME });
  const message = bytes({ features: [1] });
  const paths = [Buffer.of(0), Buffer.of(2, 2), Buffer.of(4, 2, 0x80, 1)];
  for (const path of paths) {
    const framed = read(Buffer.concat([FRAME, path, message]));
    expect(framed).toMatchObject({ asked: { kind: "features" }, frame: Buffer.concat([FRAME, path]) });
  }
  expect(read(Buffer.concat([FRAME, Buffer.of(0x80)])).asked).toMatchObject({ kind: "fault" });
  expect(read(Buffer.concat([FRAME, Buffer.of(1)])).asked).toMatchObject({ kind: "fault" });
});

test("JSON that is no UTF-8 is refused, and not read as another text", () => {
  const latin = Buffer.from('{"city": "Z\u00fcrich"}', "latin1");
  expect(read(latin).asked).toMatchObject({
    kind: "fault",
    fault: { message: expect.stringContaining("UTF-8") },
  });
  expect(read('{"city": "Z\u00fcrich"}').asked).toMatchObject({
    kind: "rows",
    rows: [{ city: "Z\u00fcrich" }],
  });
});

test("no value is a deleted row; what cannot be read says where", () => {
  expect(read(null).asked).toEqual({ kind: "deleted" });
  const faults = ["", "nothing", '{"age"', "[1, true]", "[]", '"text"', '{"inputs": [{"name": 3}]}'];
  for (const text of faults) expect(read(text, "json").asked, text).toMatchObject({ kind: "fault" });
  expect(read("[1, true]").asked).toMatchObject({ fault: { field: "features[1]" } });
  expect(read(Buffer.of(0xff, 0xff), "protobuf").asked).toMatchObject({ kind: "fault" });
});

test("another model or version than the one that scores is a fault; the one that was asked for is not", () => {
  expect(read('{"model_name": "n", "features": [1]}').asked).toMatchObject({
    fault: { field: "model_name" },
  });
  for (const version of ["2", "prod", ""]) {
    expect(read(`{"model_version": "${version}", "features": [1]}`).asked.kind).toBe("features");
  }
  expect(read('{"model_version": "1", "features": [1]}').asked).toMatchObject({
    fault: { field: "model_version" },
  });
});

test("what asks for outputs or brings tensors goes alone", () => {
  expect(read(bytes({ features: [1], outputNames: ["*"] })).asked.kind).toBe("request");
  expect(read(bytes({ inputs: [{ name: "x", datatype: "FP32", shape: [1n, 1n] }] })).asked.kind).toBe(
    "request",
  );
  expect(read(bytes({})).asked.kind).toBe("request");
});
