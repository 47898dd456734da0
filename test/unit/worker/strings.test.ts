import fc from "fast-check";
import { expect, test } from "vitest";
import { joinStrings, lengthBytes, readStrings, writeStrings } from "../../../src/worker/strings.ts";

test("strings read as they were written, whatever their characters", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme" })), fc.constantFrom(0, 64), (some, byteOffset) => {
      const values = some.length === 1 ? new Array<string>(9000).fill(some[0]!) : some;
      const encoded = joinStrings(values);
      const memory = new SharedArrayBuffer(byteOffset + lengthBytes(values.length) + encoded.byteLength);
      writeStrings(memory, byteOffset, values, encoded);
      expect(readStrings(memory, byteOffset, values.length, encoded.byteLength)).toEqual(values);
    }),
  );
});

test("a byte order mark is kept and a lone surrogate becomes U+FFFD without moving its neighbours", () => {
  const values = ["\uFEFFa", "\uD800", "b"];
  const encoded = joinStrings(values);
  const memory = new SharedArrayBuffer(lengthBytes(3) + encoded.byteLength);
  writeStrings(memory, 0, values, encoded);
  expect(readStrings(memory, 0, 3, encoded.byteLength)).toEqual(["\uFEFFa", "\uFFFD", "b"]);
});
