import { join } from "node:path";
import { expect, test } from "vitest";
import { run } from "../support/clients/command.ts";
import { freePort } from "../support/servers/server-process.ts";
import { ASSAY, isReady, ROOT } from "./server-process.ts";

const TERMINAL = join(ROOT, "test/conformance/python/terminal.py");

interface Ended {
  readonly printed: string;
  readonly exit: number | null;
  readonly signal: number | null;
}

/** Runs a command at a terminal of its own, and types once it serves. */
async function atTerminal(keys: string, command: readonly string[]): Promise<Ended & { left: boolean }> {
  const port = await freePort();
  const args = [TERMINAL, "serves 4 models", keys, ...command, "--port", String(port)];
  const { stdout, stderr } = await run("python3", args, { cwd: ROOT });
  expect(stderr).toBe("");
  return { ...(JSON.parse(stdout) as Ended), left: await isReady(`127.0.0.1:${port}`) };
}

const CTRL_C = "\\x03";
const npmStart = ["npm", "start", "--"];
const launcher = [process.execPath, ASSAY, "serve", "--models", "models"];

test.each([
  ["npm start", "Ctrl-C", npmStart, CTRL_C],
  ["npm start", "Ctrl-C twice within a moment", npmStart, CTRL_C + CTRL_C],
  ["assay serve", "Ctrl-C", launcher, CTRL_C],
  ["assay serve", "Ctrl-C twice within a moment", launcher, CTRL_C + CTRL_C],
])("%s at a terminal drains once and ends with status 0 by %s", async (_, _keys, command, keys) => {
  const { printed, exit, signal, left } = await atTerminal(keys, command);
  expect({ exit, signal, left }).toEqual({ exit: 0, signal: null, left: false });
  expect(printed.match(/INFO.* draining: calls in flight/g)).toHaveLength(1);
  expect(printed).not.toContain("ending at once");
});

test("a terminal that hangs up leaves no server behind", async () => {
  const { exit, signal, left } = await atTerminal("hangup", launcher);
  expect([exit, signal]).not.toEqual([null, 9]);
  expect(exit === 0 || signal === 1).toBe(true);
  expect(left).toBe(false);
});
