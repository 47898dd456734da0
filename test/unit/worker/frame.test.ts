import { expect, test } from "vitest";
import { alignOffset, headerBytes, readHeader, writeHeader } from "../../../src/worker/frame.ts";

test("a header reads as it was written", () => {
  const tensors = [
    { nameIndex: 2, datatype: "FP32" as const, shape: [3, 4], byteOffset: 128, byteLength: 48 },
    { nameIndex: 0, datatype: "BYTES" as const, shape: [], byteOffset: 192, byteLength: 0 },
  ];
  const memory = new SharedArrayBuffer(4096);
  writeHeader(memory, tensors, [5, 1]);
  expect(readHeader(memory)).toEqual({ tensors, extras: [5, 1] });
  expect(headerBytes(tensors, 2)).toBe(64);
});

test("tensors lie on 64-byte boundaries", () => {
  expect([0, 1, 64, 65].map(alignOffset)).toEqual([0, 64, 64, 128]);
});
