import { Readable } from "node:stream";
import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  Decimal,
  Dictionary,
  Field,
  Float16,
  Int32,
  Int64,
  LargeUtf8,
  List,
  makeData,
  makeVector,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimestampMicrosecond,
  tableToIPC,
  Uint64,
  Utf8,
  type Vector,
  vectorFromArray,
} from "apache-arrow";
import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { createTextCells } from "../../../../src/job/encode/text-cells.ts";
import { textBytes } from "../../../../src/table/duckdb/row-copy.ts";
import { openSource } from "../../../../src/table/read/open-source.ts";
import { readRows, readTable, tableFolder } from "../../../support/tables/table-folder.ts";

const folder = tableFolder();

const columns: Record<string, Vector> = {
  i: vectorFromArray([1, null, -3], new Int32()),
  l: vectorFromArray([2n ** 63n - 1n, null, -(2n ** 63n)], new Int64()),
  u: vectorFromArray([2n ** 64n - 1n, 0n, null], new Uint64()),
  h: vectorFromArray([1.5, null, -2], new Float16()),
  b: vectorFromArray([true, null, false], new Bool()),
  s: vectorFromArray(["ö", null, ""], new Utf8()),
  g: vectorFromArray(["large", null, "x"], new LargeUtf8()),
  d: vectorFromArray(["one", "two", "one"], new Dictionary(new Utf8(), new Int32())),
  day: vectorFromArray([new Date("2024-02-29"), null, new Date("1960-01-01")], new DateDay()),
  dec: makeVector(
    makeData({
      type: new Decimal(2, 10, 128),
      length: 3,
      nullCount: 0,
      data: Uint32Array.from([
        125,
        0,
        0,
        0,
        2 ** 32 - 350,
        2 ** 32 - 1,
        2 ** 32 - 1,
        2 ** 32 - 1,
        7,
        0,
        0,
        0,
      ]),
    }),
  ),
  t: makeVector(
    makeData({
      type: new TimestampMicrosecond(),
      length: 3,
      nullCount: 0,
      data: BigInt64Array.from([1_709_168_523_456_789n, -1n, 0n]),
    }),
  ),
  list: vectorFromArray([[1], null, [2, 3]], new List(new Field("item", new Int32()))),
  struct: vectorFromArray([{ x: 1 }, null, { x: 2 }], new Struct([new Field("x", new Int32())])),
};
const expectedRows = [
  [1, "9223372036854775807", "18446744073709551615", 1.5, true, "ö", "large", "one", "2024-02-29", "1.25"],
  [null, null, "0", null, null, null, null, "two", null, "-3.50"],
  [-3, "-9223372036854775808", null, -2, false, "", "x", "one", "1960-01-01", "0.07"],
];
const times = ["2024-02-29 01:02:03.456789", "1969-12-31 23:59:59.999999", "1970-01-01 00:00:00"];

test.each(["file", "stream"] as const)(
  "the %s format is read, with columns of every type",
  async (format) => {
    const path = folder.write(`${format}.arrow`, tableToIPC(new Table(columns), format));
    const names = Object.keys(columns).filter((name) => name !== "list" && name !== "struct");
    const read = await readTable({ inputs: [path] }, { columns: names });
    expect(read.rows).toEqual(expectedRows.map((row, index) => [...row, times[index]]));
    expect(read.types.slice(-2)).toEqual(["INTEGER[]", 'STRUCT("x" INTEGER)']);
    const doubles = await readTable({ inputs: [path] }, { columns: ["dec", "i"], asDouble: true });
    expect(doubles.rows).toEqual([
      [1.25, 1],
      [-3.5, null],
      [0.07, -3],
    ]);
    await expect(readTable({ inputs: [path] }, { columns: ["i", "list"] })).rejects.toThrow(
      /column "list": List<Int32> is not read from Arrow files/,
    );
  },
);

/** Batches of float columns. */
function batches(...sizes: number[]): Uint8Array {
  let next = 0;
  const schema = new Schema([new Field("n", new Int32()), new Field("twice", new Int64())]);
  const made = sizes.map((size) => {
    const n = Int32Array.from({ length: size }, () => next++);
    const twice = BigInt64Array.from(n, (value) => BigInt(value) * 2n);
    const children = [
      makeData({ type: new Int32(), length: size, nullCount: 0, data: n }),
      makeData({ type: new Int64(), length: size, nullCount: 0, data: twice }),
    ];
    const type = new Struct(schema.fields as Field<DataType>[]);
    return new RecordBatch(schema, makeData({ type, length: size, nullCount: 0, children }));
  });
  return tableToIPC(new Table(schema, made), "stream");
}

test("batches of any size are read in their order, from any row on, over files", async () => {
  const inputs = [folder.write("1.arrows", batches(5000, 0, 1, 2048)), folder.write("2.arrows", batches(3))];
  const source = await openSource({ inputs });
  const all = await readRows(source, ["n", "twice"]);
  expect(all.map(([n]) => n)).toEqual([...Array.from({ length: 7049 }, (_, n) => n), 0, 1, 2]);
  expect(all[7048]).toEqual([7048, "14096"]);
  for (const fromRow of [1, 2048, 5000, 5001, 7049, 7051, 7052]) {
    expect(await readRows(source, ["n", "twice"], fromRow)).toEqual(all.slice(fromRow));
  }
  source.close();
});

test("an Arrow stream is read from standard input, a file is not", async () => {
  const input = (bytes: Uint8Array) => ({
    inputs: ["-"],
    format: "arrow" as const,
    standardInput: Readable.from([bytes.subarray(0, 99), bytes.subarray(99)], { objectMode: false }),
  });
  expect((await readTable(input(batches(2500)), { columns: ["n"] })).rows).toHaveLength(2500);
  const file = tableToIPC(new Table({ i: columns.i! }), "file");
  await expect(openSource(input(file))).rejects.toThrow(/standard input is an Arrow file/);
});

test("a file or stream that is cut off anywhere is an error that names it and says so", async () => {
  for (const format of ["file", "stream"] as const) {
    const whole = tableToIPC(new Table(columns), format);
    const lengths = [0, 5, 10, 500, whole.length - 600, ...(format === "file" ? [whole.length - 4] : [])];
    for (const length of lengths) {
      const path = folder.write("cut.arrow", whole.subarray(0, length));
      await expect(readTable({ inputs: [path] }, { columns: ["i"] })).rejects.toMatchObject({
        reason: Reason.TABLE_INVALID,
        message: expect.stringMatching(
          /cut\.arrow cannot be read as Arrow IPC: it is cut off(?!.*(properties|typed array|out of range))/,
        ),
      });
    }
  }
});

test("a cut Arrow file is an error at lengths all over it", async () => {
  const whole = tableToIPC(new Table({ s: columns.s!, d: columns.d! }), "file");
  for (let length = 16; length < whole.length; length += 13) {
    const path = folder.write("cut.arrow", whole.subarray(0, length));
    await expect(openSource({ inputs: [path] })).rejects.toThrow(/cut\.arrow .* it is cut off \(it begins/);
  }
});

test("what is no Arrow file is an error that names it", async () => {
  for (const content of ["a,b\n1,2\n", "PAR1\0\0\0\0PAR1", Buffer.alloc(5000, 7), Buffer.alloc(5000)]) {
    const path = folder.write("other.arrow", content);
    await expect(openSource({ inputs: [path] })).rejects.toThrow(
      /other\.arrow (.* or is no Arrow file|is a Parquet file, and no arrow; say --input-format parquet)/,
    );
  }
});

test("texts and blobs lie in the chunk's vectors byte for byte", async () => {
  const texts = ["short", "a text that is longer than twelve bytes", null, "exactly 12 b", ""];
  const blobs = texts.map((text) => (text === null ? null : Buffer.from(text)));
  const dictionary = vectorFromArray(texts, new Dictionary(new Utf8(), new Int32()));
  const table = new Table({
    s: vectorFromArray(texts, new Utf8()),
    d: dictionary,
    b: vectorFromArray(blobs, new Binary()),
  });
  const path = folder.write("texts.arrow", tableToIPC(table, "file"));
  const source = await openSource({ inputs: [path] });
  for await (const { chunk } of source.read([{ name: "s" }, { name: "d" }, { name: "b" }], 0)) {
    for (const position of [0, 1, 2]) {
      expect(textBytes(chunk.getColumnVector(position))).toBe(5 + 39 + 12);
    }
    const cells = createTextCells(chunk.getColumnVector(1), chunk.rowCount, undefined);
    expect(texts.map((_, row) => cells.text(row) ?? null)).toEqual(texts);
  }
  source.close();
});
