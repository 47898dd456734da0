import { BinaryWriter } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { signedVarintBytes, varintBytes, writeSignedVarint, writeVarint } from "../../../src/wire/varint.ts";

const written = (write: typeof writeVarint, value: number): Buffer => {
  const bytes = Buffer.alloc(12);
  return bytes.subarray(0, write(bytes, 0, value));
};

test("numbers are written as protobuf-es writes them, in as many octets as were measured", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      const bytes = written(writeVarint, value);
      expect(bytes.equals(new BinaryWriter().int64(value).finish())).toBe(true);
      expect(varintBytes(value)).toBe(bytes.length);
    }),
  );
});

test("negative numbers take ten octets", () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const bytes = written(writeSignedVarint, value);
      expect(bytes.equals(new BinaryWriter().int64(value).finish())).toBe(true);
      expect(signedVarintBytes(value)).toBe(bytes.length);
    }),
  );
});
