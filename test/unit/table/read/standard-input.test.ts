import { existsSync, readdirSync } from "node:fs";
import { PassThrough, Readable } from "node:stream";
import { expect, test } from "vitest";
import { openSource } from "../../../../src/table/read/open-source.ts";
import { readRows, readTable, tableFolder } from "../../../support/tables/table-folder.ts";

const folder = tableFolder();
const blocks = folder.write("blocks/.keep", "").replace("/.keep", "");

/** A stream of a text, cut every so many bytes. */
function cut(text: string, every: number): Readable {
  const bytes = Buffer.from(text);
  return Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += every) yield bytes.subarray(at, at + every);
    })(),
    { objectMode: false },
  );
}

const from = (format: "csv" | "ndjson", standardInput: Readable) => ({
  inputs: ["-"],
  format,
  standardInput,
  temporaryFolder: blocks,
});

test.each([1, 7, 65536])("CSV is read as from a file when it comes %i bytes at a time", async (every) => {
  const text = '\ufeffid;"na\nme";x\r\n1;"a;\r\nb";""\r\n2;;39,5\r\n';
  const path = folder.write("same.csv", text);
  expect(await readTable(from("csv", cut(text, every)))).toEqual(await readTable({ inputs: [path] }));
  expect(readdirSync(blocks)).toEqual([".keep"]);
});

test("some blocks of records hold every row once, with quoted line ends", async () => {
  const line = (row: number) => `${row},"x\n${"y".repeat(row % 50)}"\n`;
  const text = `n,s\n${Array.from({ length: 500_000 }, (_, row) => line(row)).join("")}`;
  expect(text.length).toBeGreaterThan(2 * 8 * 1024 * 1024);
  const source = await openSource(from("csv", cut(text, 65536)));
  let row = 0;
  for await (const { chunk, fromRow, file, fileRow } of source.read([{ name: "n" }], 0)) {
    expect([fromRow, file, fileRow]).toEqual([row, "standard input", row + 1]);
    const vector = chunk.getColumnVector(0);
    for (let index = 0; index < chunk.rowCount; index++) {
      if (vector.getItem(index) !== String(row++)) throw new Error(`not row ${row - 1}`);
    }
  }
  expect(row).toBe(500_000);
  source.close();
});

test("a mistake is named with its line in the whole stream", async () => {
  const csv = `n,s\n${'1,"x\ny"\n'.repeat(1_500_000)}2\n`;
  await expect(readTable(from("csv", cut(csv, 65536)), { columns: ["s"] })).rejects.toThrow(
    /standard input, line 3000002 has 1 value/,
  );
  const ndjson = `${'{"a":"some text to fill a block"}\n'.repeat(400_000)}\n7\n`;
  await expect(readTable(from("ndjson", cut(ndjson, 65536)))).rejects.toThrow(
    /standard input, line 400002 is 7/,
  );
});

test("NDJSON is read, with the keys of the first block", async () => {
  const table = await readTable(from("ndjson", cut('{"a":1}\n{"b":"x"}', 3)));
  expect(table).toMatchObject({
    names: ["a", "b"],
    rows: [
      ["1", null],
      [null, '"x"'],
    ],
  });
  await expect(openSource(from("ndjson", cut('[{"a":1}]', 9)))).rejects.toThrow(/is a JSON array/);
});

test("records that have come are read while the stream pauses", async () => {
  const input = new PassThrough();
  input.write("a\n1\n");
  const source = await openSource(from("csv", input));
  const reading = source.read([{ name: "a" }], 0)[Symbol.asyncIterator]();
  expect((await reading.next()).value?.chunk.rowCount).toBe(1);
  input.end("2\n3");
  expect((await reading.next()).value).toMatchObject({ fromRow: 1 });
  expect((await reading.next()).done).toBe(true);
  source.close();
});

test.each(["csv", "ndjson", "arrow"] as const)(
  "an abort ends the wait for the first bytes of %s and leaves no folder",
  async (format) => {
    for (const when of ["before", "while it waits"]) {
      const standardInput = new PassThrough();
      const controller = new AbortController();
      if (when === "before") controller.abort();
      else setImmediate(() => controller.abort());
      const { signal } = controller;
      const options = { inputs: ["-"], format, standardInput, temporaryFolder: blocks, signal };
      await expect(openSource(options)).rejects.toThrow();
      expect(standardInput.destroyed).toBe(true);
      expect(readdirSync(blocks)).toEqual([".keep"]);
    }
  },
);

test("a stream is read once, from its start", async () => {
  const source = await openSource(from("csv", cut("a\n1\n", 9)));
  expect(source).toMatchObject({ rowCount: undefined, notResumable: "standard input can be read only once" });
  await expect(readRows(source, ["a"], 1)).rejects.toThrow(/only once/);
  expect(await readRows(source, ["a"])).toEqual([["1"]]);
  await expect(readRows(source, ["a"])).rejects.toThrow(/only once/);
  source.close();
  expect(readdirSync(blocks)).toEqual([".keep"]);
});

test.each([
  ["parquet", /Parquet cannot be read from standard input/],
  [undefined, /say --input-format/],
  ["csv", /standard input is empty/],
  ["arrow", /standard input cannot be read as Arrow IPC/],
] as const)("nothing on standard input, as %s, is refused", async (format, message) => {
  await expect(openSource({ inputs: ["-"], format, standardInput: Readable.from([]) })).rejects.toThrow(
    message,
  );
});

test("a stream that breaks is an error, not its end", async () => {
  const input = Readable.from(
    (function* () {
      yield Buffer.from("a\n1\n");
      throw new Error("the pipe broke");
    })(),
  );
  await expect(readTable(from("csv", input))).rejects.toThrow(/the pipe broke/);
  expect(existsSync(blocks)).toBe(true);
});
