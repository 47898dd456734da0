import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, watch } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { AssayError } from "../../src/errors.ts";
import { openFileSink } from "../../src/table/write/file-sink.ts";
import { fileFolder } from "../support/folders.ts";
import { ROWS_SQL, SINK_COLUMNS } from "../support/tables/sink-rows.ts";
import {
  appendRest,
  type QueryTable,
  queryRows,
  queryTable,
  resultColumns,
  sinkOptions,
} from "../support/tables/sink-tables.ts";
import type { SinkTask } from "../support/tables/sink-worker.ts";

const ROWS = 3 * 2048;
const PART_ROWS = 2 * 2048;
const folder = fileFolder();
let table: QueryTable;
let undisturbed: Buffer;
let cases = 0;

beforeAll(async () => {
  table = await queryTable(ROWS_SQL(ROWS));
  const outputPath = newPath("csv");
  await runOn(outputPath, "csv");
  undisturbed = readFileSync(outputPath);
});

function newPath(ending: string): string {
  mkdirSync(join(folder, String(++cases)));
  return join(folder, String(cases), `scores.${ending}`);
}

/** The run that is started again, in this process; returns the row it went on from. */
async function runOn(outputPath: string, format: SinkTask["format"]): Promise<number> {
  const columns = resultColumns(table.names, SINK_COLUMNS);
  const sink = await openFileSink(sinkOptions(outputPath, table, { format, columns, partRows: PART_ROWS }));
  const { inputRows } = sink.written;
  await appendRest(sink, table, 1000);
  await sink.finish();
  return inputRows;
}

function start(task: Partial<SinkTask> & Pick<SinkTask, "outputPath" | "format">): ChildProcess {
  const whole: SinkTask = { rows: ROWS, partRows: PART_ROWS, killBeforeStep: 0, ...task };
  return fork(new URL("../support/tables/sink-worker.ts", import.meta.url), [JSON.stringify(whole)], {
    stdio: "inherit",
  });
}

/** Runs to the end, one way or the other; what it said last, and whether it was killed. */
async function run(child: ChildProcess): Promise<{ killed: boolean; steps: number }> {
  let steps = 0;
  child.on("message", (message: { steps?: number }) => {
    steps = message.steps ?? steps;
  });
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  if (code !== 0 && signal !== "SIGKILL") throw new Error(`the run ended with ${code ?? signal}`);
  return { killed: signal === "SIGKILL", steps };
}

/** Starts again until there is nothing to do, then compares with the undisturbed run's file. */
async function expectSameAfterRestart(outputPath: string): Promise<void> {
  try {
    await runOn(outputPath, "csv");
  } catch (error) {
    // Killed after the last trace of the run was gone: it was complete.
    if (!(error instanceof AssayError) || !error.message.includes("is there already")) throw error;
  }
  expect(readFileSync(outputPath).equals(undisturbed)).toBe(true);
  expect(readdirSync(join(outputPath, ".."))).toEqual(["scores.csv"]);
}

test("killed before any one of its changes of the file system, a run started again gives the same file", async () => {
  const { killed, steps } = await run(start({ outputPath: newPath("csv"), format: "csv" }));
  expect(killed).toBe(false);
  expect(steps).toBeGreaterThan(30);
  const all = Array.from({ length: steps }, (_, index) => index + 1);
  // Two at a time, as many as the smallest machine has cores.
  const lane = async (first: number) => {
    for (const step of all.filter((_, index) => index % 2 === first)) {
      const outputPath = newPath("csv");
      expect(
        await run(start({ outputPath, format: "csv", killBeforeStep: step })),
        `step ${step}`,
      ).toMatchObject({ killed: true });
      await expectSameAfterRestart(outputPath);
    }
  };
  await Promise.all([lane(0), lane(1)]);
}, 180_000);

test("killed again and again, ever later, it still gives the same file", async () => {
  const outputPath = newPath("csv");
  for (let step = 3; ; step += 7) {
    const { killed } = await run(start({ outputPath, format: "csv", killBeforeStep: step }));
    if (!killed) break;
  }
  expect(readFileSync(outputPath).equals(undisturbed)).toBe(true);
  expect(readdirSync(join(outputPath, ".."))).toEqual(["scores.csv"]);
}, 60_000);

test("killed while rows are appended and parts are written, it goes on after the last part that was noted", async () => {
  const rows = 200 * 2048;
  const input = await queryRows(`SELECT count(*) AS rows FROM (${ROWS_SQL(rows)})`);
  for (let round = 0; round < 3; round++) {
    const outputPath = newPath("parquet");
    const killAt = Math.floor(Math.random() * 200) * 2048;
    const child = start({ outputPath, format: "parquet", rows, partRows: 16 * 2048 });
    child.on("message", (message: { appended?: number }) => {
      if (message.appended === killAt) child.kill("SIGKILL");
    });
    const { killed } = await run(child);
    if (killed) await run(start({ outputPath, format: "parquet", rows, partRows: 16 * 2048 }));
    expect(
      await queryRows(`SELECT count(*) AS rows, bool_and(id = row AND (score IS NULL) = (row % 1000 = 999)
        AND (score IS NULL OR score = row / 7) AND (text IS NULL) = (row % 3 = 0)) AS same
        FROM (SELECT *, row_number() OVER () - 1 AS row FROM '${outputPath}')`),
      `killed at row ${killAt}`,
    ).toEqual([{ ...(input[0] as object), same: true }]);
    expect(readdirSync(join(outputPath, ".."))).toEqual(["scores.parquet"]);
  }
}, 120_000);

test.each(["parquet", "arrow"] as const)(
  "killed while the parts are joined into %s, it joins them again",
  async (format) => {
    const task = { format, rows: 200 * 2048, partRows: 100 * 2048 };
    const wanted = newPath(format);
    await run(start({ ...task, outputPath: wanted }));
    for (let attempt = 1; attempt < 10; attempt++) {
      const outputPath = newPath(format);
      const child = start({ ...task, outputPath });
      await once(child, "message");
      const watcher = watch(`${outputPath}.parts`, (_, name) => {
        if (name === "joined.tmp") child.kill("SIGKILL");
      });
      await run(child);
      watcher.close();
      // The signal may come after the join.
      if (!existsSync(join(`${outputPath}.parts`, "joined.tmp"))) continue;
      await run(start({ ...task, outputPath }));
      expect(readFileSync(outputPath).equals(readFileSync(wanted))).toBe(true);
      return;
    }
    throw new Error("no run was killed while it joined");
  },
  60_000,
);
