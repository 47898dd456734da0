import type { JsonValue } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { cellFault, readCell } from "../../../../src/service/check/row-cells.ts";
import type { Datatype } from "../../../../src/tensor/datatype.ts";
import { spec } from "../../../support/models/signatures.ts";

function column(datatype: Datatype, rejectNan = false) {
  return {
    name: "c",
    position: 0,
    inputIndex: 0,
    offset: 0,
    spec: spec("c", datatype, [-1, 1], { rejectNan }),
  };
}

const cases: [Datatype, JsonValue, unknown][] = [
  ["FP32", 1.5, 1.5],
  ["FP32", null, Number.NaN],
  ["FP32", true, 1],
  ["FP32", 1e39, "value.range"],
  ["FP32", "1", "signature.type"],
  ["FP64", Number.POSITIVE_INFINITY, "value.finite"],
  ["FP16", 65504, 65504],
  ["FP16", 65505, "value.range"],
  ["BF16", 3.3e38, 3.3e38],
  ["BF16", 3.395e38, "value.range"],
  ["INT8", -128, -128],
  ["INT8", 128, "value.range"],
  ["UINT8", -1, "value.range"],
  ["INT64", 2 ** 53, "value.integer"],
  ["INT64", 1.5, "value.integer"],
  ["INT32", false, 0],
  ["INT32", null, "signature.type"],
  ["BOOL", true, true],
  ["BOOL", 1, "signature.type"],
  ["BYTES", "ü", "ü"],
  ["BYTES", "", ""],
  ["BYTES", "a\0b", "value.nul"],
  ["BYTES", "\ud800", "value.utf8"],
  ["BYTES", ["a"], "signature.type"],
];

test.each(cases)("a column of %s reads %j as %j", (datatype, value, expected) => {
  const cell = readCell(value, column(datatype));
  if (cell === undefined) expect(cellFault(value, column(datatype)).rule).toBe(expected);
  else expect(cell).toEqual(expected);
});

test("NaN is refused where the configuration says so", () => {
  expect(readCell(null, column("FP32", true))).toBeUndefined();
  expect(cellFault(null, column("FP32", true)).rule).toBe("value.nan");
});

test("what is not read has a fault that says what came, within a line", () => {
  const datatype = fc.constantFrom<Datatype[]>(
    "FP16",
    "FP32",
    "FP64",
    "INT8",
    "UINT16",
    "INT64",
    "BOOL",
    "BYTES",
  );
  const value = fc.jsonValue({ maxDepth: 2 }).map((one) => one as JsonValue);
  fc.assert(
    fc.property(
      datatype,
      fc.oneof(value, fc.double(), fc.constant("x".repeat(100_000))),
      fc.boolean(),
      (type, came, rejectNan) => {
        const one = column(type, rejectNan);
        if (readCell(came, one) !== undefined) return;
        const { rule, description } = cellFault(came, one);
        expect(rule).not.toBe("");
        expect(description.length).toBeLessThan(300);
      },
    ),
    { numRuns: 2000 },
  );
});
