import { expect, test } from "vitest";
import type { MappingOptions } from "../../../../src/job/columns/model-elements.ts";
import type { RowEncoderOptions } from "../../../../src/job/encode/row-encoder.ts";
import { modelMessage, specMessage } from "../../../support/models/model-message.ts";
import { fromMessage } from "../../../support/models/tensor-messages.ts";
import { encoderOf, mapped } from "../../../support/tables/row-encoding.ts";
import { queryChunks, requestSql } from "../../../support/tables/table-chunks.ts";

type Inputs = Parameters<typeof modelMessage>[0];

/** Maps a query's columns to inputs and encodes its rows: all chunks must be one. */
async function encode(
  inputs: Inputs,
  sql: string,
  options: Partial<RowEncoderOptions> & Partial<MappingOptions> = {},
) {
  const { columns, chunks } = await queryChunks(sql);
  const mapping = mapped(modelMessage(inputs), columns, options);
  const read = await queryChunks(`SELECT ${requestSql(mapping.requests)} FROM (${sql})`);
  expect(chunks).toHaveLength(1);
  const encoder = encoderOf(mapping, options);
  const { request, rows, errors, rowCount } = encoder.encode(read.chunks[0]!);
  const tensors = (request?.inputs ?? []).map(fromMessage);
  const values = tensors.map(({ data }) => Array.from(data as ArrayLike<unknown>));
  const { notices } = encoder;
  return {
    notices,
    request,
    rows: rows && [...rows],
    errors: Object.fromEntries(errors),
    rowCount,
    tensors,
    values,
  };
}

const one = (datatype: string) => [specMessage("x", datatype, [-1, 1])];
const rowsOf = (...values: string[]) =>
  `SELECT * FROM (VALUES ${values.map((value) => `(${value})`).join(",")}) t(x)`;

test("columns become one row-major tensor an input, and the request names its model", async () => {
  const inputs = [
    specMessage("v", "FP32", [-1, 3], { featureNames: ["a", "b", "c"] }),
    specMessage("n", "INT64", [-1]),
  ];
  const sql = "SELECT 2::FLOAT b, i + 0.5::DOUBLE c, i::BIGINT n, i::FLOAT a FROM range(3) t(i)";
  const { request, tensors, rows, rowCount } = await encode(inputs, sql, { outputNames: ["p"] });
  expect(request).toMatchObject({ modelName: "census", modelVersion: "3", outputNames: ["p"] });
  expect(tensors).toEqual([
    { name: "v", datatype: "FP32", shape: [3, 3], data: Float32Array.of(0, 2, 0.5, 1, 2, 1.5, 2, 2, 2.5) },
    { name: "n", datatype: "INT64", shape: [3], data: BigInt64Array.of(0n, 1n, 2n) },
  ]);
  expect([rows, rowCount]).toEqual([undefined, 3]);
});

test.each([
  ["FLOAT", "FP32", "1.5::FLOAT", 1.5],
  ["FLOAT", "FP64", "1.5::FLOAT", 1.5],
  ["DOUBLE", "FP32", "1.5::DOUBLE", 1.5],
  ["DOUBLE", "FP16", "1.5::DOUBLE", 0x3e00],
  ["DOUBLE", "BF16", "1.5::DOUBLE", 0x3fc0],
  ["TINYINT", "FP32", "(-3)::TINYINT", -3],
  ["UINTEGER", "FP32", "4000000000::UINTEGER", 4e9],
  ["BIGINT", "FP64", "(-9007199254740993)::BIGINT", -9007199254740992],
  ["UBIGINT", "FP64", "18446744073709551615::UBIGINT", 18446744073709552000],
  ["HUGEINT", "FP64", "123456789012345678901234567890::HUGEINT", 123456789012345680000000000000],
  ["DECIMAL", "FP32", "12.25::DECIMAL(9,2)", 12.25],
  ["BOOLEAN", "FP32", "true", 1],
  ["BOOLEAN", "INT8", "true", 1],
  ["BOOLEAN", "BOOL", "true", 1],
  ["VARCHAR", "FP32", "' 12.25 '", 12.25],
  ["VARCHAR", "FP64", "'-0.1234567890123456789'", -0.12345678901234568],
  ["VARCHAR", "INT64", "'-9223372036854775808'", -(2n ** 63n)],
  ["VARCHAR", "UINT64", "' +18446744073709551615 '", 2n ** 64n - 1n],
  ["VARCHAR", "INT32", "'39.0'", 39],
  ["VARCHAR", "BOOL", "' True'", 1],
  ["VARCHAR", "BYTES", "' Bachelors '", " Bachelors "],
  ["VARCHAR", "BYTES", "'Grüße, 世界 🙂 and a long text'", "Grüße, 世界 🙂 and a long text"],
  ["ENUM", "BYTES", "'b'::ENUM('a','b')", "b"],
  ["JSON", "FP32", "'-1.5e2'::JSON", -150],
  ["JSON", "FP32", "'true'::JSON", 1],
  ["JSON", "INT64", "'9007199254740993'::JSON", 9007199254740993n],
  ["JSON", "BOOL", "'false'::JSON", 0],
  ["JSON", "BYTES", `'"a\\u00e9\\n"'::JSON`, "aé\n"],
  ["BIGINT", "INT64", "(-9223372036854775808)::BIGINT", -(2n ** 63n)],
  ["BIGINT", "INT64", "(-5)::BIGINT", -5n],
  ["BIGINT", "UINT8", "255::BIGINT", 255],
  ["UBIGINT", "UINT64", "18446744073709551615::UBIGINT", 2n ** 64n - 1n],
  ["DOUBLE", "INT64", "(-4294967297)::DOUBLE", -4294967297n],
  ["DOUBLE", "UINT64", "9007199254740991::DOUBLE", 9007199254740991n],
  ["INTEGER", "INT64", "(-1)::INTEGER", -1n],
  ["DECIMAL", "INT64", "12::DECIMAL(9,2)", 12n],
] as const)("a %s feeds %s: %s", async (_, datatype, sql, expected) => {
  const { values, errors } = await encode(one(datatype), `SELECT ${sql} x`);
  expect(errors).toEqual({});
  expect(values[0]).toEqual([datatype === "FP32" ? Math.fround(expected as number) : expected]);
});

test.each(["FLOAT", "DOUBLE", "BIGINT", "VARCHAR", "DECIMAL(9,2)", "BOOLEAN", "JSON"])(
  "NULL in a %s column is a missing number, in any of its rows",
  async (type) => {
    const sql = `SELECT CASE WHEN i % 7 = 3 THEN NULL ELSE ${type === "BOOLEAN" ? "true" : "1"}::${type} END x FROM range(100) t(i)`;
    const { values, rows } = await encode(one("FP32"), sql);
    expect(rows).toBeUndefined();
    expect(values[0]).toEqual(Array.from({ length: 100 }, (_, i) => (i % 7 === 3 ? Number.NaN : 1)));
  },
);

test.each(["INT64", "INT32", "BOOL", "BYTES"])("NULL is an error of its row for %s", async (datatype) => {
  const type = { BOOL: "BOOLEAN", BYTES: "VARCHAR", INT64: "BIGINT", INT32: "INTEGER" }[datatype]!;
  const { values, errors, rows } = await encode(one(datatype), rowsOf(`1::${type}`, "NULL", `1::${type}`));
  expect(rows).toEqual([0, 2]);
  expect(values[0]).toHaveLength(2);
  expect(errors[1]).toMatch(/^column "x": no value; .* takes? no missing/);
});

test.each([
  [
    "INT64",
    "(-1e17)::DOUBLE",
    "-100000000000000000 is beyond 2^53, where this column's type loses digits; INT64 takes exact numbers",
  ],
  ["INT64", "39.5::DOUBLE", "39.5 is not a whole number, as INT64 takes"],
  ["INT64", "'nan'::DOUBLE", "no value; INT64 takes no missing numbers"],
  [
    "INT64",
    "1e17::DOUBLE",
    "100000000000000000 is beyond 2^53, where this column's type loses digits; INT64 takes exact numbers",
  ],
  [
    "INT64",
    "1e300::DOUBLE",
    "1e+300 is out of range; INT64 takes -9223372036854775808 to 9223372036854775807",
  ],
  [
    "INT64",
    "18446744073709551615::UBIGINT",
    "18446744073709551615 is out of range; INT64 takes -9223372036854775808 to 9223372036854775807",
  ],
  ["UINT64", "(-1)::BIGINT", "-1 is out of range; UINT64 takes 0 to 18446744073709551615"],
  ["INT8", "128::BIGINT", "128 is out of range; INT8 takes -128 to 127"],
  ["UINT8", "'256'", "256 is out of range; UINT8 takes 0 to 255"],
  [
    "INT64",
    "'9223372036854775808'",
    "9223372036854775808 is out of range; INT64 takes -9223372036854775808 to 9223372036854775807",
  ],
  ["INT64", "''", "no value; INT64 takes no missing numbers"],
  ["FP32", "1e39::DOUBLE", "1e+39 is too large; FP32 takes numbers up to about 3.4028235677973362e+38"],
  [
    "FP64",
    "'-inf'::DOUBLE",
    "-Infinity is too large; FP64 takes numbers up to about 1.7976931348623157e+308",
  ],
  ["FP32", "'0x10'", '"0x10" is not a number'],
  ["FP32", "'NA'", '"NA" is not a number; --null-values says which texts mean a missing number'],
  ["FP32", "'39,5'", '"39,5" is not a number; --decimal-comma reads decimal commas'],
  ["FP32", "'1_000'", '"1_000" is not a number'],
  ["FP32", "'1,000.5'", '"1,000.5" is not a number'],
  ["FP32", "'inf'", '"inf" is not a number'],
  ["FP32", "'NaN'", '"NaN" is not a number; --null-values says which texts mean a missing number'],
  ["FP32", "'1e999'", '"1e999" is too large a number'],
  ["FP32", "'1 2'", '"1 2" is not a number'],
  ["FP32", "'true'", '"true" is not a number'],
  ["FP32", "'١٢'", '"١٢" is not a number'],
  ["BOOL", "'yes'", '"yes" is neither true nor false'],
  ["FP32", `'"39"'::JSON`, 'the string "39" came; a number or null is expected'],
  ["FP32", "'[1]'::JSON", "a list came; a number or null is expected"],
  ["FP32", `'{"a":1}'::JSON`, "an object came; a number or null is expected"],
  ["FP32", "'1e999'::JSON", '"1e999" is too large a number'],
  ["BYTES", "'39'::JSON", "39 came; a string is expected"],
  ["BOOL", "'1'::JSON", "1 came; true or false is expected"],
  ["FP32", "repeat('x', 100)", `"${"x".repeat(60)}…" is not a number`],
])("a row that cannot feed %s is named: %s", async (datatype, sql, what) => {
  const { errors, request } = await encode(one(datatype), `SELECT ${sql} x`);
  expect(errors).toEqual({ 0: `column "x": ${what}` });
  expect(request).toBeUndefined();
});

test("rows with an error are left out, of strings and vectors too, and the others keep their order", async () => {
  const inputs = [
    specMessage("v", "FP32", [-1, 2], { featureNames: ["a", "b"] }),
    specMessage("s", "BYTES", [-1, 1]),
    specMessage("n", "INT64", [-1, 1]),
  ];
  const sql = `SELECT i::VARCHAR AS a, CASE WHEN i = 1 THEN 'q' ELSE '0' END AS b, repeat('s', (i * 9)::INT) AS s,
    CASE WHEN i IN (1, 3) THEN 0.5 ELSE i::DOUBLE END AS n FROM range(5) t(i)`;
  const { rows, errors, tensors } = await encode(inputs, sql);
  expect(rows).toEqual([0, 2, 4]);
  expect(errors).toEqual({
    1: 'column "b": "q" is not a number; column "n": 0.5 is not a whole number, as INT64 takes',
    3: 'column "n": 0.5 is not a whole number, as INT64 takes',
  });
  expect(tensors).toEqual([
    { name: "v", datatype: "FP32", shape: [3, 2], data: Float32Array.of(0, 0, 2, 0, 4, 0) },
    { name: "s", datatype: "BYTES", shape: [3, 1], data: ["", "s".repeat(18), "s".repeat(36)] },
    { name: "n", datatype: "INT64", shape: [3, 1], data: BigInt64Array.of(0n, 2n, 4n) },
  ]);
});

test("a row with many faults names the first three columns", async () => {
  const inputs = ["a", "b", "c", "d", "e"].map((name) => specMessage(name, "FP32", [-1]));
  const rows = "FROM (VALUES ('q', 'q', 'q', 'q', 'q'), ('q', 'q', 'q', 'q', '1')) t(a, b, c, d, e)";
  const { errors } = await encode(inputs, rows);
  expect(errors[0]).toMatch(
    /^column "a": .*; column "b": .*; column "c": "q" is not a number; and 2 more columns$/,
  );
  expect(errors[1]).toMatch(/; and 1 more column$/);
});

test("texts that mean a missing number are missing, numbers among them, and text inputs get them as they are", async () => {
  const nullTexts = new Set(["NA", "-999", "?"]);
  const { values, errors } = await encode(one("FP32"), rowsOf("'NA'", "' ? '", "'-999'", "'-998'", "''"), {
    nullTexts,
  });
  expect(errors).toEqual({});
  expect(values[0]).toEqual([Number.NaN, Number.NaN, Number.NaN, -998, Number.NaN]);
  const json = await encode(one("FP32"), rowsOf(`'"NA"'::JSON`, "'-999'", "'-998'", "'null'", `'"n"'`), {
    nullTexts,
  });
  expect(json.values[0]).toEqual([Number.NaN, Number.NaN, -998, Number.NaN]);
  expect(json.errors).toEqual({ 4: 'column "x": the string "n" came; a number or null is expected' });
  const texts = await encode(one("BYTES"), rowsOf("'NA'", "''"), { nullTexts });
  expect(texts.values[0]).toEqual(["NA", ""]);
});

test("decimal commas are read when told, and then a point is a fault", async () => {
  const { values, errors } = await encode(one("FP64"), rowsOf("'39,5'", "'-,5e1'", "'7'", "'1.234'"), {
    decimalComma: true,
  });
  expect(values[0]).toEqual([39.5, -5, 7]);
  expect(errors).toEqual({ 3: 'column "x": "1.234" is not a number; decimal commas are expected' });
});

test("text is trimmed and NULL replaced only when told", async () => {
  const sql = rowsOf("' State-gov'", "NULL", "'a text longer than twelve bytes \t'");
  const { values, errors } = await encode(one("BYTES"), sql, { trimText: true, textForNull: "none" });
  expect(errors).toEqual({});
  expect(values[0]).toEqual(["State-gov", "none", "a text longer than twelve bytes"]);
});

test("an empty chunk makes no request", async () => {
  const { columns } = await queryChunks("SELECT 1::FLOAT x");
  const { chunks } = await queryChunks("SELECT 1::FLOAT x");
  chunks[0]!.chunk.rowCount = 0;
  const encoder = encoderOf(mapped(modelMessage(one("FP32")), columns));
  expect(encoder.encode(chunks[0]!)).toMatchObject({ rowCount: 0, request: undefined, rows: undefined });
});

test("requests own their bytes: encoding the next chunk changes none of them", async () => {
  const { columns, chunks } = await queryChunks("SELECT i::FLOAT x FROM range(5000) t(i)");
  const encoder = encoderOf(mapped(modelMessage(one("FP32")), columns));
  const encoded = chunks.map((chunk) => encoder.encode(chunk));
  expect(encoded.map(({ rowCount }) => rowCount)).toEqual([2048, 2048, 904]);
  const all = encoded.flatMap(({ request }) =>
    Array.from(fromMessage(request!.inputs[0]!).data as Float32Array),
  );
  expect(all).toEqual(Array.from({ length: 5000 }, (_, i) => i));
  // Bytes that were given back serve the next chunk, and are given back once however often it is said.
  encoded[0]!.release();
  encoded[0]!.release();
  const [third, fourth] = [encoder.encode(chunks[2]!), encoder.encode(chunks[2]!)].map(
    ({ request }) => request!.inputs[0]!,
  );
  expect(third!.rawContents.buffer).toBe(encoded[0]!.request!.inputs[0]!.rawContents.buffer);
  expect(fourth!.rawContents.buffer).not.toBe(third!.rawContents.buffer);
  expect(third!.rawContents).toEqual(encoded[2]!.request!.inputs[0]!.rawContents);
});

test("texts read joined are the texts of their cells, whatever they hold", async () => {
  const inputs = [
    ...["a", "b", "c"].map((name) => specMessage(name, "BYTES", [-1, 1])),
    specMessage("n", "FP64", [-1, 1]),
    specMessage("j", "INT64", [-1, 1]),
  ];
  const lengths = [0, 1, 11, 12, 13, 14, 63, 64, 65, 200];
  const sql = `SELECT repeat('a', (i % 67)::INT) a, CASE i % 5 WHEN 0 THEN 'é' ELSE '' END || repeat('ü', (i % 40)::INT) b,
    CASE WHEN i % 10 = 3 THEN 'two' || chr(31) || 'parts of a text' ELSE repeat('c', [${lengths}][1 + i % 10]) END c,
    CASE WHEN i % 11 = 4 THEN NULL ELSE (i / 7)::DOUBLE::VARCHAR || repeat('0', (i % 30)::INT) END n,
    (9007199254740993 + i)::VARCHAR::JSON j FROM range(2000) t(i)`;
  const joined = await encode(inputs, sql, { joinColumns: true });
  const single = await encode(inputs, sql, { joinColumns: false });
  expect(joined.values).toEqual(single.values);
  expect(joined.errors).toEqual(single.errors);
  expect(joined.errors).toEqual({});
  expect(joined.values[1]![5]).toBe(`é${"ü".repeat(5)}`);
  expect(joined.values[2]![3]).toBe("two\u001fparts of a text");
  expect(joined.values[4]![1999]).toBe(9007199254742992n);
});

test("texts with spaces around them are told once a column, unless they are trimmed", async () => {
  const sql = rowsOf("'Private'", "' State-gov'", "' Private'");
  const asTheyAre = await encode(one("BYTES"), sql);
  expect(asTheyAre.values[0]).toEqual(["Private", " State-gov", " Private"]);
  expect(asTheyAre.notices).toEqual([
    'column "x" has texts with spaces around them, " State-gov", which the model gets as they are; --trim-text takes them off',
  ]);
  expect((await encode(one("BYTES"), sql, { trimText: true })).notices).toEqual([]);
  expect((await encode(one("FP32"), rowsOf("' 1'"))).notices).toEqual([]);
});

test.each([1, 4, 5, 8, 11])(
  "%i columns, float ones beside others, with and without NULL, keep every value",
  async (width) => {
    const names = Array.from({ length: width }, (_, i) => `c${i}`);
    const types = ["FLOAT", "FLOAT", "FLOAT", "FLOAT", "FLOAT", "DOUBLE", "FLOAT", "BIGINT", "FLOAT"];
    const values = names.map((name, i) => {
      const value = `(r * 100 + ${i})::${types[i % types.length]}`;
      return `${i % 3 === 1 ? `CASE WHEN r % 33 = ${i} THEN NULL ELSE ${value} END` : value} AS ${name}`;
    });
    const sql = `SELECT ${values.join(", ")} FROM range(2048) t(r)`;
    const inputs = [specMessage("x", "FP32", [-1, width], { featureNames: names })];
    const expected = Array.from({ length: 2048 * width }, (_, at) => {
      const [row, i] = [Math.floor(at / width), at % width];
      return i % 3 === 1 && row % 33 === i ? Number.NaN : row * 100 + i;
    });
    expect((await encode(inputs, sql)).values[0]).toEqual(expected);
  },
);

test("an empty cell of CSV is an empty text or no value, as is told, and so is a text that means none", async () => {
  const sql = rowsOf("'a'", "NULL", "''", "'NA'");
  const plain = await encode(one("BYTES"), sql, { nullIsEmptyText: true });
  expect(plain.errors).toEqual({});
  expect(plain.tensors[0]!.data).toEqual(["a", "", "", "NA"]);
  const told = await encode(one("BYTES"), sql, {
    nullText: "NA",
    textForNull: "unknown",
    nullIsEmptyText: true,
  });
  expect(told.tensors[0]!.data).toEqual(["a", "", "", "unknown"]);
  const missing = await encode(one("BYTES"), sql);
  expect(Object.keys(missing.errors)).toEqual(["1"]);
  expect(missing.errors[1]).toMatch(/column "x": no value; .* --text-for-null TEXT gives them the text/);
});

test("a row that could not be read has that fault alone", async () => {
  const { columns, chunks } = await queryChunks("SELECT * FROM (VALUES (1), (NULL), (3)) t(x)");
  const encoder = encoderOf(mapped(modelMessage(one("INT32")), columns));
  const faults = new Map([[1, "line 2 is not a JSON object: {"]]);
  const { errors, rows } = encoder.encode({ ...chunks[0]!, faults });
  expect(errors).toEqual(faults);
  expect([...rows!]).toEqual([0, 2]);
});
