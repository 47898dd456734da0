import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tableFromIPC } from "apache-arrow";
import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import type { TableFormat } from "../../../../src/table/table-source.ts";
import { openFileSink } from "../../../../src/table/write/file-sink.ts";
import { fileFolder } from "../../../support/folders.ts";
import {
  appendRest,
  queryRows,
  queryTable,
  resultColumns,
  rowResults,
  sinkOptions,
} from "../../../support/tables/sink-tables.ts";

const folder = fileFolder();
let files = 0;
function newPath(ending: string): string {
  mkdirSync(join(folder, String(++files)));
  return join(folder, String(files), `scores${ending}`);
}

const KEPT = `
  range AS id, range::INTEGER AS i32, range::SMALLINT % 100 AS i16, range::UBIGINT AS u64, range::FLOAT / 3 AS f32,
  range % 2 = 0 AS flag, CASE WHEN range % 3 = 0 THEN NULL ELSE 'kept text no. ' || range END AS text,
  CASE WHEN range % 5 = 0 THEN NULL ELSE range::DOUBLE END AS maybe,
  DATE '2024-02-29' + range::INTEGER AS day, TIMESTAMP '2024-02-29 12:00:00.123456' + range * INTERVAL 1 SECOND AS at,
  TIMESTAMPTZ '2024-02-29 12:00:00+02' AS zoned, (range / 100)::DECIMAL(9, 2) AS price, range::DECIMAL(38, 4) AS wide,
  'ä' || chr(65 + (range % 26)::INTEGER) AS short`;

test("a Parquet output has the kept columns in their types, then the results", async () => {
  const table = await queryTable(`SELECT ${KEPT} FROM range(5000)`);
  const outputPath = newPath(".parquet");
  const columns = resultColumns(table.names, { hasLabel: true, probabilities: ["even", "odd"] });
  const sink = await openFileSink(sinkOptions(outputPath, table, { columns, partRows: 2000 }));
  expect(sink.written).toEqual({ inputRows: 0, rows: 0, errorRows: 0 });
  await appendRest(sink, table);
  expect(await sink.finish()).toEqual({ inputRows: 5000, rows: 5000, errorRows: 0 });
  expect(readdirSync(join(outputPath, ".."))).toEqual(["scores.parquet"]);
  const expected = `SELECT ${KEPT}, range / 7 AS score, CASE range % 2 WHEN 0 THEN 'even' ELSE 'an odd number of a row' END AS label,
    1 / (range + 2) AS probability_even, 1 - 1 / (range + 2) AS probability_odd, '3' AS model_version,
    NULL::VARCHAR AS score_error FROM range(5000)`;
  expect(await queryRows(`SELECT * FROM '${outputPath}'`)).toEqual(await queryRows(expected));
  expect(await queryRows(`SELECT column_name, column_type FROM (DESCRIBE FROM '${outputPath}')`)).toEqual(
    await queryRows(`SELECT column_name, column_type FROM (DESCRIBE ${expected})`),
  );
});

test.each<[TableFormat, string]>([
  ["parquet", "read_parquet"],
  ["csv", "read_csv"],
  ["ndjson", "read_ndjson"],
])(
  "a %s output has the rows of all parts in order, those that failed with a message",
  async (format, reader) => {
    const table = await queryTable("SELECT range AS id, 'a,\"b' || range AS text FROM range(7000)");
    const outputPath = newPath(`.${format}`);
    const columns = resultColumns(table.names, { hasLabel: true });
    const sink = await openFileSink(sinkOptions(outputPath, table, { format, columns, partRows: 2048 }));
    await appendRest(sink, table, 2500);
    expect(await sink.finish()).toEqual({ inputRows: 7000, rows: 7000, errorRows: 2 });
    const rows = await queryRows(`SELECT * FROM ${reader}('${outputPath}')`);
    expect(rows).toEqual(
      await queryRows(`SELECT range AS id, 'a,"b' || range AS text,
      CASE WHEN range % 2500 <> 2499 THEN range / 7 END AS score,
      CASE WHEN range % 2500 = 2499 THEN NULL WHEN range % 2 = 0 THEN 'even' ELSE 'an odd number of a row' END AS label,
      ${format === "parquet" ? "'3'" : "3"} AS model_version,
      CASE WHEN range % 2500 = 2499 THEN 'row ' || range + 1 || ' is bad' END AS score_error FROM range(7000)`).then(
        (expected) =>
          expected.map((row) => ({
            ...(row as object),
            ...(format === "parquet" ? {} : { model_version: "3" }),
          })),
      ),
    );
  },
);

test("rows that failed are left out where that is asked for", async () => {
  const table = await queryTable(
    "SELECT range AS id, CASE WHEN range % 2 = 0 THEN 'a text of some length' END AS text, [range] AS list FROM range(3000)",
  );
  const outputPath = newPath(".parquet");
  const columns = resultColumns(table.names, {
    hasLabel: true,
    probabilities: ["even", "odd"],
    skipErrors: true,
  });
  const sink = await openFileSink(sinkOptions(outputPath, table, { columns }));
  await appendRest(sink, table, 3);
  expect(await sink.finish()).toEqual({ inputRows: 3000, rows: 2000, errorRows: 1000 });
  expect(
    await queryRows(`SELECT id, text, list, score, probability_even, score_error FROM '${outputPath}'`),
  ).toEqual(
    await queryRows(`SELECT range AS id, CASE WHEN range % 2 = 0 THEN 'a text of some length' END AS text, [range] AS list,
      range / 7 AS score, 1 / (range + 2) AS probability_even, NULL::VARCHAR AS score_error
      FROM range(3000) WHERE range % 3 <> 2`),
  );
});

test("CSV and NDJSON keep every digit, and tell a null from an empty text", async () => {
  const values =
    "SELECT * FROM (VALUES (1, 0.1::FLOAT, ''), (2, NULL, NULL), (3, 1e-30::FLOAT, 'null')) AS t(id, f, text)";
  const table = await queryTable(values);
  const chunk = table.chunks[0]!;
  const results = { ...rowResults(chunk), scores: Float64Array.of(0.1 + 0.2, Number.NaN, -1 / 3e-300) };
  const written: Record<string, string> = {};
  for (const format of ["csv", "ndjson"] as const) {
    const outputPath = newPath(`.${format}`);
    const sink = await openFileSink(sinkOptions(outputPath, table, { format }));
    await sink.append(chunk, results);
    await sink.finish();
    written[format] = readFileSync(outputPath, "utf8");
  }
  expect(written.csv).toBe(
    'id,f,text,score,model_version,score_error\n1,0.1,"",0.30000000000000004,3,\n2,,,nan,3,\n' +
      "3,1e-30,null,-3.333333333333333e+299,3,\n",
  );
  const lines = written
    .ndjson!.trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { score: number | null; text: string | null });
  expect(lines.map(({ score }) => score)).toEqual([0.1 + 0.2, null, -1 / 3e-300]);
  expect(lines.map(({ text }) => text)).toEqual(["", null, "null"]);
});

test("types that Parquet has no room for come as text, huge integers as decimals, nested ones as they are", async () => {
  const sql = `SELECT 170141183460469231731687303715::HUGEINT AS huge, 7::UHUGEINT AS uhuge, INTERVAL '3 months 5 microseconds' AS span,
    '12:00:00+02'::TIMETZ AS timetz, '101'::BIT AS bits, 'b'::ENUM('a', 'b') AS choice, UUID '4d7392dc-6716-4c13-8556-db1db722be75' AS uuid,
    [1, 2] AS list, {'a': 1, 'b': 'x'} AS struct, 'x\\xAA'::BLOB AS blob, NULL AS nothing, MAP {'k': 1} AS map, TIME '01:02:03.5' AS time,
    TIMESTAMP_NS '2024-01-01 01:02:03.123456789' AS ns, TIMESTAMP_S '2024-01-01 01:02:03' AS seconds FROM range(2)`;
  const table = await queryTable(sql);
  const outputPath = newPath(".parquet");
  const sink = await openFileSink(sinkOptions(outputPath, table));
  await appendRest(sink, table);
  await sink.finish();
  expect(
    await queryRows(`SELECT * EXCLUDE (score, model_version, score_error) FROM '${outputPath}'`),
  ).toEqual(
    await queryRows(`SELECT * REPLACE (huge::DECIMAL(38, 0) AS huge, uhuge::VARCHAR AS uhuge, span::VARCHAR AS span,
      timetz::VARCHAR AS timetz, bits::VARCHAR AS bits, seconds::TIMESTAMP AS seconds) FROM (${sql})`),
  );
});

test("types that Arrow files have no column for here come as text", async () => {
  const sql = `SELECT 'b'::ENUM('a', 'b') AS choice, UUID '4d7392dc-6716-4c13-8556-db1db722be75' AS uuid, [1, 2] AS list,
    {'a': 1} AS struct, 12::HUGEINT AS huge, TIMESTAMP '2024-02-29 12:00:00' AS at FROM range(2)`;
  const table = await queryTable(sql);
  const outputPath = newPath(".arrow");
  const sink = await openFileSink(sinkOptions(outputPath, table, { format: "arrow" }));
  await appendRest(sink, table);
  await sink.finish();
  const read = tableFromIPC(readFileSync(outputPath));
  expect(read.schema.fields.map(({ name, type }) => `${name} ${type}`)).toEqual([
    "choice Utf8",
    "uuid Utf8",
    "list Utf8",
    "struct Utf8",
    "huge Decimal[38e0]",
    "at Timestamp<MICROSECOND>",
    "score Float64",
    "model_version Utf8",
    "score_error Utf8",
  ]);
  const { choice, uuid, list, struct, score } = (
    read.get(1) as { toJSON(): Record<string, unknown> }
  ).toJSON();
  expect([choice, uuid, list, struct, score]).toEqual([
    "b",
    "4d7392dc-6716-4c13-8556-db1db722be75",
    "[1, 2]",
    "{'a': 1}",
    1 / 7,
  ]);
});

test("JSON columns stay JSON in NDJSON and become their text elsewhere", async () => {
  const table = await queryTable(
    `SELECT j::JSON AS j FROM (VALUES ('{"a":1}'), ('"text"'), ('7'), (NULL)) AS t(j)`,
  );
  const written: string[] = [];
  for (const format of ["ndjson", "csv"] as const) {
    const outputPath = newPath(`.${format}`);
    const sink = await openFileSink(
      sinkOptions(outputPath, table, {
        format,
        columns: resultColumns(table.names, { hasScore: false, hasLabel: true }),
      }),
    );
    await appendRest(sink, table);
    await sink.finish();
    written.push(readFileSync(outputPath, "utf8"));
  }
  expect(
    written[0]!
      .split("\n")
      .slice(0, 4)
      .map((line) => JSON.stringify((JSON.parse(line) as { j: unknown }).j)),
  ).toEqual(['{"a":1}', '"text"', "7", "null"]);
  expect(written[1]!.split("\n").map((line) => line.split(",even")[0]!.split(",an odd")[0])).toEqual([
    "j,label,model_version,score_error",
    '"{""a"":1}"',
    "text",
    "7",
    "",
    "",
  ]);
});

test("a result may have more different labels than are pooled", async () => {
  const table = await queryTable("SELECT range AS id FROM range(6000)");
  const outputPath = newPath(".parquet");
  const sink = await openFileSink(
    sinkOptions(outputPath, table, {
      columns: resultColumns([], { hasScore: false, hasLabel: true }),
      keepTypes: [],
    }),
  );
  for (const chunk of table.chunks) {
    const labels = Array.from({ length: chunk.chunk.rowCount }, (_, row) =>
      row === 5 ? undefined : `label no. ${chunk.fromRow + row}`,
    );
    await sink.append(chunk, { ...rowResults(chunk), labels });
  }
  await sink.finish();
  expect(
    await queryRows(
      `SELECT count(*) AS rows, count(DISTINCT label) AS labels, min(label) AS first FROM '${outputPath}'`,
    ),
  ).toEqual([{ rows: "6000", labels: String(6000 - table.chunks.length), first: "label no. 0" }]);
});

test.each(["parquet", "csv", "ndjson", "arrow"] as const)(
  "an input without rows gives a %s output without rows",
  async (format) => {
    const outputPath = newPath(`.${format}`);
    const table = await queryTable("SELECT range AS id FROM range(0)");
    const sink = await openFileSink(sinkOptions(outputPath, table, { format }));
    expect(await sink.finish()).toEqual({ inputRows: 0, rows: 0, errorRows: 0 });
    if (format === "parquet") expect(await queryRows(`SELECT id, score FROM '${outputPath}'`)).toEqual([]);
    if (format === "csv")
      expect(readFileSync(outputPath, "utf8")).toBe("id,score,model_version,score_error\n");
  },
);

test("rows so long that a few fill the memory are written all the same", async () => {
  const table = await queryTable("SELECT range AS id, repeat('x' || range, 2000) AS text FROM range(4096)");
  const outputPath = newPath(".parquet");
  const sink = await openFileSink(sinkOptions(outputPath, table, { memoryMegabytes: 32 }));
  await appendRest(sink, table);
  await sink.finish();
  const check = `SELECT count(*) AS rows, bool_and(text = repeat('x' || id, 2000)) AS same FROM '${outputPath}'`;
  expect(await queryRows(check)).toEqual([{ rows: "4096", same: true }]);
});

test("a name that means something to DuckDB or to a glob is only a name", async () => {
  const table = await queryTable("SELECT range AS id FROM range(10)");
  mkdirSync(join(folder, "day=2024-01-01"));
  const outputPath = join(folder, "day=2024-01-01", "it's [1] *.parquet");
  const sink = await openFileSink(sinkOptions(outputPath, table));
  await appendRest(sink, table);
  await sink.finish();
  expect(readdirSync(join(folder, "day=2024-01-01"))).toEqual(["it's [1] *.parquet"]);
});

test("an output that is there is refused by name before anything is written", async () => {
  const table = await queryTable("SELECT range AS id FROM range(10)");
  const outputPath = newPath(".parquet");
  writeFileSync(outputPath, "precious");
  await expect(openFileSink(sinkOptions(outputPath, table))).rejects.toMatchObject({
    reason: Reason.CONFIG_INVALID,
    message: `${outputPath} is there already: give another --output, or replace it with --overwrite`,
  });
  expect(readdirSync(join(outputPath, ".."))).toEqual(["scores.parquet"]);
  expect(readFileSync(outputPath, "utf8")).toBe("precious");
});

test("with overwrite the old output stands until the new one is complete", async () => {
  const table = await queryTable("SELECT range AS id FROM range(10)");
  const outputPath = newPath(".parquet");
  writeFileSync(outputPath, "precious");
  const sink = await openFileSink(sinkOptions(outputPath, table, { overwrite: true }));
  await appendRest(sink, table);
  expect(readFileSync(outputPath, "utf8")).toBe("precious");
  await sink.finish();
  expect(await queryRows(`SELECT count(*) AS rows FROM '${outputPath}'`)).toEqual([{ rows: "10" }]);
});

test("an output that appears while the run works is not replaced", async () => {
  const table = await queryTable("SELECT range AS id FROM range(10)");
  const outputPath = newPath(".parquet");
  const sink = await openFileSink(sinkOptions(outputPath, table));
  await appendRest(sink, table);
  writeFileSync(outputPath, "precious");
  await expect(sink.finish()).rejects.toThrow(`${outputPath} is there already`);
  expect(readFileSync(outputPath, "utf8")).toBe("precious");
  rmSync(outputPath);
  const next = await openFileSink(sinkOptions(outputPath, table));
  expect(next.written.inputRows).toBe(10);
  await next.finish();
  expect(await queryRows(`SELECT count(*) AS rows FROM '${outputPath}'`)).toEqual([{ rows: "10" }]);
});

test("a run that ends before its first part leaves nothing", async () => {
  const table = await queryTable("SELECT range AS id FROM range(10)");
  const outputPath = newPath(".parquet");
  const sink = await openFileSink(sinkOptions(outputPath, table));
  await appendRest(sink, table);
  await sink.abort();
  expect(readdirSync(join(outputPath, ".."))).toEqual([]);
});

test("two runs cannot write one output", async () => {
  const table = await queryTable("SELECT range AS id FROM range(10)");
  const outputPath = newPath(".parquet");
  const sink = await openFileSink(sinkOptions(outputPath, table));
  await expect(openFileSink(sinkOptions(outputPath, table, { restart: true }))).rejects.toThrow(
    `${outputPath} is being written by another run (process ${process.pid})`,
  );
  await appendRest(sink, table);
  await sink.finish();
  expect(existsSync(outputPath)).toBe(true);
});

test("a place that cannot be written is named", async () => {
  const table = await queryTable("SELECT range AS id FROM range(10)");
  const missing = join(folder, "no-such-folder", "scores.parquet");
  await expect(openFileSink(sinkOptions(missing, table))).rejects.toMatchObject({
    reason: Reason.TABLE_INVALID,
    message: `cannot write ${missing}: the folder does not exist (${join(folder, "no-such-folder")})`,
  });
  await expect(openFileSink(sinkOptions(folder, table))).rejects.toThrow(
    `cannot write ${folder}: it is a folder`,
  );
  const file = newPath(".parquet");
  writeFileSync(file, "");
  await expect(openFileSink(sinkOptions(join(file, "x.parquet"), table))).rejects.toThrow(
    `${file} is no folder`,
  );
});

test("columns of one name are refused", async () => {
  const table = await queryTable('SELECT range AS id, 1 AS "Score" FROM range(10)');
  await expect(openFileSink(sinkOptions(newPath(".parquet"), table))).rejects.toMatchObject({
    reason: Reason.CONFIG_INVALID,
    message: expect.stringContaining('"Score" and "score"'),
  });
});

test("rows out of order are a mistake of the caller", async () => {
  const table = await queryTable("SELECT range AS id FROM range(5000)");
  const sink = await openFileSink(sinkOptions(newPath(".parquet"), table));
  await expect(sink.append(table.chunks[1]!, rowResults(table.chunks[1]!))).rejects.toThrow(RangeError);
  await sink.abort();
});
