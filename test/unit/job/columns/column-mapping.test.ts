import {
  BIGINT,
  BLOB,
  DOUBLE,
  type DuckDBType,
  FLOAT,
  HUGEINT,
  LIST,
  TIMESTAMP,
  VARCHAR,
} from "@duckdb/node-api";
import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { BatchingMode, type Model } from "../../../../gen/assay/v1/model_service_pb.ts";
import type { AssayError } from "../../../../src/errors.ts";
import { mapColumns } from "../../../../src/job/columns/column-mapping.ts";
import type { MappingOptions } from "../../../../src/job/columns/model-elements.ts";
import { modelMessage, specMessage } from "../../../support/models/model-message.ts";
import { tableColumns } from "../../../support/tables/table-chunks.ts";

const census = modelMessage([
  specMessage("age", "INT64", [-1, 1]),
  specMessage("workclass", "BYTES", [-1, 1]),
  specMessage("hours_per_week", "FP32", [-1, 1], { aliases: ["hours-per-week", "hours"] }),
]);
const vector = modelMessage([specMessage("features", "FP32", [-1, 3])]);
const named = modelMessage([specMessage("features", "FP32", [-1, 3], { featureNames: ["a", "b", "c"] })]);

interface Options extends Partial<Omit<MappingOptions, "maps">> {
  readonly maps?: Readonly<Record<string, string>>;
}

function map(model: Model, types: Record<string, DuckDBType>, { maps = {}, ...rest }: Options = {}) {
  const options = { byPosition: false, keep: [], textNumbers: true, joinColumns: false, ...rest };
  return mapColumns(model, tableColumns(types), { ...options, maps: new Map(Object.entries(maps)) });
}

function problems(...parameters: Parameters<typeof map>): string[] {
  try {
    map(...parameters);
  } catch (error) {
    expect((error as AssayError).reason).toBe(Reason.TABLE_INVALID);
    return (error as AssayError).message.split("\n");
  }
  throw new Error("no problem was found");
}

const fed = (mapping: ReturnType<typeof map>) =>
  mapping.tensors.map(({ name, columns }) => [name, ...columns.map(({ column }) => column)]);

test("inputs of one value find their columns by name, in any order", () => {
  const mapping = map(census, { id: BIGINT, hours_per_week: DOUBLE, age: BIGINT, workclass: VARCHAR });
  expect(fed(mapping)).toEqual([
    ["age", "age"],
    ["workclass", "workclass"],
    ["hours_per_week", "hours_per_week"],
  ]);
  expect(mapping.requests).toEqual([{ name: "age" }, { name: "workclass" }, { name: "hours_per_week" }]);
  expect(mapping.lines).toEqual(["3 columns by name"]);
  expect(mapping.surplus).toEqual(["id"]);
});

test.each(["hours-per-week", "hours per week", "hours-per week", "hours"])(
  "a column spelled %j feeds the input that an exporter called hours_per_week",
  (spelling) => {
    const mapping = map(census, { age: BIGINT, workclass: VARCHAR, [spelling]: DOUBLE });
    expect(fed(mapping)[2]).toEqual(["hours_per_week", spelling]);
    expect(mapping.lines).toEqual(["2 columns by name", `hours_per_week ← ${spelling} (other spelling)`]);
  },
);

test("a column spelled as an identifier feeds an input with other signs", () => {
  const model = modelMessage([specMessage("education-num", "FP32", [-1])]);
  expect(fed(map(model, { education_num: DOUBLE }))).toEqual([["education-num", "education_num"]]);
});

test("two columns that spell the same input are refused until --map says which", () => {
  const types = { age: BIGINT, workclass: VARCHAR, hours_per_week: DOUBLE, "hours-per-week": DOUBLE };
  expect(problems(census, types)).toEqual([
    'columns "hours_per_week", "hours-per-week" all spell "hours_per_week"; say which with --map "hours_per_week=hours_per_week"',
  ]);
  const mapping = map(census, types, { maps: { hours_per_week: "hours-per-week" } });
  expect(fed(mapping)[2]).toEqual(["hours_per_week", "hours-per-week"]);
  expect(mapping.surplus).toEqual(["hours_per_week"]);
});

test("a name that stands twice in the table is refused where it is used, with what helps, and ignored elsewhere", () => {
  const model = modelMessage([specMessage("x", "FP32", [-1, 1]), specMessage("y", "FP32", [-1, 1])]);
  const columns = ["x", "y", "x"].map((name) => ({ name, type: FLOAT }));
  const options = { byPosition: false, keep: [], textNumbers: true, joinColumns: false };
  const refused =
    '2 columns of the table are called "x", and no flag can say which is meant: give one another name in the file, or ' +
    'with --input "sql:SELECT … AS …" (in a query over the file, DuckDB calls the second "x_1")';
  for (const more of [{ maps: new Map<string, string>() }, { maps: new Map([["y", "x"]]), keep: ["x"] }]) {
    expect(() => mapColumns(model, columns, { ...options, ...more })).toThrow(
      expect.objectContaining({ message: refused }),
    );
  }
  const other = modelMessage([specMessage("y", "FP32", [-1, 1])]);
  expect(fed(mapColumns(other, columns, { ...options, maps: new Map() }))).toEqual([["y", "y"]]);
});

test("a column whose name is exactly one input's is no other spelling of a second input", () => {
  const model = modelMessage([specMessage("a_b", "FP32", [-1]), specMessage("a-b", "FP32", [-1])]);
  expect(fed(map(model, { "a-b": DOUBLE, a_b: DOUBLE }))).toEqual([
    ["a_b", "a_b"],
    ["a-b", "a-b"],
  ]);
});

test("a vector input finds its columns by feature names, in the order of the model", () => {
  const mapping = map(named, { c: FLOAT, a: FLOAT, b: FLOAT });
  expect(fed(mapping)).toEqual([["features", "a", "b", "c"]]);
  expect(mapping.tensors[0]).toMatchObject({ tailShape: [3], datatype: "FP32" });
  expect(mapping.lines).toEqual(["3 columns by feature name"]);
});

test("a vector input of any length has as many columns as feature names", () => {
  const model = modelMessage([specMessage("x", "FP32", [-1, -1], { featureNames: ["a", "b"] })]);
  expect(map(model, { b: FLOAT, a: FLOAT }).tensors[0]).toMatchObject({ tailShape: [2] });
});

test("a vector input without feature names says how many columns it takes and what to do", () => {
  expect(problems(vector, { x: FLOAT, y: FLOAT, z: FLOAT })).toEqual([
    'input "features" (FP32[-1,3]) takes 3 columns, and the model does not name them: name them (feature_names in the ' +
      "model's config.json), or list the table's in the model's order (--columns), or take all of them as they stand " +
      "(--by-position), or map each " +
      '(--map "features[0]=x" …)',
  ]);
});

test("--by-position fills inputs with the columns that are neither kept nor mapped, in the order of the table", () => {
  const mapping = map(
    vector,
    { id: BIGINT, z: FLOAT, y: FLOAT, x: FLOAT },
    { byPosition: true, keep: ["id"] },
  );
  expect(fed(mapping)).toEqual([["features", "z", "y", "x"]]);
  expect(mapping.lines).toEqual([
    "3 columns by position",
    "features[0] ← z (by position)",
    "features[1] ← y (by position)",
    "features[2] ← x (by position)",
  ]);
  const part = map(
    vector,
    { x: FLOAT, y: FLOAT, z: FLOAT },
    { byPosition: true, maps: { "features[0]": "z" } },
  );
  expect(fed(part)).toEqual([["features", "z", "x", "y"]]);
});

test("--by-position refuses another number of columns", () => {
  expect(problems(vector, { x: FLOAT, y: FLOAT }, { byPosition: true })).toEqual([
    '--by-position: the model takes 3 columns, and the table has 2 beside those kept or mapped ("x", "y"); ' +
      "pass others through with --keep, or read only the model's with sql:",
  ]);
});

test("--columns fills inputs with the columns that it lists, from wherever they stand", () => {
  const mapping = map(vector, { z: FLOAT, y: FLOAT, x: FLOAT, w: FLOAT }, { listed: ["x", "z", "w"] });
  expect(fed(mapping)).toEqual([["features", "x", "z", "w"]]);
  expect(mapping.surplus).toEqual(["y"]);
  const open = modelMessage([specMessage("features", "FP32", [-1, -1])]);
  expect(fed(map(open, { b: FLOAT, a: FLOAT }, { listed: ["a", "b"] }))).toEqual([["features", "a", "b"]]);
});

test("--columns is told which columns are not there, named twice, too few or too many", () => {
  expect(problems(vector, { age: FLOAT, b: FLOAT }, { listed: ["aeg", "b", "b", "b"] })).toEqual([
    '--columns "aeg": the table has no such column; did you mean "age"?',
    '--columns "b": the column is named twice',
    '--columns "b": the column is named twice',
    "--columns: 4 columns came, and the model takes 3 columns",
  ]);
});

test("--by-position says when columns have the names of other inputs", () => {
  const mapping = map(named, { c: FLOAT, b: FLOAT, a: FLOAT }, { byPosition: true });
  expect(mapping.lines.at(-1)).toBe(
    "2 columns by position have the name of another input: is --by-position meant?",
  );
  const one = map(named, { d: FLOAT, b: FLOAT, a: FLOAT }, { byPosition: true });
  expect(one.lines.at(-1)).toBe(
    "1 column by position has the name of another input: is --by-position meant?",
  );
});

test("an input of several axes takes as many columns as it has values, by position", () => {
  const image = modelMessage([specMessage("image", "FP32", [-1, 1, 2, 2])]);
  const mapping = map(image, { a: FLOAT, b: FLOAT, c: FLOAT, d: FLOAT }, { byPosition: true });
  expect(mapping.tensors[0]).toMatchObject({ tailShape: [1, 2, 2] });
  expect(fed(mapping)).toEqual([["image", "a", "b", "c", "d"]]);
});

test.each([
  ["open lengths", modelMessage([specMessage("ids", "INT64", [-1, -1, 4])])],
  ["no axes", modelMessage([specMessage("ids", "INT64", [])])],
])("an input with %s is refused", (_, model) => {
  expect(problems(model, { a: BIGINT })[0]).toMatch(
    /^input "ids" is INT64\[.*columns fill only rows of one known length/,
  );
});

test("a model without a batch dimension is refused", () => {
  const model = modelMessage([specMessage("x", "FP32", [3])], { batching: BatchingMode.NO_BATCH_DIMENSION });
  expect(problems(model, { a: FLOAT })).toEqual([
    'model "census" has no batch dimension: one run takes one request, not rows of a table; send it requests instead',
  ]);
});

test("optional inputs may be left out, and it is said", () => {
  const model = modelMessage([
    specMessage("x", "FP32", [-1, 1]),
    specMessage("offset", "FP32", [-1, 1], { optional: true }),
  ]);
  expect(map(model, { x: FLOAT }).lines).toEqual([
    "1 column by name",
    "offset left out (optional; the model's own value is used)",
  ]);
  expect(fed(map(model, { x: FLOAT, offset: FLOAT }))).toEqual([
    ["x", "x"],
    ["offset", "offset"],
  ]);
  expect(fed(map(model, { a: FLOAT }, { byPosition: true }))).toEqual([["x", "a"]]);
  expect(problems(modelMessage([specMessage("x", "FP32", [-1], { optional: true })]), { a: FLOAT })).toEqual([
    "no column of the table feeds any input of the model, all of which are optional",
  ]);
});

test("everything that is wrong is told at once", () => {
  const types = { Age: BIGINT, hours_per_week: TIMESTAMP, "work class ": LIST(VARCHAR), tags: LIST(VARCHAR) };
  expect(
    problems(census, types, {
      maps: { agee: "Age", workclass: "workclas" },
      keep: ["idd", "tags", "Age", "Age"],
    }),
  ).toEqual([
    '--map "agee=Age": the model has no input of one value, and no feature, of that name; did you mean "age"?',
    '--map "workclass=workclas": the table has no column "workclas"; did you mean "work class "?',
    'input "age" (INT64[-1,1]) has no column in the table; if "Age" is it: --map "age=Age"',
    '--keep "idd": the table has no such column; it has "Age", "hours_per_week", "work class ", "tags"',
    '--keep "tags": the column is VARCHAR[], and nested columns are not passed through; take a field of it with sql:',
    '--keep "Age": the column is named twice',
    'column "hours_per_week" is TIMESTAMP and cannot feed "hours_per_week" (FP32): FP32 takes numbers; say which with ' +
      'sql: (SELECT epoch("hours_per_week") …, or date_part)',
  ]);
});

test("a proposed --map has its pair in quotes where a column has a comma", () => {
  const types = { age: BIGINT, workclass: VARCHAR, "hours,per_week": FLOAT, "hours per_week": FLOAT };
  expect(problems(census, types)).toEqual([
    'columns "hours,per_week", "hours per_week" all spell "hours_per_week"; say which with ' +
      String.raw`--map "\"hours_per_week=hours,per_week\""`,
  ]);
});

test("--map to a vector input says how its values are called", () => {
  const types = { x: FLOAT, y: FLOAT, z: FLOAT };
  expect(problems(vector, types, { maps: { features: "x" } })[0]).toBe(
    '--map "features=x": the model has no input of one value, and no feature, of that name; it is a vector, map its ' +
      'values: "features[0]", "features[1]", "features[2]"',
  );
  const maps = { "features[0]": "z", "features[1]": "z", "features[2]": "x" };
  expect(fed(map(vector, types, { maps }))).toEqual([["features", "z", "z", "x"]]);
});

test.each([
  ["a list", "FP32", LIST(FLOAT), "nested columns cannot be scored"],
  ["a blob", "FP32", BLOB, "this type cannot be scored; cast it with sql:"],
  ["a blob", "BYTES", BLOB, "this type cannot be scored; cast it with sql:"],
  ["a timestamp", "INT64", TIMESTAMP, "INT64 takes numbers; say which with sql: (SELECT epoch"],
  ["a number", "BYTES", BIGINT, "BYTES takes text; say how it is written with sql: (SELECT CAST"],
  ["a number", "BOOL", BIGINT, "BOOL takes booleans; cast it with sql:"],
])("%s cannot feed an input of %s", (_, datatype, type, what) => {
  const lines = problems(modelMessage([specMessage("x", datatype, [-1, 1])]), { x: type });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain(`column "x" is ${type} and cannot feed "x" (${datatype}): ${what}`);
});

test("text feeds numbers only where the table knows nothing else", () => {
  const model = modelMessage([specMessage("x", "FP32", [-1, 1])]);
  expect(map(model, { x: VARCHAR }).tensors[0]!.columns[0]!.kind).toBe("text");
  expect(problems(model, { x: VARCHAR }, { textNumbers: false, joinColumns: false })[0]).toContain(
    'FP32 takes numbers; cast it with sql: (SELECT CAST("x" AS DOUBLE) …)',
  );
});

test("columns kept are read as they are, beside what the model reads of them", () => {
  const model = modelMessage([specMessage("x", "FP32", [-1, 1]), specMessage("y", "FP32", [-1, 1])]);
  const mapping = map(model, { id: BIGINT, x: HUGEINT, y: FLOAT }, { keep: ["id", "x", "y"] });
  expect(mapping.requests).toEqual([
    { name: "x", asDouble: true },
    { name: "y" },
    { name: "id" },
    { name: "x" },
  ]);
  expect(mapping.keep).toEqual([
    { name: "id", vectorIndex: 2 },
    { name: "x", vectorIndex: 3 },
    { name: "y", vectorIndex: 1 },
  ]);
  expect(mapping.surplus).toEqual([]);
});

test("a long list of problems is cut", () => {
  const featureNames = Array.from({ length: 100 }, (_, i) => `f${i}`);
  const lines = problems(modelMessage([specMessage("x", "FP32", [-1, 100], { featureNames })]), { q: FLOAT });
  expect(lines).toHaveLength(31);
  expect(lines[30]).toBe("and 70 more");
});

test("the middling texts of several columns are read joined where the source can", () => {
  const types = { age: VARCHAR, workclass: VARCHAR, hours_per_week: DOUBLE };
  const { joined, requests } = map(census, types, { joinColumns: true, keep: ["age"] });
  expect(joined).toEqual({ columns: ["age", "workclass"], vectorIndex: 3 });
  expect(requests).toEqual([
    { name: "age" },
    { name: "workclass" },
    { name: "hours_per_week" },
    { name: "", joinedTexts: ["age", "workclass"] },
  ]);
  expect(map(census, { ...types, age: BIGINT }, { joinColumns: true }).joined).toBeUndefined();
  expect(map(census, types).joined).toBeUndefined();
});

test("a hint offers only columns that feed no other input, before or after it", () => {
  const model = modelMessage([
    specMessage("capital_gains", "FP32", [-1, 1]),
    specMessage("capital_gain", "FP32", [-1, 1]),
    specMessage("capital_gai", "FP32", [-1, 1]),
  ]);
  const taken = problems(model, { capital_gain: DOUBLE });
  expect(taken).toHaveLength(2);
  for (const problem of taken) expect(problem).not.toContain("--map");
  const free = problems(model, { capital_gain: DOUBLE, capitalgains2: DOUBLE });
  expect(free[0]).toContain('--map "capital_gains=capitalgains2"');
});
