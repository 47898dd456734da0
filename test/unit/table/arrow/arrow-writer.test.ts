import { DuckDBInstance } from "@duckdb/node-api";
import { type Table, tableFromIPC, util } from "apache-arrow";
import { expect, test } from "vitest";
import { type ArrowForm, writeArrow } from "../../../../src/table/arrow/arrow-writer.ts";

async function arrowOf(sql: string, form: ArrowForm): Promise<Table> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const chunks: Uint8Array[] = [];
  await writeArrow(connection, sql, form, async (bytes) => {
    chunks.push(...bytes.map((chunk) => Uint8Array.from(chunk)));
  });
  connection.closeSync();
  instance.closeSync();
  return tableFromIPC(Buffer.concat(chunks));
}

function column(table: Table, name: string): unknown[] {
  return [...table.getChild(name)!];
}

const TYPES = `SELECT (range - 2)::TINYINT AS i8, (range - 300)::SMALLINT AS i16, (range - 70000)::INTEGER AS i32,
  9007199254740993 * (range - 1) AS i64, 250::UTINYINT AS u8, 65000::USMALLINT AS u16, 4000000000::UINTEGER AS u32,
  18446744073709551615::UBIGINT AS u64, 0.1::FLOAT AS f32, 0.1::DOUBLE + range AS f64, range % 2 = 1 AS flag,
  CASE range WHEN 0 THEN '' WHEN 1 THEN 'twelve bytes' WHEN 2 THEN NULL WHEN 3 THEN 'thirteen byte' ELSE 'größer als zwölf' END AS text,
  'ab\\x00\\xFF'::BLOB AS blob, DATE '1969-12-31' + range::INTEGER AS day, TIME '01:02:03.000004' AS time,
  TIMESTAMP '1969-12-31 23:59:59.999999' AS at, TIMESTAMP_MS '2024-01-01 00:00:00.001' AS ms, TIMESTAMP_S '2024-01-01 00:00:01' AS s,
  TIMESTAMP_NS '2024-01-01 00:00:00.000000001' AS ns, TIMESTAMPTZ '2024-01-01 00:00:00+02' AS zoned,
  (range - 1.5)::DECIMAL(4, 1) AS d4, -1.25::DECIMAL(9, 2) AS d9, -12345678901.5::DECIMAL(18, 1) AS d18,
  -123456789012345678901234567890::DECIMAL(38, 0) AS d38, CASE WHEN range > 0 THEN range END AS maybe FROM range(5)`;

test.each(["file", "stream"] as const)("an Arrow %s has DuckDB's types and values", async (form) => {
  const table = await arrowOf(TYPES, form);
  expect(table.schema.fields.map(({ name, type }) => `${name} ${type}`)).toEqual([
    "i8 Int8",
    "i16 Int16",
    "i32 Int32",
    "i64 Int64",
    "u8 Uint8",
    "u16 Uint16",
    "u32 Uint32",
    "u64 Uint64",
    "f32 Float32",
    "f64 Float64",
    "flag Bool",
    "text Utf8",
    "blob Binary",
    "day Date32<DAY>",
    "time Time64<MICROSECOND>",
    "at Timestamp<MICROSECOND>",
    "ms Timestamp<MILLISECOND>",
    "s Timestamp<SECOND>",
    "ns Timestamp<NANOSECOND>",
    "zoned Timestamp<MICROSECOND, UTC>",
    "d4 Decimal[4e+1]",
    "d9 Decimal[9e+2]",
    "d18 Decimal[18e+1]",
    "d38 Decimal[38e0]",
    "maybe Int64",
  ]);
  expect(column(table, "i8")).toEqual([-2, -1, 0, 1, 2]);
  expect(column(table, "i64")).toEqual([
    -9007199254740993n,
    0n,
    9007199254740993n,
    18014398509481986n,
    27021597764222979n,
  ]);
  expect(column(table, "u64")[0]).toBe(18446744073709551615n);
  expect(column(table, "f32")[0]).toBe(Math.fround(0.1));
  expect(column(table, "f64")[1]).toBe(1.1);
  expect(column(table, "flag")).toEqual([false, true, false, true, false]);
  expect(column(table, "text")).toEqual(["", "twelve bytes", null, "thirteen byte", "größer als zwölf"]);
  expect(Buffer.from(column(table, "blob")[4] as Uint8Array).toString("hex")).toBe("616200ff");
  expect(column(table, "day")[0]).toBe(-86_400_000);
  expect(column(table, "time")[0]).toBe(3_723_000_004n);
  expect(column(table, "zoned")[0]).toBe(Date.UTC(2023, 11, 31, 22));
  expect(column(table, "maybe")).toEqual([null, 1n, 2n, 3n, 4n]);
  const decimal = (name: string, row: number) => {
    const value = util.BN.decimal(column(table, name)[row] as Uint32Array);
    return String(util.bigNumToBigInt(value));
  };
  expect([0, 1, 4].map((row) => decimal("d4", row))).toEqual(["-15", "-5", "25"]);
  expect(decimal("d9", 0)).toBe("-125");
  expect(decimal("d18", 0)).toBe("-123456789015");
  expect(decimal("d38", 0)).toBe("-123456789012345678901234567890");
});

test("many rows come in batches, the nulls of each where they belong", async () => {
  const table = await arrowOf(
    `SELECT range AS id, CASE WHEN range % 7 <> 0 THEN range END AS number, CASE WHEN range % 5 <> 0 THEN 'text no. ' || range END AS text,
     CASE WHEN range % 3 <> 0 THEN range % 2 = 0 END AS flag FROM range(150001) WHERE range % 11 <> 0`,
    "file",
  );
  expect(table.batches.length).toBe(3);
  const rows = table.toArray().map((row) => (row as { toJSON(): Record<string, unknown> }).toJSON());
  let id = 0;
  for (const row of rows) {
    if (++id % 11 === 0) id++;
    const same =
      row.id === BigInt(id) &&
      row.number === (id % 7 === 0 ? null : BigInt(id)) &&
      row.text === (id % 5 === 0 ? null : `text no. ${id}`) &&
      row.flag === (id % 3 === 0 ? null : id % 2 === 0);
    if (!same) throw new Error(`row ${id} is ${row.id} ${row.number} ${row.text} ${row.flag}`);
  }
  expect(id).toBe(150_000);
});

test("long texts end a batch early", async () => {
  const table = await arrowOf("SELECT repeat('x', 10000) AS text FROM range(10000)", "stream");
  expect(table.batches.length).toBeGreaterThan(4);
  expect(table.numRows).toBe(10_000);
  expect(table.getChild("text")!.get(9999)).toBe("x".repeat(10_000));
});
