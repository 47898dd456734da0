import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A Node process on one core that answers each message with one; whoever started it stops it. */
export interface PinnedProcess {
  /** What it said when it was ready. */
  readonly greeting: unknown;
  ask<T>(message: unknown): Promise<T>;
  stop(): Promise<void>;
}

/** Starts `script`, a file of this folder, on a list of cores as `taskset` takes it. */
export async function startPinned(
  cores: string,
  script: string,
  args: readonly string[],
  nodeFlags: readonly string[] = [],
): Promise<PinnedProcess> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child: ChildProcess = spawn("taskset", ["-c", cores, process.execPath, ...nodeFlags, file, ...args], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const exit = once(child, "exit").then(() => {
    throw new Error(`${script} ended`);
  });
  exit.catch(() => {});
  const message = async (): Promise<unknown> =>
    ((await Promise.race([once(child, "message"), exit])) as [unknown])[0];
  const greeting = await message();
  return {
    greeting,
    async ask<T>(question: unknown) {
      const answer = message();
      child.send(question as object);
      return (await answer) as T;
    },
    async stop() {
      const ended = once(child, "exit");
      child.disconnect();
      await ended;
    },
  };
}
