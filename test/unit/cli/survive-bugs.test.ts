import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";

const SURVIVE = new URL("../../../src/cli/serve.ts", import.meta.url).href;

/** Runs a module's text in a process that survives bugs; what it wrote, and how it ended. */
async function survived(
  body: string,
): Promise<{ code: number | null; signal: string | null; stdout: string }> {
  const program = `
    import { writeSync } from "node:fs";
    import { surviveBugs } from ${JSON.stringify(SURVIVE)};
    const say = (...words) => writeSync(1, words.join(" ") + "\\n");
    surviveBugs({ error: ({ err, origin }, message) => say(origin, err?.message ?? err, "-", message) });
    ${body}`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close") as Promise<[number | null, string | null]>;
  const [stdout, [code, signal]] = await Promise.all([text(child.stdout), ended, text(child.stderr)]);
  return { code, signal, stdout };
}

const TOLD = "a bug in Assay: an error that no call caught; the server goes on, please report it";

test.each([
  ["an exception in a callback", 'setImmediate(() => { throw new Error("x"); });', "uncaughtException x"],
  ["a promise that nobody waits for", 'Promise.reject(new Error("x"));', "unhandledRejection x"],
  ["something thrown that is no Error", 'setImmediate(() => { throw "x"; });', "uncaughtException x"],
  ["undefined thrown", "setImmediate(() => { throw undefined; });", "uncaughtException"],
])("a server goes on after %s, and says so with its cause", async (_, body, told) => {
  const { code, signal, stdout } = await survived(`${body} setTimeout(() => say("goes on"), 50);`);
  expect({ code, signal }).toEqual({ code: 0, signal: null });
  expect(stdout).toContain(told);
  expect(stdout).toContain(TOLD);
  expect(stdout.trimEnd().endsWith("goes on")).toBe(true);
});

test("a write to output that nobody reads any more is no bug", async () => {
  const { code, stdout } = await survived(`
    for (const stream of [process.stdout, process.stderr]) stream.emit("error", new Error("EPIPE"));
    setTimeout(() => say("goes on"), 50);`);
  expect([code, stdout]).toEqual([0, "goes on\n"]);
});

test("a file that may not grow further ends nothing", async () => {
  const { code, signal, stdout } = await survived(`
    process.kill(process.pid, "SIGXFSZ");
    setTimeout(() => say("goes on"), 50);`);
  expect([code, signal, stdout]).toEqual([0, null, "goes on\n"]);
});
