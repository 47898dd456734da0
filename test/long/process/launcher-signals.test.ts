import { spawnSync } from "node:child_process";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  type CommandProcess,
  portIsFree,
  startCommand,
  startServe,
} from "../../support/clients/command-process.ts";

async function serve(...flags: string[]) {
  const server = await startServe(flags, { behindLauncher: true });
  onTestFinished(() => server.end());
  return server;
}

/** The process behind a launcher. */
function childOf(pid: number): number {
  return Number(spawnSync("ps", ["-o", "pid=", "--ppid", String(pid)], { encoding: "utf8" }).stdout);
}

const drains = (server: CommandProcess) => server.printed.stderr.match(/draining/g)?.length;

describe("behind the launcher", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("%s to the group is one, and drains", async (signal) => {
    const server = await serve("--drain-grace-ms", "200");
    server.signalGroup(signal);
    expect(await server.ended).toEqual([0, null]);
    expect(drains(server)).toBe(1);
    expect(server.printed.stderr).not.toContain("ending at once");
  });

  test("SIGTERM to the launcher alone is handed on", async () => {
    const server = await serve();
    server.child.kill("SIGTERM");
    expect(await server.ended).toEqual([0, null]);
    expect(drains(server)).toBe(1);
  });

  test("SIGTERM to the server alone ends both", async () => {
    const server = await serve();
    process.kill(childOf(server.child.pid!), "SIGTERM");
    expect(await server.ended).toEqual([0, null]);
  });

  test("SIGKILL to the launcher ends the server, drained, and frees the port", async () => {
    const server = await serve();
    server.child.kill("SIGKILL");
    expect(await server.ended).toEqual([null, "SIGKILL"]);
    await portIsFree(server.port);
    expect(drains(server)).toBe(1);
  });

  test("a signal that kills the server is the launcher's own end", async () => {
    const server = await serve();
    process.kill(childOf(server.child.pid!), "SIGKILL");
    expect(await server.ended).toEqual([null, "SIGKILL"]);
  });

  test("a signal while models load ends both with 0", async () => {
    const args = ["serve", "--models", "models", "--port", "0", "--devices", "cpu"];
    const server = startCommand(args, { behindLauncher: true });
    onTestFinished(() => server.end());
    await server.finds(/listening/, "stderr");
    server.signalGroup("SIGTERM");
    expect(await server.ended).toEqual([0, null]);
    expect(server.printed.stdout).toBe("");
  });

  test("standard input reaches assay score, and its exit code comes back", async () => {
    const args = ["score", "--model", "iris", "--by-position", "--input", "-", "--input-format", "csv"];
    const run = startCommand([...args, "--output", "-", "--output-format", "csv"], { behindLauncher: true });
    onTestFinished(() => run.end());
    run.child.stdin!.end("a,b,c,d\n5.1,3.5,1.4,0.2\n");
    expect(await run.ended, run.printed.stderr).toEqual([0, null]);
    expect(run.printed.stdout).toContain("setosa");
    const wrong = startCommand(["score", "--no-such-flag"], { behindLauncher: true });
    onTestFinished(() => wrong.end());
    expect(await wrong.ended).toEqual([2, null]);
  });
});
