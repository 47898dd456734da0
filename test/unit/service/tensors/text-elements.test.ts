import fc from "fast-check";
import { expect, test } from "vitest";
import {
  findRawTexts,
  RawTexts,
  readRawTexts,
  readTexts,
  textFault,
} from "../../../../src/service/tensors/text-elements.ts";

/** The texts, or the indices of those that are none. */
function read(elements: readonly Uint8Array[]): string[] | number[] {
  const faults: number[] = [];
  const texts = readTexts(elements, { add: (index) => faults.push(index) });
  return faults.length > 0 ? faults : texts;
}

function raw(elements: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    elements.flatMap((element) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(element.length);
      return [length, element];
    }),
  );
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function expected(elements: readonly Uint8Array[]): string[] | number[] {
  const texts: string[] = [];
  const faults: number[] = [];
  for (const [index, element] of elements.entries()) {
    try {
      const text = strict.decode(element);
      if (text.includes("\0")) faults.push(index);
      else texts.push(text);
    } catch {
      faults.push(index);
    }
  }
  return faults.length > 0 ? faults : texts;
}

test("texts are what a strict decoder reads, whatever the bytes and either way they come", () => {
  const text = fc.string({ unit: "binary", maxLength: 40 }).map((one) => new TextEncoder().encode(one));
  const element = fc.oneof({ weight: 8, arbitrary: text }, fc.uint8Array({ maxLength: 6 }));
  fc.assert(
    fc.property(fc.array(element, { maxLength: 6 }), (elements) => {
      expect(read(elements)).toEqual(expected(elements));
      const faults: number[] = [];
      const places = findRawTexts(raw(elements), elements.length)!;
      const texts = readRawTexts(places, { add: (index) => faults.push(index) });
      expect(faults.length > 0 ? faults : texts).toEqual(expected(elements));
    }),
    { numRuns: 2000 },
  );
});

/** Texts read in pieces, or the indices of those that are none; undefined where they are not so many. */
function inPieces(octets: Uint8Array, expected: number): readonly string[] | number[] | undefined {
  const reading = new RawTexts(octets, expected);
  while (!reading.step());
  if (reading.isMisframed) return undefined;
  const { count, kept } = reading.wrong;
  expect(kept).toHaveLength(Math.min(count, 1000));
  return count > 0 ? kept.map(({ index }) => index) : reading.texts;
}

test("texts in pieces are what is read at once, and wrong where those are", () => {
  const plain = fc.string({ unit: "binary-ascii", maxLength: 40 }).map((one) => one.replaceAll("\0", " "));
  const other = fc.string({ unit: "grapheme", maxLength: 40 });
  const element = fc
    .oneof(plain, other)
    .map((one) => new TextEncoder().encode(one) as Uint8Array)
    .chain((one) => fc.oneof({ weight: 200, arbitrary: fc.constant(one) }, fc.uint8Array({ maxLength: 6 })));
  fc.assert(
    fc.property(fc.array(element, { maxLength: 30 }), fc.integer({ min: 1, max: 900 }), (some, times) => {
      const elements = Array.from({ length: times }, () => some).flat();
      const faults: number[] = [];
      const octets = raw(elements);
      const texts = readRawTexts(findRawTexts(octets, elements.length)!, {
        add: (index) => faults.push(index),
      });
      expect(inPieces(octets, elements.length)).toEqual(faults.length > 0 ? faults.slice(0, 1000) : texts);
    }),
    { numRuns: 60 },
  );
});

test("one text may be longer than a piece", () => {
  const long = [Buffer.alloc(100_000, "a"), Buffer.from("b"), Buffer.alloc(90_000, "ü")];
  expect(inPieces(raw(long), 3)).toEqual(long.map(String));
});

test("what is no text is told as what it is", () => {
  expect(textFault(Uint8Array.of(0x61, 0)).rule).toBe("value.nul");
  expect(textFault(Uint8Array.of(0xff)).rule).toBe("value.utf8");
});

test.each([
  ["fewer bytes than lengths", new Uint8Array(7), 2],
  ["bytes after the last", new Uint8Array(9), 2],
  ["a length beyond the end", Uint8Array.of(9, 0, 0, 0, 1), 1],
  ["a shape of more than there can be", new Uint8Array(16), 2 ** 53],
])("%s are not so many texts", (_, bytes, count) => {
  expect(findRawTexts(bytes, count)).toBeUndefined();
  expect(inPieces(bytes, count)).toBeUndefined();
});
