import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ResumedScore } from "../support/clients/resumed-score.ts";
import { type score, startScore } from "../support/clients/score-command.ts";
import { freePort } from "../support/servers/server-process.ts";

/** Runs of one output that are killed before one is let go to its end. */
const KILLS = 6;
let run: ResumedScore;

beforeAll(async () => {
  run = await ResumedScore.start();
}, 60_000);

afterAll(() => run?.remove());

test("killed at random moments and started again, the command gives the same rows in the same order", {
  timeout: 120_000,
}, async () => {
  let kills = 0;
  for (const output of ["killed.parquet", "killed.csv"]) {
    let ended: Awaited<ReturnType<typeof score>> | undefined;
    for (let attempt = 0; ended?.code !== 0; attempt++) {
      const running = startScore(run.command(output));
      if (attempt >= KILLS) {
        ended = await running.ended;
        break;
      }
      const change = 1 + Math.floor(Math.random() * 60);
      await run.atChange(change, () => running.child.kill("SIGKILL"), running.ended);
      ended = await running.ended;
      if (ended.signal === "SIGKILL") kills++;
      else expect(ended.code, ended.stderr).toBe(0);
      // Killed after the last rename, it is whole; before that it is not there.
      if (existsSync(join(run.folder, output))) expect(await run.scoresIn(output)).toHaveLength(run.rowCount);
    }
    expect(ended?.code).toBe(0);
    const rows = await run.scoresIn(output);
    expect(rows.map(({ id }) => Number(id))).toEqual(run.undisturbed.map(({ id }) => Number(id)));
    expect(rows.map((row) => row.score)).toEqual(run.undisturbed.map((row) => row.score));
    expect(readdirSync(run.folder).filter((name) => name.startsWith(`${output}.`))).toEqual([]);
  }
  console.log(`killed ${kills} times`);
  expect(kills).toBeGreaterThan(3);
});

test("a server that is killed and comes back costs time, not rows", { timeout: 120_000 }, async () => {
  const port = await freePort();
  let server = await startServer(port);
  try {
    const running = startScore(run.command("served.parquet", "--server", `http://127.0.0.1:${port}`));
    for (let kill = 0; kill < 3; kill++) {
      await run.atChange(5 + Math.floor(Math.random() * 10), () => server.kill("SIGKILL"), running.ended);
      if (server.signalCode === null && !server.killed) break;
      if (server.signalCode === null) await once(server, "exit");
      server = await startServer(port);
    }
    const ended = await running.ended;
    expect(ended.code, ended.stderr).toBe(0);
    const rows = await run.scoresIn("served.parquet");
    expect(rows.map((row) => row.score)).toEqual(run.undisturbed.map((row) => row.score));
    expect(ended.stderr).toContain("trying again");
  } finally {
    server.kill("SIGKILL");
  }
});

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
