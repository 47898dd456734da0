import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tool } from "../../conformance/tool.ts";
import { run } from "../../support/clients/command.ts";
import { exampleRepository, testFolder } from "../../support/folders.ts";
import { type ServerProcess, startServerProcess } from "../../support/servers/server-process.ts";

const ROWS = 200_000;
const MOST_MS = 300_000;
let lost: ServerProcess;
let kept: ServerProcess;
const models = exampleRepository("census");

beforeAll(async () => {
  [lost, kept] = await Promise.all([startServerProcess(models), startServerProcess(models)]);
});
afterAll(async () => {
  await kept.terminate();
  await lost.kill();
});

/** Rows that a server has scored; none where it is gone. */
async function scoredBy({ url }: ServerProcess): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split("\n").filter((line) => /^assay_batch_rows_sum\{/.test(line));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

test(
  "Spark's executors share two servers, go on at one where the other is killed, and every row is scored once",
  async () => {
    const args = [kept.url, String(ROWS), "16", testFolder(), lost.url, kept.url];
    let ended = false;
    const job = run(tool("python-spark"), ["test/pipelines/spark/score_people.py", ...args], {
      timeoutMs: MOST_MS,
      env: { ...process.env, PYTHONPATH: "python/src", PYTHONDONTWRITEBYTECODE: "1" },
    }).finally(() => {
      ended = true;
    });
    while (!ended && (await scoredBy(lost)) < ROWS / 10) await delay(10);
    const before = await scoredBy(lost);
    await lost.kill();
    const beside = await scoredBy(kept);
    const { stdout, stderr } = await job;
    expect(stdout, stderr).toMatch(/^\{.*\}\n$/);
    // Both had their share when one died, and most rows were still to be scored.
    expect(before).toBeLessThan(ROWS / 2);
    expect(beside).toBeGreaterThan(ROWS / 50);
    const { farthest, ...told } = JSON.parse(stdout) as { farthest: number };
    expect(farthest).toBeLessThan(1e-6);
    expect(told).toMatchObject({ ids: true, unscored: [77], others: [], rows: ROWS });
  },
  MOST_MS,
);
