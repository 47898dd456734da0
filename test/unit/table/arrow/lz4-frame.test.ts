import { expect, test } from "vitest";
import { unpackLz4Frame } from "../../../../src/table/arrow/lz4-frame.ts";

/** A frame of blocks; a block of which `packed` is false is stored. */
function frame(...blocks: { bytes: number[]; packed: boolean }[]): Uint8Array {
  const parts = [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82];
  for (const { bytes, packed } of blocks) {
    const size = new Uint8Array(4);
    new DataView(size.buffer).setUint32(0, bytes.length + (packed ? 0 : 0x80000000), true);
    parts.push(...size, ...bytes);
  }
  return Uint8Array.from([...parts, 0, 0, 0, 0]);
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const ascii = (from: string) => [...Buffer.from(from, "latin1")];

test("literals, matches that overlap, and matches into an earlier block are unpacked", () => {
  // "abc", then 7 bytes from 3 before (abcabca), then "!" as the last literals.
  const first = { bytes: [0x33, ...ascii("abc"), 3, 0, 0x10, ...ascii("!")], packed: true };
  expect(text(unpackLz4Frame(frame(first)))).toBe("abcabcabca!");
  const second = { bytes: [0x00, 11, 0, 0x10, ...ascii("?")], packed: true };
  expect(text(unpackLz4Frame(frame(first, second)))).toBe("abcabcabca!abca?");
  const stored = { bytes: ascii("as it is"), packed: false };
  expect(text(unpackLz4Frame(frame(stored, first)))).toBe("as it isabcabcabca!");
});

test("lengths of more than one byte are summed", () => {
  const literals = "x".repeat(15 + 255 + 3);
  const bytes = [0xff, 255, 3, ...ascii(literals), 1, 0, 255, 255, 7, 0x10, ...ascii("y")];
  expect(text(unpackLz4Frame(frame({ bytes, packed: true })))).toBe(
    `${literals}${"x".repeat(15 + 517 + 4)}y`,
  );
});

test.each([
  ["no frame", Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8])],
  ["a cut block", frame({ bytes: ascii("abcdef"), packed: false }).subarray(0, 14)],
  ["cut literals", frame({ bytes: [0xf0, 200, 1], packed: true })],
  ["a match before the start", frame({ bytes: [0x10, 65, 9, 0, 0x10, 66], packed: true })],
  ["no end", frame({ bytes: ascii("abc"), packed: false }).subarray(0, 14)],
])("%s is refused", (_, bytes) => {
  expect(() => unpackLz4Frame(bytes)).toThrow();
});
