import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { collect, run } from "../../support/clients/command.ts";
import { testFolder } from "../../support/folders.ts";
import { freePort } from "../../support/servers/server-process.ts";
import { isReady, ROOT } from "../server-process.ts";
import { tool } from "../tool.ts";
import { startLoad } from "./deploy-load.ts";

const UNIT = readFileSync(join(ROOT, "deploy/systemd/assay.service"), "utf8");
const LAUNCHER = "/opt/assay/node_modules/assay/bin/assay.cjs";

/** A process and all that it has started, as a unit's control group holds them. */
function groupOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc").filter((one) => /^\d+$/.test(one))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const group = [pid];
  for (const one of group) for (const [child, parent] of parents) if (parent === one) group.push(child);
  return group;
}

test("systemd-analyze has nothing to say of the unit", async () => {
  const file = join(testFolder(), "assay.service");
  writeFileSync(
    file,
    UNIT.replace(LAUNCHER, join(ROOT, "bin/assay.cjs")).replace(/^Documentation=.*\n/m, ""),
  );
  const { status, stdout, stderr } = await run(tool("systemd-analyze"), ["verify", file]);
  expect(stdout + stderr).toBe("");
  expect(status).toBe(0);
});

test("SIGTERM to every process of the unit at once, as KillMode=control-group sends it, drains: no call fails", async () => {
  const [, words] = new RegExp(`^ExecStart=${LAUNCHER} (.*)$`, "m").exec(UNIT)!;
  const args = words!.replace("/srv/assay/models", join(ROOT, "models")).split(" ");
  const [, variables] = /^Environment=(.*)$/m.exec(UNIT)!;
  const environment = Object.fromEntries(
    variables!.split(" ").map((one) => one.split("=") as [string, string]),
  );
  expect(UNIT).toMatch(/^KillMode=control-group$/m);
  const port = await freePort();
  // Models in processes of their own are in the control group too.
  const child = spawn(join(ROOT, "bin/assay.cjs"), [...args, "--isolation", "process"], {
    env: { ...process.env, ...environment, ASSAY_DRAIN_GRACE_MS: "1500", ASSAY_PORT: String(port) },
  });
  const printed = collect(child);
  const ended = once(child, "close");
  onTestFinished(() => void child.kill("SIGKILL"));
  while (!(await isReady(`127.0.0.1:${port}`))) {
    expect(child.exitCode, printed().stderr).toBe(null);
    await delay(50);
  }
  const load = await startLoad(`127.0.0.1:${port}`, "-only-direct");
  // The time in which calls are under way.
  await delay(1000);
  const group = groupOf(child.pid!);
  // The server, and four models.
  expect(group.length).toBeGreaterThanOrEqual(5);
  for (const pid of group) process.kill(pid, "SIGTERM");
  await ended;
  expect(child.exitCode, printed().stderr).toBe(0);
  for (const [way, { answered, failures, cutOff, different }] of Object.entries(await load.end())) {
    expect(failures, way).toEqual([]);
    // No program can close a listener and know that nothing was taken since it last looked.
    expect(cutOff, way).toBeLessThanOrEqual(1);
    expect(answered, way).toBeGreaterThan(50);
    expect(different, way).toBe(1);
  }
});
