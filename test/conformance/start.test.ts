import { readFileSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../support/clients/command.ts";
import { isReady, type ServerProcess, startCommand } from "./server-process.ts";
import { tool } from "./tool.ts";

let server: ServerProcess;
let atTerminal: ServerProcess;
let stopped = false;

/** Gives a command a terminal of its own, whose output it passes on, and hands SIGTERM on to it. */
const TERMINAL = `
import os, pty, signal, sys
pid, terminal = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
signal.signal(signal.SIGTERM, lambda *_: os.kill(pid, signal.SIGTERM))
try:
    while chunk := os.read(terminal, 65536): os.write(1, chunk)
except OSError: pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

beforeAll(async () => {
  [server, atTerminal] = await Promise.all([
    startCommand("npm", ["start", "--"]),
    startCommand("python3", ["-c", TERMINAL, "npm", "start", "--"]),
  ]);
});

afterAll(async () => {
  if (server !== undefined && !stopped) await server.stop();
  await atTerminal?.stop();
});

describe("npm start", () => {
  test("at a terminal prints lines for curl and grpcurl that score a row of each model when pasted", async () => {
    // They come after the server is ready.
    const pasted = () =>
      atTerminal
        .printed()
        .replaceAll("\r\n", "\n")
        .match(/^ +(curl|grpcurl) .*\/Predict$/gm) ?? [];
    await expect.poll(() => pasted().length, { timeout: 10_000 }).toBe(8);
    const lines = pasted();
    const scored = new Map<string, unknown[]>();
    for (const line of lines) {
      const finished = await run("bash", ["-c", line], {
        env: { ...process.env, PATH: `${dirname(tool("grpcurl"))}${delimiter}${process.env.PATH}` },
      });
      expect(finished, line).toMatchObject({ status: 0, stderr: "" });
      const { modelName, scores } = JSON.parse(finished.stdout);
      expect(scores, line).toEqual([expect.any(Number)]);
      scored.set(modelName, [...(scored.get(modelName) ?? []), scores[0]]);
    }
    expect([...scored.keys()].sort()).toEqual(["census", "digits", "housing", "iris"]);
    // One by each of the two, and both the same score.
    for (const [model, scores] of scored) expect(scores, model).toEqual([scores[0], scores[0]]);
  });

  test("answers what the README says to send, and as it prints it", async () => {
    const readme = readFileSync("README.md", "utf8").split("## Score a row")[1]!.split("## Score a file")[0]!;
    const lines = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text]) => text!);
    expect(lines).toHaveLength(4);
    const PATH = `${dirname(tool("grpcurl"))}${delimiter}${process.env.PATH}`;
    for (const [index, text] of lines.entries()) {
      const script = `set -e\n${text.replaceAll("127.0.0.1:8080", server.address)}`;
      const finished = await run("bash", ["-c", script], { env: { ...process.env, PATH } });
      expect(finished, text).toMatchObject({ status: 0, stderr: "" });
      const printed = /```json\n(.*)\n```/.exec(readme)![1]!;
      if (index === 0) expect(finished.stdout).toBe(printed);
      else expect(finished.stdout).toMatch(/"scores"|"scoreOutput"|"outputs"|"predictions"/);
    }
  });

  test("says where it serves, and on which device each model runs: in words at a terminal, else in JSON lines", () => {
    const printed = atTerminal.printed().replaceAll("\r\n", "\n");
    expect(printed).toContain(`serves 4 models on http://${atTerminal.address}`);
    expect(printed).toMatch(/^census version 1 on (cpu|cuda|webgpu):0$/m);
    const lines = server.printed().trimEnd().split("\n");
    // npm tells what it runs.
    const told = lines.filter((line) => !/^(> .*)?$/.test(line)).map((line) => JSON.parse(line));
    expect(told).toContainEqual(
      expect.objectContaining({ address: `http://${server.address}`, served: 4, failed: 0 }),
    );
    const census = told.find(({ model, devices }) => model === "census" && devices !== undefined);
    expect(census).toMatchObject({ version: "1", devices: [expect.stringMatching(/^(cpu|cuda|webgpu):0$/)] });
  });

  test("hands SIGTERM on to the server, which ends with status 0", async () => {
    stopped = true;
    expect(await server.stop()).toBe(0);
    expect(await isReady(server.address)).toBe(false);
  });
});
