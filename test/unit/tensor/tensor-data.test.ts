import { expect, test } from "vitest";
import { labelTexts } from "../../../src/tensor/tensor-data.ts";

test("integer labels of 64 bits come as their digits, small, large and negative", () => {
  const signed = [
    0n,
    1n,
    1023n,
    1024n,
    -1n,
    -1024n,
    2n ** 31n,
    2n ** 32n,
    2n ** 32n + 1n,
    2n ** 63n - 1n,
    -(2n ** 63n),
  ];
  const data = BigInt64Array.from(signed);
  expect(labelTexts({ name: "label", datatype: "INT64", shape: [data.length], data })).toEqual(
    signed.map(String),
  );
  const unsigned = BigUint64Array.from([5n, 2n ** 32n + 5n, 2n ** 64n - 1n]);
  expect(labelTexts({ name: "label", datatype: "UINT64", shape: [3], data: unsigned })).toEqual([
    "5",
    "4294967301",
    "18446744073709551615",
  ]);
});

test("labels of other types are texts too", () => {
  const shape = [2];
  expect(labelTexts({ name: "l", datatype: "INT32", shape, data: Int32Array.of(-7, 2000) })).toEqual([
    "-7",
    "2000",
  ]);
  expect(labelTexts({ name: "l", datatype: "FP32", shape, data: Float32Array.of(1, 0.5) })).toEqual([
    "1",
    "0.5",
  ]);
  expect(labelTexts({ name: "l", datatype: "BOOL", shape, data: Uint8Array.of(1, 0) })).toEqual([
    "true",
    "false",
  ]);
  expect(labelTexts({ name: "l", datatype: "BYTES", shape, data: ["a", ""] })).toEqual(["a", ""]);
});
