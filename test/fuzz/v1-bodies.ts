/** Bodies of KServe v1 and TensorFlow Serving that are dear to a reader which trusts them, or long and legal. */
import {
  CENSUS,
  DEEP,
  each,
  type ForeignBodyCase,
  FULL,
  LONG_TEXT,
  list,
  listOf,
  MANY_ROW,
  NAMES,
  object,
  QUEUE,
  ROWS,
  WIDE_ROW,
} from "./body-text.ts";
import { MANY_INPUTS } from "./fuzz-models.ts";

/** What a list is long in, for a model that takes any such row. */
const ITEMS: readonly (readonly [name: string, model: string, item: string])[] = [
  ["numbers", "floats", "1.5"],
  ["whole numbers", "floats", "7"],
  ["nulls", "floats", "null"],
  ["long digits", "floats", "0.12345678901234567890"],
  ["exponents", "floats", "1e-300"],
  ["texts for numbers", "floats", '"a"'],
  ["short integers", "longs", "1"],
  ["integers beyond 2^53", "longs", "9007199254740993"],
  ["fractions for integers", "longs", "1.5"],
  ["short texts", "texts", '"a"'],
  ["empty texts", "texts", '""'],
  ["texts with escapes", "texts", '"\\u0041\\n"'],
  ["texts of two octets a character", "texts", '"é"'],
  ["texts in base64", "texts", '{"b64":"YQ=="}'],
  ["octets that are no text", "texts", '{"b64":"/w=="}'],
  ["objects", "texts", "{}"],
  ["lists of nothing", "floats", "[]"],
  ["lists of one", "cubes", "[1]"],
  ["lists of three", "cubes", "[1,2,3]"],
];

/** The same lists as one row, as the most rows that are taken, and as more than are. */
export function rowsOf(name: string, path: string, wrap: (rows: string) => string): ForeignBodyCase[] {
  return ITEMS.flatMap(([what, model, item]) => {
    const at = path.replace("{model}", model);
    const perRow = Math.max(1, Math.floor((FULL - 3 * QUEUE) / QUEUE / (item.length + 1)));
    const perMost = Math.max(1, Math.floor((FULL - 3 * ROWS) / ROWS / (item.length + 1)));
    return [
      { name: `${name}: one row of ${what}`, path: at, make: () => wrap(list(list(listOf(item)))) },
      {
        name: `${name}: rows of ${what}`,
        path: at,
        make: () => wrap(list(listOf(list(listOf(item, perRow)), QUEUE))),
      },
      {
        name: `${name}: most rows of ${what}`,
        path: at,
        make: () => wrap(list(listOf(list(listOf(item, perMost)), ROWS))),
      },
      { name: `${name}: too many rows, ${what}`, path: at, make: () => wrap(list(listOf(item))) },
    ];
  });
}

/** All of them. */
export const V1: ForeignBodyCase[] = (
  [
    ["most objects", "census", () => list(listOf(CENSUS, Math.floor(FULL / (CENSUS.length + 1))))],
    ["objects", "census", () => list(listOf(CENSUS, QUEUE))],
    ["lists by position", "census", () => list(listOf(list(listOf("1", 10)), ROWS))],
    ["empty objects", "census", () => list(listOf("{}", ROWS))],
    ["objects with names of their own", "census", () => list(each(ROWS, (i) => `{"n${i}":${i}}`))],
    ["objects of a tensor with names of their own", "iris", () => list(each(ROWS, (i) => `{"n${i}":${i}}`))],
    ["objects of inputs with names of their own", "many", () => list(each(ROWS, (i) => `{"n${i}":${i}}`))],
    [
      "inputs with names of their own",
      "many",
      () => list(`{"in0":[1]},${each(ROWS - 1, (i) => `{"n${i}":1}`)}`),
    ],
    ["objects of an input each", "many", () => list(each(ROWS, (i) => `{"in${i % MANY_INPUTS}":[1]}`))],
    ["one row of all inputs, the rest of none", "many", () => list(`${MANY_ROW},${listOf("{}", ROWS - 1)}`)],
    ["rows of all inputs", "many", () => list(listOf(MANY_ROW))],
    ["rows of 500 columns", "wide", () => list(listOf(WIDE_ROW))],
    [
      "misspelt columns",
      "wide",
      () => list(listOf(object(each(500, (i) => `"mesured_valeu_${i}":1`)), 1400)),
    ],
    ["a row of unknown columns", "wide", () => list(object(each(16_000, (i) => `"measured_valu_${i}":1`)))],
    [
      "rows of unknown columns",
      "wide",
      () => list(listOf(object(each(16_000, (i) => `"column_${i}":1`)), 64)),
    ],
    ["a column with a long name", "census", () => list(`{"${LONG_TEXT}":1}`)],
    ["a long text", "texts", () => list(list(`"${LONG_TEXT}"`))],
    ["a long text with escapes", "texts", () => list(list(`"${"\\u0041".repeat(2_700_000)}"`))],
    ["a long text in base64", "texts", () => list(list(`{"b64":"${"YWFh".repeat(4_000_000)}"}`))],
    ["deep lists", "cubes", () => list(listOf(DEEP))],
    ["rows in deep lists", "iris", () => list(listOf(DEEP, ROWS))],
    ["too deep lists", "cubes", () => "[".repeat(FULL / 2) + "]".repeat(FULL / 2)],
    [
      "a long row, the rest empty",
      "floats",
      () => list(`${list(listOf("1", 7_000_000))},${listOf("[]", QUEUE - 1)}`),
    ],
    ["empty rows", "floats", () => list(listOf("[]", ROWS))],
    [
      "rows of which the last is wrong",
      "floats",
      () => list(`${listOf(list(listOf("1", 500)), QUEUE - 1)},{}`),
    ],
    ["no list", "iris", () => `"${LONG_TEXT}"`],
    ["images", "digits", () => list(listOf(list(list(listOf(list(listOf("1", 8)), 8))), QUEUE))],
  ] as [string, string, () => string][]
).map(([name, model, make]) => ({
  name: `v1: ${name}`,
  path: `/v1/models/${model}:predict`,
  make: () => `{"instances":${make()}}`,
}));

/** All of them. */
export const V1_COLUMNS: ForeignBodyCase[] = (
  [
    ["unknown columns", "census", () => object(each(16_000, (i) => `"column_${i}":[1]`))],
    [
      "known columns of unlike lengths",
      "census",
      () => object(NAMES.map((name, i) => `"${name}":[${listOf("1", 100_000 + i)}]`).join()),
    ],
    ["columns", "census", () => object(NAMES.map((name) => `"${name}":[${listOf("1", ROWS)}]`).join())],
    [
      "columns of a tensor",
      "many",
      () => object(each(MANY_INPUTS, (i) => `"in${i}":[${listOf("[1]", 10_000)}]`)),
    ],
    [
      "columns of unlike tensors",
      "many",
      () => object(each(MANY_INPUTS, (i) => `"in${i}":[${listOf("[1]", 10_000 + i)}]`)),
    ],
    ["500 columns", "wide", () => object(each(500, (i) => `"measured_value_${i}":[${listOf("1", QUEUE)}]`))],
    ["one tensor", "floats", () => list(listOf(list(listOf("1", 1000)), QUEUE))],
    ["a number", "floats", () => "1"],
  ] as [string, string, () => string][]
).map(([name, model, make]) => ({
  name: `v1 inputs: ${name}`,
  path: `/v1/models/${model}:predict`,
  make: () => `{"inputs":${make()},"signature_name":"outputs"}`,
}));
