import fc from "fast-check";
import { expect, test } from "vitest";
import { storedCell, storedTimeMs, textOfValue, UNFIT } from "../../../../src/model/features/stored-value.ts";

test("float64 and float32 come back bit for bit", () => {
  const same = (value: number, datatype: "FP64" | "FP32"): void => {
    expect(Object.is(storedCell(textOfValue(value), datatype), value)).toBe(true);
  };
  fc.assert(fc.property(fc.double({ noDefaultInfinity: true }), (value) => same(value, "FP64")));
  fc.assert(fc.property(fc.float({ noDefaultInfinity: true }), (value) => same(value, "FP32")));
  for (const value of [0, -0, Number.NaN, 5e-324, Number.MAX_VALUE]) same(value, "FP64");
});

test("text, booleans, integers and nulls come back as what they are", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      if (!text.includes("\u0000")) expect(storedCell(textOfValue(text), "BYTES")).toBe(text);
    }),
  );
  expect(storedCell(textOfValue(true), "BOOL")).toBe(true);
  expect(storedCell("0", "BOOL")).toBe(false);
  expect(storedCell(textOfValue(2n ** 53n - 1n), "INT64")).toBe(2 ** 53 - 1);
  expect(storedCell(textOfValue(null), "FP32")).toBeNaN();
  expect(storedCell(textOfValue(null), "BYTES")).toBeUndefined();
  expect(storedCell(textOfValue(""), "BYTES")).toBe("");
});

test.each([
  ["", "FP32"],
  ["0x10", "INT64"],
  ["1.5", "INT64"],
  ["9007199254740993", "INT64"],
  ["300", "UINT8"],
  ["1e39", "FP32"],
  ["Infinity", "FP64"],
  ["12 ", "FP64"],
  ["yes", "BOOL"],
] as const)("%j is no value of %s", (text, datatype) => {
  expect(storedCell(text, datatype)).toBe(UNFIT);
});

test.each([
  ["1795928400500", 1795928400500],
  [1795928400500n, 1795928400500],
  ["1795928400.5", 1795928400500],
  [1795928400, 1795928400000],
  ["2026-11-29T05:00:00.5Z", 1795928400500],
  ["2026-11-29 05:00:00", 1795928400000],
  ["2026-11-29T06:00:00+01:00", 1795928400000],
  ["2026-11-29 06:00:00.500000+0100", 1795928400500],
  ["2026-11-29", 1795910400000],
  ["yesterday", Number.NaN],
  ["2026-13-40T05:00:00Z", Number.NaN],
  ["", Number.NaN],
  [null, Number.NaN],
  [undefined, Number.NaN],
] as const)("as a time %s is %d", (value, ms) => {
  expect(storedTimeMs(value)).toBe(ms);
});
