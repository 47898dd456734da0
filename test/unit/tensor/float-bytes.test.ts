import fc from "fast-check";
import { expect, test } from "vitest";
import { type FloatDatatype, numberOf } from "../../../src/tensor/datatype.ts";
import { floatReader, mayHoldNonFinite } from "../../../src/tensor/float-bytes.ts";

const SIZES: [FloatDatatype, number][] = [
  ["FP16", 2],
  ["BF16", 2],
  ["FP32", 4],
  ["FP64", 8],
];

/** The numbers of `bytes`, read from a copy that is aligned. */
function numbers(bytes: Uint8Array, datatype: FloatDatatype): number[] {
  const { buffer } = new Uint8Array(bytes);
  if (datatype === "FP32") return [...new Float32Array(buffer)];
  if (datatype === "FP64") return [...new Float64Array(buffer)];
  return Array.from(new Uint16Array(buffer), (bits) => numberOf(datatype, bits));
}

/** Bytes whose exponents are often all ones, at any offset. */
const bytesOf = (size: number) =>
  fc
    .record({
      offset: fc.nat(9),
      elements: fc.array(
        fc
          .uint8Array({ minLength: size, maxLength: size })
          .chain((element) =>
            fc.constantFrom(element, element.with(size - 1, 0x7f), element.with(size - 1, 0xff)),
          ),
        { maxLength: 20 },
      ),
    })
    .map(({ offset, elements }) => Buffer.concat([Buffer.alloc(offset), ...elements]).subarray(offset));

test.each(SIZES)("%s: what is called finite is, and each element is read where it lies", (datatype, size) => {
  fc.assert(
    fc.property(bytesOf(size), (bytes) => {
      const expected = numbers(bytes, datatype);
      if (!mayHoldNonFinite(bytes, datatype)) expect(expected.every(Number.isFinite)).toBe(true);
      const read = floatReader(bytes, datatype);
      expect(expected.map((_, index) => read(index))).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

test.each(SIZES)(
  "%s: ordinary numbers are called finite, so that nobody reads them twice",
  (datatype, size) => {
    const bytes = Buffer.alloc(size * 23);
    const ordinary = {
      FP16: [0, 0x3c, 0x7b, 0xfb],
      BF16: [0, 0x3f, 0x7e, 0xfe],
      FP32: [0, 0x3f, 0x7e, 0xfe],
      FP64: [0, 0x3f, 0x7e, 0xfe],
    };
    for (let i = 0; i < 23; i++) bytes[i * size + size - 1] = ordinary[datatype][i % 4]!;
    expect(mayHoldNonFinite(bytes, datatype)).toBe(false);
    for (let i = 0; i < 23; i++) {
      const odd = Buffer.from(bytes);
      odd.fill(0xff, i * size, i * size + size);
      expect(mayHoldNonFinite(odd, datatype)).toBe(true);
    }
  },
);
