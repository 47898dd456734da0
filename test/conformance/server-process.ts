import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import manifest from "../../package.json" with { type: "json" };
import type { Http2EngineName } from "../reference/http2-engines.ts";
import { collect } from "../support/clients/command.ts";
import { freePort } from "../support/servers/server-process.ts";

/** The checkout's root. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** The `assay` launcher of this checkout. */
export const ASSAY = join(ROOT, manifest.bin.assay);

/** A running server, as a user starts it. */
export interface ServerProcess {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  /** What it printed so far. */
  printed(): string;
  /** Sends SIGTERM and answers the exit status; the caller must end it. */
  stop(): Promise<number | null>;
}

/** Starts `assay serve`, or its like over another HTTP/2 engine, on a free port and waits until `/readyz` answers 200. Throws with its output if it ends first. */
export function startServer(
  models: string,
  args: readonly string[] = [],
  engine: Http2EngineName = "assay",
): Promise<ServerProcess> {
  const command = engine === "assay" ? [ASSAY, "serve"] : ["test/reference/node-http2-server.ts"];
  return startCommand(process.execPath, [...command, "--models", models, ...args]);
}

/** Does the same with another command that takes `--port PORT` as its last arguments, run in the checkout's root. */
export async function startCommand(command: string, args: readonly string[]): Promise<ServerProcess> {
  const port = await freePort();
  const child = spawn(command, [...args, "--port", String(port)], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const read = collect(child);
  const printed = () => read().stdout + read().stderr;
  const ended = once(child, "close");
  const address = `127.0.0.1:${port}`;
  const until = Date.now() + 60_000;
  while (!(await isReady(address))) {
    if (child.exitCode !== null)
      throw new Error(`${command} ended with status ${child.exitCode}:\n${printed()}`);
    if (Date.now() > until) {
      child.kill("SIGTERM");
      throw new Error(`${command} was not ready within 60 s:\n${printed()}`);
    }
    await delay(50);
  }
  return {
    address,
    printed,
    async stop() {
      child.kill("SIGTERM");
      await ended;
      return child.exitCode;
    },
  };
}

/** True where `/readyz` answers 200; false where it does not, or nobody listens. */
export async function isReady(address: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${address}/readyz`);
    await response.arrayBuffer();
    return response.status === 200;
  } catch {
    return false;
  }
}
