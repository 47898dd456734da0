import fc from "fast-check";
import { expect, test } from "vitest";
import { FloatLists, type PlainFloat } from "../../../../../src/edge/json/octets/float-lists.ts";
import { JsonCursor } from "../../../../../src/edge/json/octets/json-cursor.ts";

const cursor = new JsonCursor();
const lists = new FloatLists(cursor);

/** The numbers of a list as they stand in its octets; undefined where it is not plain. */
function read(text: string, count: number, datatype: PlainFloat = "FP64"): number[] | undefined {
  cursor.begin(Buffer.from(`${text}}`));
  const octets = lists.read(datatype, count);
  if (!cursor.isPlain || cursor.left !== 1) return undefined;
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  return Array.from({ length: count }, (_, i) =>
    datatype === "FP32" ? view.getFloat32(4 * i, true) : view.getFloat64(8 * i, true),
  );
}

const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
/** All doubles alike: most are very large or very small. */
const anyDouble = fc
  .tuple(word, word)
  .map(([low, high]) => new Float64Array(Uint32Array.of(low, high).buffer)[0]!)
  .filter(Number.isFinite);
const near = fc
  .tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: -12, max: 17 }))
  .map(([fraction, power]) => fraction * 10 ** power);
const float = fc.float({ noNaN: true, noDefaultInfinity: true });
/** Midway between two floats. */
const midway = fc.float({ min: 2 ** -60, max: 2 ** 60, noNaN: true }).map((value) => {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  bits[0]!++;
  return (value + new Float32Array(bits.buffer)[0]!) / 2;
});
/** Midway between two doubles, and next to that. */
const midwayDigits = fc
  .tuple(fc.bigInt({ min: 2n ** 53n, max: 2n ** 58n }), fc.integer({ min: -25, max: 25 }))
  .map(([digits, power]) => `${digits | 1n}e${power}`);
const written = fc
  .tuple(
    fc.oneof(anyDouble, near, float, midway),
    fc.constantFrom(
      String,
      (value: number) => value.toPrecision(17),
      (value: number) => value.toPrecision(19),
      (value: number) => value.toPrecision(30),
      (value: number) => value.toExponential(15).replace("e+", "E"),
      (value: number) => (Math.abs(value) < 1e20 ? value.toFixed(7) : String(value)),
    ),
  )
  .map(([value, write]) => write(value));
const number = fc.oneof(written, midwayDigits, fc.constantFrom("0", "-0", "-0.0", "0e9", "1E+2", "1e-400"));

test.each(["FP32", "FP64"] as const)(
  "each number of %s is what Number reads, to the last bit",
  (datatype) => {
    let count = 0;
    fc.assert(
      fc.property(fc.array(number, { minLength: 1, size: "max", maxLength: 16 }), (texts) => {
        const round = datatype === "FP32" ? Math.fround : Number;
        const expected = texts.map((text) => round(Number(text)));
        const held = texts.filter((_, i) => Number.isFinite(expected[i]));
        if (held.length === 0) return;
        count += held.length;
        const values = read(`[${held.join(",")}]`, held.length, datatype);
        expect(values).toStrictEqual(expected.filter(Number.isFinite));
      }),
      { numRuns: 4000 },
    );
    expect(count).toBeGreaterThan(20_000);
  },
);

test.each([
  ["[1,2,3,4,5,6]", [6]],
  [" [ 1 ,\n2\t,\r3 , 4,5 , 6 ] ".trim(), [6]],
  ["[[1,2,3],[4,5,6]]", [2, 3]],
  ["[ [ 1 , 2 ] , [ 3 , 4 ] , [ 5 , 6 ] ]", [3, 2]],
  ["[[[1],[2],[3]],[[4],[5],[6]]]", [2, 3, 1]],
  ["[[[1,2,3,4,5,6]]]", [1, 1, 6]],
])("%s is read with the lengths of its levels", (text, lengths) => {
  expect(read(text, 6)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(lists.lengths).toEqual(lengths);
});

test.each([
  "[]",
  "[[]]",
  "[1,2",
  "[1,2,]",
  "[,1,2]",
  "[1 2]",
  "[1,2,3]",
  "[1]",
  "[[1],[2,3]]",
  "[[1,2],3]",
  "[1,[2]]",
  "[[1],[2]",
  "[[1],2]",
  "[1,null]",
  "[1,NaN]",
  "[1,true]",
  '[1,"2"]',
  "[1,01]",
  "[1,-]",
  "[1,+2]",
  "[1,.5]",
  "[1,5.]",
  "[1,1e]",
  "[1,1e+]",
  "[1,1e12345]",
  "[1,1e999]",
  "[1,0x1]",
  "[1,1_0]",
  `[1,${"1".repeat(65)}]`,
  "1,2",
])("%s is left to the general reader", (text) => expect(read(text, 2)).toBeUndefined());

test("a message with many numbers that need their text is left to the general reader", () => {
  const list = (count: number) => `[${new Array(count).fill("1e-300").join()}]`;
  expect(read(list(16), 16)).toEqual(new Array(16).fill(1e-300));
  expect(read(list(17), 17)).toBeUndefined();
  const digits = new Array(500).fill("0.1234567890123456789012345").join();
  expect(read(`[${digits}]`, 500, "FP32")).toEqual(new Array(500).fill(Math.fround(0.12345678901234568)));
});

test("what a float does not hold is left to the general reader", () => {
  expect(read("[3.5e38]", 1)).toEqual([3.5e38]);
  expect(read("[3.5e38]", 1, "FP32")).toBeUndefined();
});

test("no room is made for more numbers than can come", () => {
  expect(read("[1,2]", 2 ** 40)).toBeUndefined();
});

test("lists of more levels than a tensor has axes are left to the general reader", () => {
  expect(read(`${"[".repeat(16)}1${"]".repeat(16)}`, 1)).toEqual([1]);
  expect(read(`${"[".repeat(17)}1${"]".repeat(17)}`, 1)).toBeUndefined();
});
