import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, watch } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fileFolder } from "../../support/folders.ts";

/** Less than the three seconds after which an interrupted run is ended whatever it waits for. */
const AT_ONCE_MS = 2000;
const folder = fileFolder();
const output = join(folder, "scores.csv");
let running: ChildProcess | undefined;
let stderr = "";

beforeEach(() => {
  stderr = "";
});

afterEach(() => {
  running?.kill("SIGKILL");
});

/** Starts `assay score` over standard input, which stays open; `temporary` is its folder for temporary files. */
function start(format: string, temporary: string): ChildProcess {
  const args = ["bin/assay.cjs", "score", "--model", "iris", "--by-position", "--input", "-"].concat([
    "--input-format",
    format,
    "--output",
    output,
  ]);
  running = spawn(process.execPath, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, TMPDIR: temporary },
  });
  running.stderr!.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  return running;
}

/** The folders that standard input passes through. */
function blocksIn(temporary: string): string[] {
  return readdirSync(temporary).filter((name) => name.startsWith("assay-input-"));
}

/** Resolves once a line of standard error has the text. */
async function said(child: ChildProcess, text: string): Promise<void> {
  while (!stderr.includes(text)) await once(child.stderr!, "data");
}

/** Interrupts, and tells the exit code and how long it took. */
async function interrupt(child: ChildProcess): Promise<{ code: unknown; tookMs: number }> {
  const ended = once(child, "close");
  const before = performance.now();
  child.kill("SIGINT");
  const [code] = (await ended) as [unknown];
  return { code, tookMs: performance.now() - before };
}

test("Ctrl-C before standard input has said anything ends the run at once and leaves nothing", async () => {
  const temporary = mkdtempSync(join(folder, "before-"));
  const watcher = watch(temporary);
  const child = start("csv", temporary);
  // The folder for its blocks is made just before it waits; other libraries leave files of their own there.
  while (blocksIn(temporary).length === 0) await once(watcher, "change");
  watcher.close();
  const { code, tookMs } = await interrupt(child);
  expect({ code, stderr }).toEqual({
    code: 130,
    stderr: "assay score: interrupted\n",
  });
  expect(tookMs).toBeLessThan(AT_ONCE_MS);
  expect(blocksIn(temporary)).toEqual([]);
});

test("Ctrl-C while standard input pauses ends the run at once and leaves no output", async () => {
  const temporary = mkdtempSync(join(folder, "pause-"));
  const child = start("csv", temporary);
  child.stdin!.write("a,b,c,d\n5.1,3.5,1.4,0.2\n");
  await said(child, "by position");
  const { code, tookMs } = await interrupt(child);
  expect(code, stderr).toBe(130);
  expect(stderr).toMatch(/^assay score: interrupted$/m);
  expect(tookMs).toBeLessThan(AT_ONCE_MS);
  expect(existsSync(output)).toBe(false);
  expect(readdirSync(folder).filter((name) => name.startsWith("scores"))).toEqual([]);
  expect(blocksIn(temporary)).toEqual([]);
});
