import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, type FSWatcher, mkdtempSync, readdirSync, rmSync, watch } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { score, startScore } from "../support/clients/score-command.ts";
import { query } from "../support/tables/tables.ts";

const ROWS = 60_000;
const PART_ROWS = 4_000;
/** Runs of one output that are killed before one is let go to its end. */
const KILLS = 6;
let folder: string;
let table: string;
let undisturbed: Record<string, unknown>[];

/** Different rows for the iris model. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "assay-resume-"));
  table = join(folder, "flowers.parquet");
  const columns = ["a", "b", "c", "d"].map((name, i) => `(random() * ${2 + i})::FLOAT AS ${name}`);
  await query(
    `COPY (SELECT range AS id, ${columns.join(", ")} FROM range(${ROWS})) TO '${table}' (ROW_GROUP_SIZE 5000)`,
  );
  const ran = await score(command("undisturbed.parquet"));
  expect(ran.code, ran.stderr).toBe(0);
  undisturbed = await scoresIn("undisturbed.parquet");
  expect(undisturbed).toHaveLength(ROWS);
  expect(new Set(undisturbed.map((row) => row.score)).size).toBeGreaterThan(ROWS / 100);
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function command(output: string, ...more: string[]): string[] {
  return ["--model", "iris", "--input", table, "--output", join(folder, output)].concat(
    ["--by-position", "--keep", "id", "--part-rows", String(PART_ROWS)],
    more,
  );
}

function scoresIn(name: string): Promise<Record<string, unknown>[]> {
  return query(`SELECT id, round(score, 5) AS score, label, score_error FROM '${join(folder, name)}'`);
}

/** Calls `act` at the count-th change in the folder, wherever in the run that is; resolves when it has, or `over` settles. */
async function atChange(count: number, act: () => void, over: Promise<unknown>): Promise<void> {
  let seen = 0;
  let watcher: FSWatcher | undefined;
  await Promise.race([
    over,
    new Promise<void>((resolve) => {
      watcher = watch(folder, { recursive: true }, () => {
        if (++seen < count) return;
        act();
        resolve();
      });
    }),
  ]);
  watcher?.close();
}

test("killed at random moments and started again, the command gives the same rows in the same order", {
  timeout: 120_000,
}, async () => {
  let kills = 0;
  for (const output of ["killed.parquet", "killed.csv"]) {
    let ended: Awaited<ReturnType<typeof score>> | undefined;
    for (let attempt = 0; ended?.code !== 0; attempt++) {
      const running = startScore(command(output));
      if (attempt >= KILLS) {
        ended = await running.ended;
        break;
      }
      const change = 1 + Math.floor(Math.random() * 60);
      await atChange(change, () => running.child.kill("SIGKILL"), running.ended);
      ended = await running.ended;
      if (ended.signal === "SIGKILL") kills++;
      else expect(ended.code, ended.stderr).toBe(0);
      // Killed after the last rename, it is whole; before that it is not there.
      if (existsSync(join(folder, output))) expect(await scoresIn(output)).toHaveLength(ROWS);
    }
    expect(ended?.code).toBe(0);
    const rows = await scoresIn(output);
    expect(rows.map(({ id }) => Number(id))).toEqual(undisturbed.map(({ id }) => Number(id)));
    expect(rows.map((row) => row.score)).toEqual(undisturbed.map((row) => row.score));
    expect(readdirSync(folder).filter((name) => name.startsWith(`${output}.`))).toEqual([]);
  }
  console.log(`killed ${kills} times`);
  expect(kills).toBeGreaterThan(3);
});

test("a server that is killed and comes back costs time, not rows", { timeout: 120_000 }, async () => {
  const port = await freePort();
  let server = await startServer(port);
  try {
    const running = startScore(command("served.parquet", "--server", `http://127.0.0.1:${port}`));
    for (let kill = 0; kill < 3; kill++) {
      await atChange(5 + Math.floor(Math.random() * 10), () => server.kill("SIGKILL"), running.ended);
      if (server.signalCode === null && !server.killed) break;
      if (server.signalCode === null) await once(server, "exit");
      server = await startServer(port);
    }
    const ended = await running.ended;
    expect(ended.code, ended.stderr).toBe(0);
    const rows = await scoresIn("served.parquet");
    expect(rows.map((row) => row.score)).toEqual(undisturbed.map((row) => row.score));
    expect(ended.stderr).toContain("trying again");
  } finally {
    server.kill("SIGKILL");
  }
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, "close");
  return port;
}

async function startServer(port: number): Promise<ChildProcess> {
  const args = [
    "bin/assay.cjs",
    "serve",
    "--models",
    "models",
    "--port",
    String(port),
    "--log-level",
    "error",
  ];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface(child.stdout);
  await once(lines, "line");
  child.stdout.resume();
  return child;
}
