import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { tableFromIPC } from "apache-arrow";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import type { TableFormat } from "../../../../src/table/table-source.ts";
import { openStreamSink, type StreamSinkOptions } from "../../../../src/table/write/stream-sink.ts";
import { fileFolder } from "../../../support/folders.ts";
import {
  appendRest,
  type QueryTable,
  queryRows,
  queryTable,
  resultColumns,
  rowResults,
} from "../../../support/tables/sink-tables.ts";

const folder = fileFolder();
let table: QueryTable;
beforeAll(async () => {
  table = await queryTable("SELECT range AS id, 'text ' || range AS text FROM range(7000)");
});
afterAll(() => {
  // Every sink has taken its own folder away.
  expect(readdirSync(folder)).toEqual([]);
});

function collector(): { output: Writable; bytes(): Buffer } {
  const chunks: Buffer[] = [];
  const output = new Writable({
    write(chunk: Buffer, _, done) {
      chunks.push(Buffer.from(chunk));
      setImmediate(done);
    },
  });
  return { output, bytes: () => Buffer.concat(chunks) };
}

function options(
  output: Writable,
  format: TableFormat,
  changes: Partial<StreamSinkOptions> = {},
): StreamSinkOptions {
  const columns = resultColumns(table.names, { hasLabel: true });
  return {
    output,
    format,
    columns,
    keepTypes: table.types,
    temporaryFolder: folder,
    flushRows: 2048,
    ...changes,
  };
}

const EXPECTED = `SELECT range AS id, 'text ' || range AS text, CASE WHEN range % 1000 <> 999 THEN range / 7 END AS score,
  CASE WHEN range % 1000 = 999 THEN NULL WHEN range % 2 = 0 THEN 'even' ELSE 'an odd number of a row' END AS label,
  '3' AS model_version, CASE WHEN range % 1000 = 999 THEN 'row ' || range + 1 || ' is bad' END AS score_error FROM range(7000)`;

test.each<[TableFormat, string]>([
  ["csv", "read_csv('FILE', types = {'model_version': 'VARCHAR'})"],
  ["ndjson", "read_ndjson('FILE')"],
  ["parquet", "read_parquet('FILE')"],
])("%s comes as one whole, in order", async (format, reader) => {
  const { output, bytes } = collector();
  const sink = await openStreamSink(options(output, format));
  await appendRest(sink, table, 1000);
  expect(await sink.finish()).toEqual({ inputRows: 7000, rows: 7000, errorRows: 7 });
  const path = join(folder, "read-back");
  writeFileSync(path, bytes());
  expect(await queryRows(`SELECT * FROM ${reader.replace("FILE", path)}`)).toEqual(await queryRows(EXPECTED));
  rmSync(path);
  expect(output.listenerCount("error")).toBe(0);
});

test("an Arrow stream has the rows in order, in batches as they were due", async () => {
  const { output, bytes } = collector();
  const sink = await openStreamSink(options(output, "arrow"));
  await appendRest(sink, table, 1000);
  await sink.finish();
  const read = tableFromIPC(bytes());
  expect(read.batches.map(({ numRows }) => numRows)).toEqual([2048, 2048, 2048, 856]);
  const rows = read.toArray().map((row) => {
    const { id, ...rest } = (row as { toJSON(): Record<string, unknown> }).toJSON();
    return { id: String(id), ...rest };
  });
  expect(rows).toEqual(await queryRows(EXPECTED));
});

test.each<[TableFormat, (bytes: Buffer) => number]>([
  ["csv", (bytes) => bytes.toString().split("\n").length - 2],
  ["ndjson", (bytes) => bytes.toString().split("\n").length - 1],
  ["arrow", (bytes) => tableFromIPC(bytes).numRows],
])("%s of no rows is still readable", async (format, countRows) => {
  const { output, bytes } = collector();
  const sink = await openStreamSink(options(output, format));
  await sink.finish();
  expect(countRows(bytes())).toBe(0);
  if (format === "csv") expect(bytes().toString()).toBe("id,text,score,label,model_version,score_error\n");
});

test("a row is written when it has waited long enough, though no other comes", async () => {
  const output = new PassThrough();
  const sink = await openStreamSink(options(output, "ndjson", { flushRows: 1e6, flushIntervalMs: 5 }));
  const chunk = table.chunks[0]!;
  await sink.append(chunk, rowResults(chunk));
  const [bytes] = (await once(output, "data")) as [Buffer];
  expect(JSON.parse(bytes.toString().split("\n")[0]!)).toMatchObject({ id: 0, text: "text 0", score: 0 });
  output.resume();
  await sink.abort();
});

test("the sink waits for a reader that is slow", async () => {
  let taken: (() => void) | undefined;
  const output = new Writable({
    write(_chunk, _, done) {
      taken = done;
    },
  });
  const sink = await openStreamSink(options(output, "csv"));
  let appended = false;
  const chunk = table.chunks[0]!;
  const append = sink.append(chunk, rowResults(chunk)).then(() => {
    appended = true;
  });
  while (taken === undefined) await new Promise(setImmediate);
  for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
  expect(appended).toBe(false);
  taken();
  await append;
  await sink.abort();
});

test("a reader that goes away ends the job as cancelled", async () => {
  const reader = spawn("head", ["-n", "1"], { stdio: ["pipe", "pipe", "inherit"] });
  const line = once(reader.stdout, "data");
  const sink = await openStreamSink(options(reader.stdin, "csv"));
  const first = table.chunks[0]!;
  const write = async () => {
    for (let fromRow = 0; ; fromRow += first.chunk.rowCount) {
      await sink.append({ ...first, fromRow }, rowResults(first));
    }
  };
  await expect(write()).rejects.toMatchObject({
    reason: Reason.CANCELLED,
    message: "whoever read the output has gone; the rest is not scored",
  });
  expect(String((await line)[0])).toBe("id,text,score,label,model_version,score_error\n");
  await sink.abort();
});

test("a stream that fails otherwise fails the job", async () => {
  const output = new Writable({
    write(_chunk, _, done) {
      done(Object.assign(new Error("write ENOSPC"), { code: "ENOSPC" }));
    },
  });
  const sink = await openStreamSink(options(output, "csv"));
  await appendRest(sink, { ...table, chunks: [] });
  await expect(sink.finish()).rejects.toMatchObject({
    reason: Reason.TABLE_INVALID,
    message: "cannot write standard output: no space is left on the device",
  });
});

test("a folder for passing files that is not there is named", async () => {
  const temporaryFolder = join(folder, "missing");
  await expect(openStreamSink(options(new PassThrough(), "csv", { temporaryFolder }))).rejects.toMatchObject({
    reason: Reason.TABLE_INVALID,
    message: `cannot write ${temporaryFolder}: the folder does not exist (a folder for temporary files; the variable TMPDIR names another place)`,
  });
});
