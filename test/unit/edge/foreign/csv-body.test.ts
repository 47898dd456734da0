import { expect, test } from "vitest";
import { readCsv } from "../../../../src/edge/foreign/csv-body.ts";
import { BodyReading } from "../../../../src/edge/foreign/foreign-decoding.ts";
import type { AssayError } from "../../../../src/errors.ts";
import { mapRowColumns } from "../../../../src/model/row-columns.ts";
import type { ServedModel } from "../../../../src/registry/served-model.ts";
import { signature, spec } from "../../../support/models/signatures.ts";

const MODEL = {
  modelName: "m",
  modelVersion: "1",
  signature: signature([spec("a", "FP64", [-1, 1]), spec("b", "FP64", [-1, 1])]),
} as ServedModel;
const SERVED: ServedModel = { ...MODEL, rowColumns: mapRowColumns(MODEL.signature) };

function read(text: string, served = SERVED) {
  const reading = new BodyReading(served, text.length, {
    maxMessageBytes: 2 ** 24,
    ignoreUnknownFields: false,
  });
  let pieces = 1;
  for (const steps = readCsv(text, reading); steps.next().done !== true; ) pieces++;
  try {
    reading.faults.throwIfAny();
    return { pieces, told: [], fields: [], rows: reading.rows };
  } catch (error) {
    const { violations } = error as AssayError;
    return {
      pieces,
      told: violations.map(({ description }) => description),
      fields: violations.map(({ field }) => field),
      rows: reading.rows,
    };
  }
}

test.each([
  ["1", 1],
  ["-1.", -1],
  [".5", 0.5],
  ["+1.25e-2", 0.0125],
  ["NaN", null],
  ["True", true],
  ["1e", "1e"],
  [".", "."],
  ["1.2.3", "1.2.3"],
])("the cell %s is %s", (cell, value) => {
  expect(read(`a,b\n${cell},2`).rows.request.rows).toEqual([{ a: value, b: 2 }]);
});

// Read digit by digit from each of its digits on, one cell of a mebibyte would take hours.
test.each([
  `${"1".repeat(1_000_000)}x`,
  `${"1".repeat(500_000)}.${"1".repeat(500_000)}e`,
  "1".repeat(1_000_000),
])("a cell of a million digits is looked at once", (cell) => {
  const { rows, told } = read(`a,b\n${cell},2`);
  expect(told).toEqual([]);
  expect(rows.request.rows).toEqual([{ a: cell, b: 2 }]);
});

test("a header of a million digits is looked at once", () => {
  expect(read(`${"1".repeat(1_000_000)}x,b\n1,2`).told[0]).toMatch(/^the model has no column "11+/);
});

test("long cells give the event loop back as many short ones do", () => {
  const long = read(`a,b\n${`${"x".repeat(100_000)},1\n`.repeat(40)}`).pieces;
  expect(long).toBeGreaterThan(20);
});

test("a cell that is no number of a vector is told by its line", () => {
  const vector = { ...MODEL, signature: signature([spec("features", "FP32", [-1, 2])]) };
  const served: ServedModel = { ...vector, rowColumns: mapRowColumns(vector.signature) };
  const { told, fields } = read("x,y\n1,2\nmany,2", served);
  expect(fields).toEqual(["line 3[0]"]);
  expect(told).toEqual([expect.stringContaining('"many" came')]);
});
