import { Readable } from "node:stream";
import type { DuckDBDataChunk } from "@duckdb/node-api";
import { Dictionary, Int32, Table, tableToIPC, Utf8, vectorFromArray } from "apache-arrow";
import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { openArrowFile, openArrowInput } from "../../../../src/table/arrow/arrow-file.ts";
import { tableFolder } from "../../../support/tables/table-folder.ts";

const folder = tableFolder();
const ROWS = [3, 5, 2];
const END_MARK_BYTES = 8;

/** A stream of batches of `ROWS` rows, texts by dictionary where asked, and the rows before each of its batches' ends. */
function stream(coded: boolean): { whole: Uint8Array; rowsAt: ReadonlyMap<number, number> } {
  const total = ROWS.reduce((sum, rows) => sum + rows, 0);
  const n = vectorFromArray(
    Array.from({ length: total }, (_, row) => row),
    new Int32(),
  );
  const texts = Array.from({ length: total }, (_, row) => (row % 2 === 0 ? "even" : "odd"));
  const s = vectorFromArray(texts, coded ? new Dictionary(new Utf8(), new Int32()) : new Utf8());
  const table = new Table({ n, s });
  const ends = ROWS.map((_, batch) => ROWS.slice(0, batch + 1).reduce((sum, rows) => sum + rows, 0));
  const batches = ends.map((end, batch) => table.slice(end - ROWS[batch]!, end).batches[0]!);
  const ipc = (count: number) => tableToIPC(new Table(table.schema, batches.slice(0, count)), "stream");
  const whole = ipc(ROWS.length);
  const schemaEnd = 8 + Buffer.from(whole).readInt32LE(4);
  const rowsAt = new Map([
    [schemaEnd, 0],
    [whole.length, total],
  ]);
  for (const [batch, end] of ends.entries()) {
    const prefix = ipc(batch + 1).subarray(0, -END_MARK_BYTES);
    expect(Buffer.from(whole).subarray(0, prefix.length).equals(prefix)).toBe(true);
    rowsAt.set(prefix.length, end);
  }
  return { whole, rowsAt };
}

/** The values of `n` in a file of these bytes. */
async function fromFile(bytes: Uint8Array): Promise<unknown[]> {
  const file = await openArrowFile(folder.write("cut.arrows", bytes));
  return values(file.read([{ index: 0, asDouble: false }], 0));
}

/** The values of `n` where these bytes come by a pipe, in two parts. */
async function fromPipe(bytes: Uint8Array): Promise<unknown[]> {
  const parts = [bytes.subarray(0, 100), bytes.subarray(100)];
  const source = await openArrowInput("the pipe", Readable.from(parts, { objectMode: false }));
  async function* chunks() {
    for await (const { chunk } of source.read([{ name: "n" }], 0)) yield chunk;
  }
  return values(chunks());
}

async function values(chunks: AsyncIterable<DuckDBDataChunk>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const chunk of chunks) {
    for (let row = 0; row < chunk.rowCount; row++) all.push(chunk.getColumnVector(0).getItem(row));
  }
  return all;
}

test.each([
  ["a file", "plain", fromFile, /cut\.arrows cannot be read as Arrow IPC: it is cut off/],
  ["a file", "dictionary", fromFile, /cut\.arrows cannot be read as Arrow IPC: it is cut off/],
  ["a pipe", "dictionary", fromPipe, /the pipe cannot be read as Arrow IPC: it is cut off/],
])("%s with %s columns, cut at any byte, loses no rows silently", async (_, columns, read, message) => {
  const { whole, rowsAt } = stream(columns === "dictionary");
  for (let length = 1; length <= whole.length; length++) {
    const reading = read(whole.subarray(0, length));
    const rows = rowsAt.get(length);
    if (rows === undefined) {
      await expect(reading, `cut at ${length}`).rejects.toMatchObject({
        reason: Reason.TABLE_INVALID,
        message: expect.stringMatching(message),
      });
    } else expect(await reading).toEqual(Array.from({ length: rows }, (_, row) => row));
  }
});

test("what follows the end mark is not read", async () => {
  const { whole } = stream(false);
  expect(await fromFile(Buffer.concat([whole, Buffer.from([0xff, 0xff])]))).toHaveLength(10);
});
