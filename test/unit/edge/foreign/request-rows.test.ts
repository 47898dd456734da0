import { expect, test } from "vitest";
import { RequestRows } from "../../../../src/edge/foreign/request-rows.ts";
import type { Steps } from "../../../../src/edge/foreign/rows-builder.ts";
import { JsonFaults } from "../../../../src/edge/json/json-faults.ts";
import type { ExactJson, ExactObject } from "../../../../src/edge/json/json-text.ts";
import type { AssayError } from "../../../../src/errors.ts";
import { mapRowColumns } from "../../../../src/model/row-columns.ts";
import type { TensorSpec } from "../../../../src/model/signature.ts";
import type { ServedModel } from "../../../../src/registry/served-model.ts";
import type { PackedContents } from "../../../../src/tensor/packed-contents.ts";
import { signature, spec } from "../../../support/models/signatures.ts";

/** Looks into bodies, counted: what reading costs, whatever the machine. */
let looks = 0;

/** A list or object that counts each look into it. */
function watched<T extends object>(value: T): T {
  const look = <R>(result: R): R => {
    looks++;
    return result;
  };
  return new Proxy(value, {
    get: (target, name) => look(Reflect.get(target, name)),
    has: (target, name) => look(Reflect.has(target, name)),
    ownKeys: (target) => look(Reflect.ownKeys(target)),
    getOwnPropertyDescriptor: (target, name) => look(Reflect.getOwnPropertyDescriptor(target, name)),
  });
}

function modelOf(inputs: TensorSpec[]): ServedModel {
  const parts = { modelName: "m", modelVersion: "1", signature: signature(inputs) };
  return { ...parts, rowColumns: mapRowColumns(parts.signature) } as ServedModel;
}

/** 40 inputs that are lists, 40 columns, and one vector of any length. */
const MANY = modelOf(Array.from({ length: 40 }, (_, i) => spec(`in${i}`, "FP32", [-1, -1])));
const COLUMNS = modelOf(Array.from({ length: 40 }, (_, i) => spec(`c${i}`, "FP32", [-1, 1])));
const VECTOR = modelOf([spec("x", "FP32", [-1, -1])]);
const CUBE = modelOf([spec("x", "FP32", [-1, -1, -1])]);

const PLACES = {
  rows: "data",
  header: "columns",
  name: (index: number) => `columns[${index}]`,
  row: (index: number) => `data[${index}]`,
  value: (row: number, index: number) => `data[${row}][${index}]`,
  cell: (row: number, _column: string, index: number) => `data[${row}][${index}]`,
};

function read(model: ServedModel, begin: (rows: RequestRows) => Steps) {
  const faults = new JsonFaults();
  const rows = new RequestRows(model, { faults, maxValues: 1_000_000 });
  looks = 0;
  let longest = 0;
  let before = 0;
  for (const steps = begin(rows); ; ) {
    const { done } = steps.next();
    longest = Math.max(longest, looks - before);
    before = looks;
    if (done) break;
  }
  let told: string[] = [];
  try {
    faults.throwIfAny();
  } catch (error) {
    told = (error as AssayError).violations.map(({ field, description }) => `${field}: ${description}`);
  }
  return { rows, count: faults.count, told, looks, longest };
}

const object = (entries: [string, ExactJson][]) => watched(Object.fromEntries(entries)) as ExactObject;
const many = (count: number, one: (index: number) => ExactJson) =>
  Array.from({ length: count }, (_, i) => one(i));

/** Bodies of about so many cells, each of a kind whose cost could grow with rows × names. */
const BODIES: readonly (readonly [string, ServedModel, (cells: number, rows: RequestRows) => Steps])[] = [
  [
    "objects of inputs with names of their own",
    MANY,
    (n, rows) =>
      rows.rows(
        many(n, (i) => object([[`n${i}`, i]])),
        "i",
      ),
  ],
  [
    "one object of an input, the rest with names of their own",
    MANY,
    (n, rows) => rows.rows([object([["in0", [1]]]), ...many(n, (i) => object([[`n${i}`, i]]))], "i"),
  ],
  [
    "objects of one input each",
    MANY,
    (n, rows) =>
      rows.rows(
        many(n, (i) => object([[`in${i % 40}`, [1]]])),
        "i",
      ),
  ],
  [
    "one object of all inputs, the rest of none",
    MANY,
    (n, rows) =>
      rows.rows(
        [object(many(40, (i) => i).map((i) => [`in${String(i)}`, [1]])), ...many(n, () => object([]))],
        "i",
      ),
  ],
  [
    "objects with names of their own in order",
    VECTOR,
    (n, rows) =>
      rows.rows(
        many(n, (i) => object([[`n${i}`, i]])),
        "i",
      ),
  ],
  [
    "wide objects after a narrow one",
    VECTOR,
    (n, rows) => {
      const wide = many(n / 100, () => object(many(100, (i) => i).map((i) => [`n${String(i)}`, 1])));
      return rows.rows([object([["a", 1]]), ...wide], "i");
    },
  ],
  [
    "columns with names of their own",
    COLUMNS,
    (n, rows) =>
      rows.rows(
        many(n, (i) => object([[`n${i}`, i]])),
        "i",
      ),
  ],
  [
    "rows of lists",
    COLUMNS,
    (n, rows) =>
      rows.rows(
        many(n / 40, () => watched(many(40, () => 1))),
        "i",
      ),
  ],
  [
    "short lists after an empty one",
    VECTOR,
    (n, rows) => rows.rows([[], ...many(n / 10, () => watched(many(10, () => 1)))], "i"),
  ],
  [
    "many short lists in a row after a short one",
    CUBE,
    (n, rows) => rows.rows([[[1]], watched(many(n, () => watched([1])))], "i"),
  ],
  ["a table of one row", VECTOR, (n, rows) => rows.table(undefined, [watched(many(n, () => 1))], PLACES)],
  [
    "a table of a long header",
    COLUMNS,
    (n, rows) =>
      rows.table(
        many(Math.min(n, 16_000), (i) => `n${i}`),
        [watched([1])],
        PLACES,
      ),
  ],
  [
    "a table of inputs under one name",
    MANY,
    (n, rows) =>
      rows.table(
        many(n / 100, () => "in0"),
        many(100, () => watched(many(n / 100, () => 1))),
        PLACES,
      ),
  ],
  [
    "columns of inputs",
    MANY,
    (n, rows) =>
      rows.columns(
        object(many(40, (i) => i).map((i) => [`in${String(i)}`, watched(many(n / 40, () => [1]))])),
        "i",
      ),
  ],
];

test.each(BODIES)(
  "%s cost as much as there is of them, and give the event loop back",
  (_what, model, begin) => {
    const few = read(model, (rows) => begin(2000, rows));
    const all = read(model, (rows) => begin(20_000, rows));
    expect(all.looks).toBeLessThan(11 * few.looks + 2000);
    expect(all.looks).toBeLessThan(12 * 20_000);
    // Two pieces of a list, each value of which is looked at a few times.
    expect(all.longest).toBeLessThan(110_000);
    expect(all.told.length).toBeLessThanOrEqual(20);
  },
);

test("65,536 objects with names of their own are refused by the first of them, all counted", () => {
  const own = (prefix: string) => many(65_536, (i) => ({ [`${prefix}${i}`]: i }));
  const ofInputs = read(MANY, (rows) => rows.rows([{ in0: [1] }, ...own("n").slice(1)], "instances"));
  expect(ofInputs.told[0]).toBe('instances[1].in0: input "in0" is missing; the other rows have it');
  expect(ofInputs.told).toHaveLength(20);
  // in0 in all rows but one, the other names, and the 39 inputs that no row has.
  expect(ofInputs.count).toBe(65_535 + 65_535 + 39);
  const inOrder = read(VECTOR, (rows) => rows.rows(own("n"), "instances"));
  expect(inOrder.told[0]).toBe("instances[1]: other names came than in the first row (n0)");
  expect(inOrder.count).toBe(65_535);
});

test("inputs that some rows lack are told once a row, and the others are read", () => {
  const { told } = read(MANY, (rows) => rows.rows([{ in0: [1], in1: "a" }, { in1: [2] }], "instances"));
  expect(told.slice(0, 3)).toEqual([
    'instances[1].in0: input "in0" is missing; the other rows have it',
    'instances[0].in1: "a" came; a number, or null where it is missing, is expected',
    'instances: input "in2" (FP32[-1,-1]) is missing',
  ]);
});

test("a table that names an input twice, or one that there is none of, is refused where its header says so", () => {
  const { told } = read(MANY, (rows) =>
    rows.table(["in0", "in1", "in0", "inn1"], [[[1], [1], [1], [1]]], PLACES),
  );
  expect(told).toEqual([
    'columns[2]: input "in0" came twice',
    'columns[3]: the model has no input "inn1"; did you mean "in1"?',
  ]);
});

const MIXED = modelOf([
  spec("age", "INT64", [-1, 1]),
  spec("pair", "FP32", [-1, 2], { featureNames: ["a", "b"] }),
  spec("half", "FP16", [-1, 1]),
  spec("sex", "BYTES", [-1]),
  spec("flag", "BOOL", [-1, 1]),
]);
const HEADER = ["b", "sex", "age", "flag", "half", "a"];

test("a long table becomes tensors with the values that its rows have", () => {
  const data = many(3000, (i) => [
    i + 0.5,
    `t${i}`,
    i,
    i % 2 === 0,
    i === 7 ? null : 1.5,
    i === 9 ? null : i,
  ]);
  const { rows, told } = read(MIXED, (one) => one.table(HEADER, data, PLACES));
  expect(told).toEqual([]);
  const { inputs } = rows.request;
  expect(rows.request.rows).toEqual([]);
  expect(inputs.map(({ name, datatype, shape }) => `${name} ${datatype} ${shape.join()}`)).toEqual([
    "age INT64 3000,1",
    "pair FP32 3000,2",
    "half FP16 3000,1",
    "sex BYTES 3000",
    "flag BOOL 3000,1",
  ]);
  const values = (index: number) => (inputs[index]!.contents as PackedContents).values;
  expect([...values(0)].slice(0, 3)).toEqual([0n, 1n, 2n]);
  expect([...values(1)].slice(16, 22)).toEqual([8, 8.5, Number.NaN, 9.5, 10, 10.5]);
  expect([...values(3)].slice(0, 2)).toEqual(["t0", "t1"]);
  expect([...values(4)].slice(0, 3)).toEqual([1, 0, 1]);
  const half = new Uint16Array(inputs[2]!.rawContents.slice().buffer);
  expect([half[0], (half[7]! & 0x7c00) === 0x7c00]).toEqual([0x3e00, true]);
});

test("cells of a long table that are wrong are told where they stand, in the words that a short one's are", () => {
  const bad = [1, "x", 1.5, true, 1, "a"];
  const long = [...many(3000, () => [1, "x", 1, true, 1, 1]), bad];
  const { told, count } = read(MIXED, (rows) => rows.table(HEADER, long, PLACES));
  expect(told).toEqual([
    "data[3000][2]: 1.5 came; INT64 takes whole numbers",
    'data[3000][5]: "a" came; column "a" takes a number or null',
  ]);
  expect(count).toBe(2);
});
