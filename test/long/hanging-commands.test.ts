import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { collect, run } from "../support/clients/command.ts";
import { childrenOf, endlessModel, writeModels } from "../support/models/hanging-models.ts";

const SOON = JSON.stringify({ run_timeout_ms: 500 });

/** A repository with a model that never answers, in which a run may take as long as `config` says, and how a table is scored. */
function write(config: string): { folder: string; scoreArgs: string[] } {
  const { folder } = writeModels({ endless: { "model.onnx": endlessModel(), "config.json": config } });
  const table = join(folder, "table.csv");
  writeFileSync(table, "a,b\n1,2\n");
  const scoreArgs = [
    ...["bin/assay.cjs", "score", "--devices", "cpu", "--models", folder, "--model", "endless"],
    ...["--by-position", "--input", table, "--output", join(folder, "scores.csv")],
  ];
  return { folder, scoreArgs };
}

test("assay inspect names a model that never answers, and goes on with the others", async () => {
  const { folder } = write(SOON);
  const { status, stdout } = await run(process.execPath, ["bin/assay.cjs", "inspect", folder]);
  expect(status).toBe(1);
  expect(stdout).toMatch(
    /endless version 1\n {2}refused {3}the model did not answer its first run: .* 500 ms/,
  );
  expect(stdout).toMatch(/affine version 1\n {2}file/);
});

test("assay score ends with a message on a model that never answers", async () => {
  const { status, stderr } = await run(process.execPath, write(SOON).scoreArgs);
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /"endless" version 1 cannot score: the model did not answer its first run: .* 500 ms/,
  );
});

for (const isolation of ["thread", "process"]) {
  test(`Ctrl-C ends assay score at once while a model never answers in a ${isolation}`, async () => {
    const config = JSON.stringify({ run_timeout_ms: 600_000, isolation });
    const child = spawn(process.execPath, write(config).scoreArgs, { stdio: ["ignore", "pipe", "pipe"] });
    const printed = collect(child);
    const ended = once(child, "exit");
    // The first run is on once it takes its second of a core; before that, Ctrl-C would meet the start.
    const id = () => (isolation === "process" ? childrenOf(child.pid!)[0] : child.pid);
    await expect.poll(() => usedSeconds(id()), { timeout: 25_000 }).toBeGreaterThanOrEqual(3);
    const interruptedAt = performance.now();
    child.kill("SIGINT");
    expect(await ended).toEqual([130, null]);
    expect(performance.now() - interruptedAt).toBeLessThan(2_500);
    expect(printed().stderr).toMatch(/interrupted/);
  });
}

/** The processor time that a process has used. */
async function usedSeconds(processId: number | undefined): Promise<number> {
  if (processId === undefined) return 0;
  const { stdout } = await run("ps", ["-o", "cputimes=", "-p", String(processId)]);
  return Number(stdout);
}
