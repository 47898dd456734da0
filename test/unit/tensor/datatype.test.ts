import { getOption } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { TensorContentsSchema, TensorSchema } from "../../../gen/assay/v1/tensor_pb.ts";
import { field as fieldRules } from "../../../gen/buf/validate/validate_pb.ts";
import {
  DATATYPE_NAMES,
  elementOf,
  isDatatype,
  numberOf,
  numbersOf,
  numericView,
  rowOf,
} from "../../../src/tensor/datatype.ts";

test("the schema and the table name the same datatypes", () => {
  const rules = getOption(TensorSchema.field.datatype, fieldRules).type;
  const allowed = rules.case === "string" ? rules.value.in : [];
  expect([...allowed].sort()).toEqual([...DATATYPE_NAMES].sort());
  expect(["FP8", "constructor", ""].filter(isDatatype)).toEqual([]);
});

test.each(DATATYPE_NAMES)(
  "%s has a list of the schema or raw contents only, and arrays of its size",
  (datatype) => {
    const { kind, elementBytes, contents } = rowOf(datatype);
    if (contents === undefined) expect(rowOf(datatype).bits).toBeDefined();
    else expect(TensorContentsSchema.field).toHaveProperty(contents);
    if (datatype === "BYTES") return expect(kind).toBe("text");
    const view = numericView(datatype, new ArrayBuffer(16), elementBytes, 1);
    expect([view.BYTES_PER_ELEMENT, view.byteOffset, view.length]).toEqual([elementBytes, elementBytes, 1]);
  },
);

test("no two datatypes have the same number in files or the same name in a session", () => {
  const rows = DATATYPE_NAMES.map(rowOf);
  expect(new Set(rows.map(({ elementType }) => elementType)).size).toBe(rows.length);
  const names = rows.flatMap(({ sessionType }) => sessionType ?? []);
  expect(new Set(names).size).toBe(names.length);
});

test("numbers of 16-bit floats are those of their bits, all others stand for themselves", () => {
  expect([numberOf("FP16", 0x3e00), numberOf("BF16", 0x3fc0), numberOf("UINT16", 7)]).toEqual([1.5, 1.5, 7]);
  expect([elementOf("FP16", 1.5), elementOf("BF16", 1.5), elementOf("FP32", 1.5)]).toEqual([
    0x3e00, 0x3fc0, 1.5,
  ]);
  expect(numbersOf("BF16", Uint16Array.of(0x4000, 0xff80))).toEqual([2, Number.NEGATIVE_INFINITY]);
  expect(numbersOf("INT64", BigInt64Array.of(-3n))).toEqual([-3]);
  const floats = Float32Array.of(0.5);
  expect(numbersOf("FP32", floats)).toBe(floats);
});

test("the largest number of FP32 is the last that is not rounded to infinity", () => {
  const { largest } = rowOf("FP32");
  const next = new Float64Array([largest!]);
  new BigUint64Array(next.buffer)[0]! += 1n;
  expect([Math.fround(largest!), Math.fround(next[0]!)]).toEqual([3.4028234663852886e38, Infinity]);
});
