import { expect, it } from "vitest";
import { copiedOctets, copyElements, copyOctets } from "../../../src/tensor/octet-copy.ts";

const LENGTHS = [0, 1, 7, 255, 256, 257, 1920, 65_539];
const MARGIN = 16;

function counted(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).map((_, index) => (index * 31 + 7) % 251);
}

it.each([
  ["shared", SharedArrayBuffer],
  ["own", ArrayBuffer],
])("copies octets of any length and alignment to %s memory, and none beside them", (_, Memory) => {
  for (const length of LENGTHS) {
    for (const [from, to] of [
      [0, 0],
      [3, 4],
      [4, 5],
    ] as const) {
      const source = counted(length + from).subarray(from);
      const memory = new Uint8Array(new Memory(length + 2 * MARGIN)).fill(0xee);
      copyOctets(source, new Uint8Array(memory.buffer, MARGIN + to - 8, length));
      const at = MARGIN + to - 8;
      expect(Buffer.from(memory.slice(at, at + length)).equals(Buffer.from(source))).toBe(true);
      expect(new Set([...memory.subarray(0, at), ...memory.subarray(at + length)])).toEqual(new Set([0xee]));
    }
  }
});

it("copies elements behind those that are there", () => {
  for (const length of [1, 3, 100, 5000]) {
    const source = new Float64Array(new SharedArrayBuffer(8 * length)).map((_, index) => index / 3);
    const target = new Float64Array(new ArrayBuffer(8 * (length + 5)), 8, length + 3);
    copyElements(source, target, 2);
    expect([...target]).toEqual([0, 0, ...source, 0]);
  }
});

it("gives a copy that later writes to shared memory do not change", () => {
  for (const length of [2, 4000]) {
    const shared = new Float32Array(new SharedArrayBuffer(4 * length)).fill(1.5);
    const copy = copiedOctets(shared.subarray(1));
    shared.fill(0);
    expect(copy.length).toBe(4 * (length - 1));
    expect(copy.buffer).toBeInstanceOf(ArrayBuffer);
    expect(new Set(new Float32Array(copy.buffer, copy.byteOffset, length - 1))).toEqual(new Set([1.5]));
  }
});
