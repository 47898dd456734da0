import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { WorkerCommand } from "../servers/worker-commands.ts";

/** What a child server is asked. */
export type ChildQuestion = "resident-bytes" | "heap-bytes" | "old-bytes" | "longest-stall-ms";

/** A server in a process of its own, so that its memory is its own. */
export interface ChildServer {
  readonly address: string;
  readonly url: string;
  command(command: WorkerCommand): void;
  /** After a garbage collection: what it holds, not what it has not swept yet. */
  residentBytes(): Promise<number>;
  /** What V8's heap holds after a full collection. */
  heapBytes(): Promise<number>;
  /** What lies among V8's old objects after a young collection: what only a full one would free is counted. */
  oldBytes(): Promise<number>;
  /** The longest that its event loop worked without a turn since it was last asked, in milliseconds of CPU. */
  longestStallMs(): Promise<number>;
  close(): Promise<void>;
}

/** Forks a server over the example models with a worker that obeys commands; `nodeFlags` are Node's own. */
export async function startChildServer(
  flags: Record<string, string>,
  nodeFlags: readonly string[] = [],
): Promise<ChildServer> {
  const child: ChildProcess = fork(
    new URL("../servers/child-server.ts", import.meta.url),
    [JSON.stringify(flags)],
    {
      execArgv: ["--expose-gc", ...nodeFlags],
    },
  );
  const [address] = (await once(child, "message")) as [string];

  async function ask(question: ChildQuestion): Promise<number> {
    const reply = once(child, "message");
    child.send(question);
    return ((await reply) as [number])[0];
  }

  return {
    address,
    url: `http://${address}`,
    command: (command) => child.send(command),
    residentBytes: () => ask("resident-bytes"),
    heapBytes: () => ask("heap-bytes"),
    oldBytes: () => ask("old-bytes"),
    longestStallMs: () => ask("longest-stall-ms"),
    async close() {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}
