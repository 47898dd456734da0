import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { numbersOf, textsOf } from "../../../console/tensor-values.ts";
import { TensorSchema } from "../../../gen/assay/v1/tensor_pb.ts";

test("numbers are read from raw octets, wherever they begin, and from lists", () => {
  const octets = new Uint8Array(9);
  new DataView(octets.buffer, 1).setFloat32(0, 1.5, true);
  new DataView(octets.buffer, 1).setFloat32(4, -2, true);
  const raw = create(TensorSchema, { datatype: "FP32", rawContents: octets.subarray(1) });
  expect(numbersOf(raw)).toEqual([1.5, -2]);
  expect(numbersOf(create(TensorSchema, { datatype: "INT64", contents: { int64Contents: [7n] } }))).toEqual([
    7,
  ]);
  const half = create(TensorSchema, { datatype: "BF16", rawContents: Uint8Array.of(0xc0, 0x3f) });
  expect(numbersOf(half)).toEqual([1.5]);
});

test("texts are read in both forms, and octets that are cut off are no text", () => {
  const rawContents = Uint8Array.of(2, 0, 0, 0, 104, 105, 1, 0, 0);
  expect(textsOf(create(TensorSchema, { datatype: "BYTES", rawContents }))).toEqual(["hi"]);
  const bytesContents = [new TextEncoder().encode("ho")];
  expect(textsOf(create(TensorSchema, { datatype: "BYTES", contents: { bytesContents } }))).toEqual(["ho"]);
});
