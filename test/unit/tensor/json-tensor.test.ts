import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { numberToHalf } from "../../../src/tensor/float-bits.ts";
import { tensorFromJson } from "../../../src/tensor/json-tensor.ts";

const read = (datatype: string, data: unknown, shape: unknown = [(data as unknown[]).length]) =>
  tensorFromJson("t", { datatype, shape, data });

describe("tensorFromJson", () => {
  it("reads null as NaN in float tensors and text for what JSON has no form for", () => {
    expect(read("FP32", [1.5, null, "Infinity", "-Infinity"]).data).toEqual(
      Float32Array.of(1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
    );
  });

  it("reads nested data row by row", () => {
    expect(
      read(
        "INT32",
        [
          [1, 2],
          [3, 4],
        ],
        [2, 2],
      ).data,
    ).toEqual(Int32Array.of(1, 2, 3, 4));
  });

  it("reads 64-bit integers beyond 2^53 as text", () => {
    expect(read("INT64", ["9007199254740993", -1]).data).toEqual(BigInt64Array.of(9007199254740993n, -1n));
  });

  it("reads FP16 as numbers into its bits, and BOOL as true or 1", () => {
    expect(read("FP16", [1.5]).data).toEqual(Uint16Array.of(numberToHalf(1.5)));
    expect(read("BOOL", [true, 0]).data).toEqual(Uint8Array.of(1, 0));
  });

  it.each([
    ["an unknown datatype", "FLOAT", [1], undefined, /datatype is "FLOAT"/],
    ["a shape of another count", "FP32", [1], [2], /data has 1 values, the shape \[2\] takes 2/],
    ["a negative shape", "FP32", [], [-1], /shape is \[-1\]/],
    ["text for a number", "FP32", ["a"], undefined, /data\[0\] is "a"/],
    ["a number for text", "BYTES", [1], undefined, /data\[0\] is 1, expected text/],
    ["a fraction for an integer", "INT64", [1.5], undefined, /data\[0\] is 1.5/],
    ["a number that is too large", "INT8", [200], undefined, /data\[0\] is 200/],
    ["a negative unsigned number", "UINT64", [-1], undefined, /data\[0\] is -1/],
    ["null for an integer", "INT32", [null], undefined, /data\[0\] is null/],
  ])("refuses %s by its place", (_, datatype, data, shape, pattern) => {
    expect(() => read(datatype, data, shape ?? [data.length])).toThrow(pattern);
  });
});

/** A value as JSON has it: NaN is null, infinities and 64-bit integers are text. */
function jsonValue(value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "number" || Number.isFinite(value)) return value;
  return Number.isNaN(value) ? null : String(value);
}

it("values that were written are read again, for every datatype", () => {
  const tensors = fc.oneof(
    fc.float32Array().map((data) => ({ datatype: "FP32" as const, data })),
    fc.float64Array().map((data) => ({ datatype: "FP64" as const, data })),
    fc.bigInt64Array().map((data) => ({ datatype: "INT64" as const, data })),
    fc.bigUint64Array().map((data) => ({ datatype: "UINT64" as const, data })),
    fc.int8Array().map((data) => ({ datatype: "INT8" as const, data })),
    fc.uint32Array().map((data) => ({ datatype: "UINT32" as const, data })),
    fc.array(fc.string()).map((data) => ({ datatype: "BYTES" as const, data })),
  );
  fc.assert(
    fc.property(tensors, ({ datatype, data }) => {
      const written = Array.from(data as ArrayLike<unknown>, jsonValue);
      const again = Array.from(
        read(datatype, JSON.parse(JSON.stringify(written))).data as ArrayLike<unknown>,
      );
      // JSON has no negative zero.
      const zeroed = Array.from(data as ArrayLike<unknown>, (value) => (value === 0 ? 0 : value));
      expect(again.map((value) => (value === 0 ? 0 : value))).toEqual(zeroed);
    }),
  );
});
