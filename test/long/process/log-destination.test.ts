import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, expect, test } from "vitest";
import { freePort } from "../../support/servers/server-process.ts";

let child: ChildProcess | undefined;
afterEach(async () => {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "close");
  child.kill("SIGKILL");
  await ended;
});

/** The iris model, and so many refused ones that what is said of them at the start is more than a pipe holds. */
function talkativeRepository(): string {
  const folder = mkdtempSync(join(tmpdir(), "assay-talkative-"));
  symlinkSync(resolve("models/iris"), join(folder, "iris"));
  for (let i = 0; i < 700; i++) mkdirSync(join(folder, `refused-${i}`, "1"), { recursive: true });
  return folder;
}

/** Starts a server whose standard output and error go somewhere odd, and resolves once it is ready. */
async function serve(stdout: number | "pipe", stderr: number | "pipe", meet = (_: ChildProcess) => {}) {
  const port = await freePort();
  const args = ["serve", "--models", talkativeRepository(), "--port", String(port), "--devices", "cpu"];
  const server = spawn(process.execPath, ["bin/assay.cjs", ...args], { stdio: ["ignore", stdout, stderr] });
  child = server;
  meet(server);
  const url = `http://127.0.0.1:${port}/readyz`;
  await expect
    .poll(
      () =>
        fetch(url).then(
          ({ status }) => status,
          () => 0,
        ),
      { timeout: 20_000 },
    )
    .toBe(200);
  return { server, ended: once(server, "exit") };
}

test("with standard output and error on a full disk the server serves, and drains with 0", async () => {
  const full = openSync("/dev/full", "w");
  const { server, ended } = await serve(full, full);
  closeSync(full);
  server.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
});

test("with standard output and error closed by their readers the server serves, and drains with 0", async () => {
  const { server, ended } = await serve("pipe", "pipe", ({ stdout, stderr }) => {
    stdout!.destroy();
    stderr!.destroy();
  });
  server.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
});

test("with a standard output and error that nobody reads the server serves, and ends in time", async () => {
  const { server, ended } = await serve("pipe", "pipe", ({ stdout, stderr }) => {
    stdout!.pause();
    stderr!.pause();
  });
  server.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
});
