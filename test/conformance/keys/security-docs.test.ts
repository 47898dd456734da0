/** Each command of docs/security.md, one after the other in one folder, as they are pasted; but for the port, which is a free one. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../support/clients/command.ts";
import { markdownBlocks } from "../../support/markdown-blocks.ts";
import { freePort } from "../../support/servers/server-process.ts";
import { ROOT } from "../server-process.ts";

const blocks = markdownBlocks(readFileSync(join(ROOT, "docs/security.md"), "utf8")).filter(
  ({ info }) => info[0] === "sh",
);
let folder: string;
let env: NodeJS.ProcessEnv;
let port: string;
let server: ChildProcess | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "assay-security-"));
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const program = `#!/bin/sh\nexec ${process.execPath} ${join(ROOT, "bin/assay.cjs")} "$@"\n`;
  writeFileSync(join(bin, "assay"), program, { mode: 0o755 });
  symlinkSync(join(ROOT, "models"), join(folder, "models"));
  port = String(await freePort());
  env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, ASSAY_PORT: port, ASSAY_DEVICES: "cpu" };
});

afterAll(async () => {
  await stop();
  rmSync(folder, { recursive: true });
});

test("every command of docs/security.md does what the page says", async () => {
  const outputs: string[] = [];
  for (const { info, text } of blocks) {
    const script = text.replaceAll("8080", port);
    if (info[1] === "server") {
      await stop();
      await start(script);
      continue;
    }
    const { status, stdout, stderr } = await run("bash", ["-euo", "pipefail", "-c", script], {
      env,
      cwd: folder,
    });
    expect([script, status, stderr]).toEqual([script, 0, stderr]);
    outputs.push(stdout);
  }
  const [made, scored, benched, certified, probed] = outputs;
  expect([made, certified]).toEqual(["", ""]);
  expect(scored).toMatch(/^\{.*"scores".*\}\s*401\n$/s);
  expect(benched).toMatch(/failed +none/);
  expect(readFileSync(join(folder, "scores.csv"), "utf8").trim().split("\n")).toHaveLength(2);
  expect(probed).toBe('{"status":"live"}\n');
});

async function start(script: string): Promise<void> {
  const child = spawn("bash", ["-c", `exec ${script.trim()}`], {
    env,
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  server = child;
  for await (const line of child.stdout!) if (String(line).includes("serves")) return;
  throw new Error(`the server did not start: ${script}`);
}

async function stop(): Promise<void> {
  if (server === undefined || server.exitCode !== null) return;
  const ended = new Promise((resolve) => server!.once("exit", resolve));
  server.kill("SIGTERM");
  await ended;
}
