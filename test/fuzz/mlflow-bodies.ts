/** Bodies of MLflow's scoring server, JSON and CSV, that are dear to a reader which trusts them, or long and legal. */
import {
  CENSUS,
  each,
  type ForeignBodyCase,
  FULL,
  LONG_TEXT,
  list,
  listOf,
  NAMES,
  object,
  PERSON,
  QUEUE,
  ROWS,
  VALUES,
  WIDE_NAMES,
} from "./body-text.ts";
import { MANY_INPUTS } from "./fuzz-models.ts";

const split = (columns: string | undefined, data: string, more = "") =>
  `{"dataframe_split":{${columns === undefined ? "" : `"columns":${columns},`}"data":${data}${more}}}`;
const names = (count: number, prefix: string) => list(each(count, (i) => `"${prefix}${i}"`));

/** All of them. */
export const MLFLOW: ForeignBodyCase[] = (
  [
    ["split of rows", "census", () => split(JSON.stringify(NAMES), list(listOf(VALUES)))],
    ["split of rows for a queue", "census", () => split(JSON.stringify(NAMES), list(listOf(VALUES, QUEUE)))],
    [
      "split with an index",
      "census",
      () => split(JSON.stringify(NAMES), list(VALUES), `,"index":[${listOf("1")}]`),
    ],
    ["split of most short rows", "iris", () => split('["a","b","c","d"]', list(listOf("[1,2,3,4]", ROWS)))],
    ["split of one name", "census", () => split('["age"]', list(listOf("[1]", ROWS)))],
    ["split with a long header", "census", () => split(names(1_000_000, "column_"), "[[1]]")],
    ["split with a header of the most names", "wide", () => split(names(16_384, "measured_valu_"), "[[1]]")],
    [
      "split with a header of names for a tensor",
      "floats",
      () => split(names(16_384, "c"), list(listOf(list(listOf("1", 16_384)), 500))),
    ],
    [
      "split with one name again and again",
      "wide",
      () => split(list(listOf('"measured_value_1"', 16_384)), "[[1]]"),
    ],
    ["split with long names", "census", () => split(list(listOf(`"${"n".repeat(16_384)}"`, 1000)), "[[1]]")],
    ["split with one long name", "census", () => split(`["${LONG_TEXT}"]`, "[[1]]")],
    ["split with lists for names", "census", () => split(list(listOf("[1,[2,3]]")), "[[1]]")],
    ["split with a list of lists for a name", "census", () => split(list(list(listOf("[1]"))), "[[1]]")],
    [
      "split with numbers for names",
      "floats",
      () => split(list(listOf("1", 16_384)), list(list(listOf("1", 16_384)))),
    ],
    ["split with one very long row", "floats", () => split(undefined, list(list(listOf("1"))))],
    ["split with one very long row and names", "floats", () => split('["a","b"]', list(list(listOf("1"))))],
    ["split of rows of no columns", "census", () => split("[]", list(listOf("[]", ROWS)))],
    ["split of uneven rows", "census", () => split(JSON.stringify(NAMES), list(listOf("[1]", ROWS)))],
    ["split of numbers", "census", () => split(JSON.stringify(NAMES), list(listOf("1")))],
    [
      "split of 500 columns",
      "wide",
      () => split(list(WIDE_NAMES), list(listOf(list(listOf("1", 500)), QUEUE))),
    ],
    [
      "split of inputs",
      "many",
      () => split(names(MANY_INPUTS, "in"), list(listOf(list(listOf("[1,2]", MANY_INPUTS)), 9000))),
    ],
    ["split of most inputs", "many", () => split(`["in0"]`, list(listOf("[[1,2]]", ROWS)))],
    [
      "split of inputs under one name",
      "many",
      () => split(list(listOf('"in0"', 16_000)), list(list(listOf("[1]", 16_000)))),
    ],
    [
      "split of an input and unknown names",
      "many",
      () =>
        split(list(`"in0",${each(16_000, (i) => `"c${i}"`)}`), list(listOf(list(listOf("1", 16_001)), 500))),
    ],
    ["records", "census", () => `{"dataframe_records":[${listOf(CENSUS)}]}`],
    [
      "records with names of their own",
      "floats",
      () => `{"dataframe_records":[${each(ROWS, (i) => `{"n${i}":${i}}`)}]}`,
    ],
    [
      "records of many names, in order",
      "floats",
      () => `{"dataframe_records":[${listOf(object(each(1000, (i) => `"n${i}":1`)), 1600)}]}`,
    ],
    [
      "records of long names, in order",
      "floats",
      () => `{"dataframe_records":[${listOf(object(each(100, (i) => `"${"n".repeat(1500)}${i}":1`)), 100)}]}`,
    ],
    ["a list of records", "census", () => list(listOf(CENSUS))],
    ["a list of lists", "iris", () => list(listOf("[1,2,3,4]", ROWS))],
    [
      "inputs of columns",
      "census",
      () => `{"inputs":${object(NAMES.map((name) => `"${name}":[${listOf("1", ROWS)}]`).join())}}`,
    ],
    [
      "instances of columns",
      "wide",
      () => `{"instances":${object(each(500, (i) => `"measured_value_${i}":[${listOf("1", QUEUE)}]`))}}`,
    ],
    ["unknown members", "census", () => object(each(16_000, (i) => `"member_${i}":1`))],
    [
      "params",
      "census",
      () => `{"dataframe_records":[${CENSUS}],"params":${object(each(16_000, (i) => `"p${i}":[1]`))}}`,
    ],
    ["a split without its name", "census", () => `{"columns":${names(1_000_000, "c")},"data":[[1]]}`],
  ] as [string, string, () => string][]
).map(([name, model, make]) => ({ name: `MLflow: ${name}`, path: `/invocations/${model}`, make }));

const lines = (line: string, count = Math.floor(FULL / (line.length + 1))) => `${line}\n`.repeat(count);
const CSV_ROW = Object.values(PERSON).join();
const QUOTED_ROW = Object.values(PERSON)
  .map((value) => `"${value}"`)
  .join();

/** All of them. */
export const CSV: ForeignBodyCase[] = (
  [
    [
      "rows",
      "census",
      () => `${NAMES.join()}\n${lines(CSV_ROW, Math.floor(FULL / (CSV_ROW.length + 1)) - 20)}`,
    ],
    ["rows for a queue", "census", () => `${NAMES.join()}\n${lines(CSV_ROW, QUEUE)}`],
    ["rows in quotes", "census", () => `${NAMES.join()}\n${lines(QUOTED_ROW, ROWS)}`],
    ["more rows than are taken", "iris", () => `a,b,c,d\n${lines("1,2,3,4", 2_000_000)}`],
    ["most short rows", "iris", () => `a,b,c,d\n${lines("1,2,3,4", ROWS)}`],
    ["blank lines", "iris", () => "\n".repeat(FULL)],
    ["blank lines between", "iris", () => `a,b,c,d\n${`1,2,3,4${"\n".repeat(250)}`.repeat(60_000)}`],
    ["a long header", "census", () => `${each(1_200_000, (i) => `column_${i}`)}\n1`],
    ["a header of the most names", "wide", () => `${each(16_384, (i) => `measured_valu_${i}`)}\n1`],
    [
      "rows of the most names",
      "floats",
      () => `${each(16_384, (i) => `c${i}`)}\n${lines(listOf("1", 16_384), 500)}`,
    ],
    ["500 columns", "wide", () => `${WIDE_NAMES.replaceAll('"', "")}\n${lines(listOf("1", 500), QUEUE)}`],
    ["commas", "floats", () => `${each(16_384, (i) => `c${i}`)}\n${lines(",".repeat(16_383), 1000)}`],
    ["one long line", "floats", () => `a,b\n${",".repeat(FULL - 10)}`],
    ["uneven lines", "census", () => `${NAMES.join()}\n${lines("1", ROWS)}`],
    ["a long cell", "texts", () => `a\n${LONG_TEXT}`],
    ["cells of a mebibyte", "texts", () => `a\n${lines("a".repeat(1_000_000), 16)}`],
    ["doubled quotes", "texts", () => `a\n"${'""'.repeat(FULL / 2 - 10)}"`],
    ["cells of doubled quotes", "texts", () => `a\n${lines(`"${'""'.repeat(100)}"`, 60_000)}`],
    ["a quote that does not end", "texts", () => `a\n"${LONG_TEXT}`],
    ["cells of line ends", "texts", () => `a\n${lines(`"${"\n".repeat(200)}"`, ROWS)}`],
    ["a quote with more behind it", "texts", () => `a\n${lines('"a"b', ROWS)}`],
    ["long digits", "floats", () => `a,b\n${lines(`${"1".repeat(110)},${"2".repeat(110)}`, ROWS)}`],
    ["numbers of a mebibyte", "floats", () => `a\n${lines("1".repeat(1_000_000), 16)}`],
    ["numbers of a mebibyte that are none", "floats", () => `a\n${lines(`${"1".repeat(1_000_000)}x`, 16)}`],
    ["spaces of a mebibyte", "floats", () => `a\n${lines(" ".repeat(1_000_000), 16)}`],
    ["long integers", "longs", () => `a,b\n${lines("9007199254740993,9007199254740993", ROWS)}`],
    ["words for numbers", "floats", () => `a,b\n${lines("abc,def", ROWS)}`],
    ["texts", "texts", () => `a,b\n${lines("abc,def", ROWS)}`],
    ["a name of a mebibyte", "census", () => `${"n".repeat(1_000_000)},b\n${lines("1,2", ROWS)}`],
    ["no UTF-8", "census", () => Buffer.alloc(FULL, 0xff)],
  ] as [string, string, () => string | Buffer][]
).map(([name, model, make]) => ({
  name: `CSV: ${name}`,
  path: `/invocations/${model}`,
  headers: { "content-type": "text/csv" },
  make,
}));
