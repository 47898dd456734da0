import {
  type DataType,
  DateDay,
  Dictionary,
  Field,
  Int32,
  Int64,
  makeData,
  makeVector,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimeMicrosecond,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  tableToIPC,
  Utf8,
  type Vector,
  vectorFromArray,
} from "apache-arrow";
import { expect, test } from "vitest";
import { readTable, tableFolder } from "../../support/tables/table-folder.ts";

const folder = tableFolder();

function dictionaryOf(type: DataType, values: readonly (bigint | null)[]): Vector<DataType> {
  const Values = type.ArrayType as BigInt64ArrayConstructor;
  const is32Bits = (type.ArrayType as { BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT === 4;
  const data = is32Bits
    ? Int32Array.from(values, (value) => Number(value ?? 0n))
    : Values.from(values.map((value) => value ?? 0n));
  return makeVector(makeData({ type, length: values.length, ...nullsOf(values), data } as never));
}

/** A column of rows that name values of a dictionary. */
function coded(dictionary: Vector<DataType>, rows: readonly (number | null)[], isWide = false): Vector {
  const type = new Dictionary(dictionary.type, (isWide ? new Int64() : new Int32()) as Int32, 7);
  const data = isWide
    ? BigInt64Array.from(rows, (row) => BigInt(row ?? 0))
    : Int32Array.from(rows, (row) => row ?? 0);
  return makeVector(makeData({ type, length: rows.length, ...nullsOf(rows), data, dictionary } as never));
}

function nullsOf(values: readonly unknown[]): { nullCount: number; nullBitmap: Uint8Array } {
  const nullBitmap = new Uint8Array(8);
  for (const [at, value] of values.entries()) if (value !== null) nullBitmap[at >> 3]! |= 1 << (at & 7);
  return { nullCount: values.filter((value) => value === null).length, nullBitmap };
}

const SECOND = 1_709_168_523n;
test.each<[string, DataType, bigint[], string[]]>([
  ["seconds", new TimestampSecond(), [SECOND, -1n], ["2024-02-29 01:02:03", "1969-12-31 23:59:59"]],
  [
    "milliseconds",
    new TimestampMillisecond(),
    [SECOND * 1000n + 456n, -1n],
    ["2024-02-29 01:02:03.456", "1969-12-31 23:59:59.999"],
  ],
  [
    "microseconds",
    new TimestampMicrosecond(),
    [SECOND * 1_000_000n + 456_789n, -1n],
    ["2024-02-29 01:02:03.456789", "1969-12-31 23:59:59.999999"],
  ],
  [
    "nanoseconds",
    new TimestampNanosecond(),
    [SECOND * 1_000_000_000n + 456_789_123n, -1n],
    ["2024-02-29 01:02:03.456789123", "1969-12-31 23:59:59.999999999"],
  ],
  [
    "nanoseconds with a time zone",
    new TimestampNanosecond("UTC"),
    [SECOND * 1_000_000_000n + 456_789_123n, -1n],
    ["2024-02-29 01:02:03.456789+00", "1969-12-31 23:59:59.999999+00"],
  ],
  ["times of day", new TimeMicrosecond(), [3_723_456_789n, 1n], ["01:02:03.456789", "00:00:00.000001"]],
  ["days", new DateDay(), [19_782n, -1n], ["2024-02-29", "1969-12-31"]],
  ["integers", new Int64(), [2n ** 63n - 1n, -1n], ["9223372036854775807", "-1"]],
])(
  "a dictionary of %s is read as its values, nulls of either kind as nulls",
  async (_, type, values, texts) => {
    const [first, second] = texts;
    for (const format of ["file", "stream"] as const) {
      const table = new Table({ t: coded(dictionaryOf(type, [...values, null]), [1, 0, null, 2, 1]) });
      const path = folder.write(`${format}.arrow`, tableToIPC(table, format));
      expect((await readTable({ inputs: [path] })).rows).toEqual(
        [second, first, null, null, second].map((text) => [text]),
      );
    }
  },
);

test("a dictionary of texts whose positions have 64 bits, as pyarrow makes of its own integers, is read as its values", async () => {
  const texts = vectorFromArray(["a", "", null], new Utf8());
  for (const format of ["file", "stream"] as const) {
    const table = new Table({ t: coded(texts, [1, 0, null, 2, 1], true) });
    const path = folder.write(`wide-${format}.arrow`, tableToIPC(table, format));
    expect((await readTable({ inputs: [path] })).rows).toEqual([[""], ["a"], [null], [null], [""]]);
  }
});

test("a dictionary of timestamps that grows with the batches is read as its values", async () => {
  const type = new TimestampMicrosecond();
  const first = dictionaryOf(type, [1n, 2n]);
  const vectors = [coded(first, [1, 0]), coded(first.concat(dictionaryOf(type, [3n])), [2, 1, 0])];
  const schema = new Schema([new Field("t", vectors[0]!.type, true)]);
  const batches = vectors.map(
    ({ data, length }) =>
      new RecordBatch(
        schema,
        makeData({
          type: new Struct(schema.fields as Field<DataType>[]),
          length,
          nullCount: 0,
          children: [data[0]!],
        }),
      ),
  );
  const path = folder.write("grows.arrows", tableToIPC(new Table(schema, batches), "stream"));
  expect((await readTable({ inputs: [path] })).rows.map(([time]) => String(time).slice(-1))).toEqual([
    "2",
    "1",
    "3",
    "2",
    "1",
  ]);
});
