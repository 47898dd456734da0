import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { type FileSinkOptions, openFileSink } from "../../../src/table/write/file-sink.ts";
import type { Manifest } from "../../../src/table/write/manifest.ts";
import { fileFolder } from "../../support/folders.ts";
import {
  appendRest,
  type QueryTable,
  queryRows,
  queryTable,
  rowResults,
  sinkOptions,
} from "../../support/tables/sink-tables.ts";

const folder = fileFolder();
let table: QueryTable;
beforeAll(async () => {
  table = await queryTable("SELECT range AS id FROM range(10240)");
});

let cases = 0;
/** A run that stopped after three parts of five. */
async function stoppedRun(changes: Partial<FileSinkOptions> = {}): Promise<string> {
  mkdirSync(join(folder, String(++cases)));
  const outputPath = join(folder, String(cases), "scores.parquet");
  const sink = await openFileSink(sinkOptions(outputPath, table, { partRows: 2048, ...changes }));
  for (const chunk of table.chunks.slice(0, 3)) await sink.append(chunk, rowResults(chunk, 1000));
  await sink.abort();
  return outputPath;
}

async function expectWhole(
  outputPath: string,
  options: Partial<FileSinkOptions> = {},
  from = 6144,
): Promise<void> {
  const sink = await openFileSink(sinkOptions(outputPath, table, options));
  expect(sink.written.inputRows).toBe(from);
  await appendRest(sink, table, 1000);
  expect(await sink.finish()).toEqual({ inputRows: 10240, rows: 10240, errorRows: 10 });
  expect(
    await queryRows(`SELECT count(*) AS rows, bool_and(id = row AND (score IS NULL) = (row % 1000 = 999)) AS same
      FROM (SELECT *, row_number() OVER () - 1 AS row FROM '${outputPath}')`),
  ).toEqual([{ rows: "10240", same: true }]);
  expect(readdirSync(join(outputPath, ".."))).toEqual(["scores.parquet"]);
}

test("a run that was stopped goes on after its last part", async () => {
  const outputPath = await stoppedRun();
  expect(existsSync(outputPath)).toBe(false);
  const manifest = JSON.parse(readFileSync(`${outputPath}.parts/manifest.json`, "utf8")) as Manifest;
  expect(manifest.parts.map(({ fromRow, inputRows }) => [fromRow, inputRows])).toEqual([
    [0, 2048],
    [2048, 2048],
    [4096, 2048],
  ]);
  await expectWhole(outputPath);
});

test("parts may have another size than before", async () => {
  await expectWhole(await stoppedRun(), { partRows: 5000 });
});

test("what was half written is deleted", async () => {
  const outputPath = await stoppedRun();
  for (const stray of ["part-000003.parquet.tmp", "part-000003.parquet", "joined.tmp", "manifest.json.tmp"]) {
    writeFileSync(`${outputPath}.parts/${stray}`, "half");
  }
  mkdirSync(`${outputPath}.parts/spill`);
  await expectWhole(outputPath);
});

test("a part that is gone or of another size is written again, with all that follow", async () => {
  const gone = await stoppedRun();
  rmSync(`${gone}.parts/part-000001.parquet`);
  await expectWhole(gone, {}, 2048);
  const shorter = await stoppedRun();
  truncateSync(`${shorter}.parts/part-000000.parquet`, 100);
  await expectWhole(shorter, {}, 0);
});

test("a run with another input or model is refused by name and leaves the parts", async () => {
  const outputPath = await stoppedRun();
  const { fingerprint } = sinkOptions(outputPath, table);
  const inputs = [{ ...fingerprint.inputs[0]!, sizeBytes: 2048 }];
  await expect(
    openFileSink(sinkOptions(outputPath, table, { fingerprint: { ...fingerprint, inputs } })),
  ).rejects.toMatchObject({
    reason: Reason.TABLE_INVALID,
    message:
      `cannot go on with ${outputPath}, of which ${outputPath}.parts holds a part: data/a.parquet was 1,024 bytes and is 2,048 bytes. ` +
      `Start over with --restart, or remove ${outputPath}.parts`,
  });
  const model = { ...fingerprint.model, version: "4" };
  await expect(
    openFileSink(sinkOptions(outputPath, table, { fingerprint: { ...fingerprint, model } })),
  ).rejects.toMatchObject({
    reason: Reason.CONFIG_INVALID,
    message: expect.stringContaining("model census was version 3"),
  });
  await expectWhole(outputPath);
});

test("with restart it starts over", async () => {
  const outputPath = await stoppedRun();
  const { fingerprint } = sinkOptions(outputPath, table);
  await expectWhole(outputPath, { restart: true, fingerprint: { ...fingerprint, settings: {} } }, 0);
});

test("a manifest that cannot be read is refused, restarted where that is asked for", async () => {
  const outputPath = await stoppedRun();
  writeFileSync(`${outputPath}.parts/manifest.json`, "{");
  await expect(openFileSink(sinkOptions(outputPath, table))).rejects.toMatchObject({
    reason: Reason.CONFIG_INVALID,
    message: expect.stringContaining(
      `${outputPath}.parts/manifest.json was not written by this version of Assay`,
    ),
  });
  await expectWhole(outputPath, { restart: true }, 0);
});

test("a part holds what was appended in its time, its rows, or its bytes, whichever is full first", async () => {
  const parts = async (changes: Partial<FileSinkOptions>) => {
    const outputPath = await stoppedRun(changes);
    const path = `${outputPath}.parts/manifest.json`;
    return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Manifest).parts.length : 0;
  };
  expect(await parts({ partRows: 1e6 })).toBe(0);
  expect(await parts({ partRows: 4096 })).toBe(1);
  expect(await parts({ partRows: 1e6, partBytes: 2048 * 16 })).toBe(3);
  expect(await parts({ partRows: 1e6, partIntervalMs: 0 })).toBe(3);
});

test("the lock of a process that has ended is taken over", async () => {
  const outputPath = await stoppedRun();
  // No process has this number: the kernel's highest is 4,194,304.
  const { hostname } = await import("node:os");
  writeFileSync(
    `${outputPath}.parts/lock-4`,
    JSON.stringify({ host: hostname(), pid: 4_194_305, startedAt: "" }),
  );
  await expectWhole(outputPath);
});
