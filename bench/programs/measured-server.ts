import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";

/** A server of any kind, on core 0 unless asked otherwise, that says its port on its standard output; whoever started it stops it. */
export interface MeasuredServer {
  readonly name: string;
  readonly port: number;
  readonly processId: number;
  /** CPU µs of all its threads so far, and of those of processes that it started, by the scheduler's own count. */
  cpuUs(): number;
  stop(): Promise<void>;
}

/** What a server is started with. `environment` is added to this process's own. */
export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts a server; throws with what it said where it ends before it listens. */
export async function startMeasured(
  name: string,
  { command, args, environment }: ServerCommand,
  cores = "0",
): Promise<MeasuredServer> {
  const child = spawn("taskset", ["-c", cores, command, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...environment },
  });
  const port = await portOf(child, name);
  return {
    name,
    port,
    processId: child.pid!,
    cpuUs: () => threadTimes(child.pid!),
    async stop() {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** The first number that the server says, as a line or behind a host's name. */
async function portOf(child: ChildProcess, name: string): Promise<number> {
  let text = "";
  for await (const chunk of child.stdout!) {
    text += chunk;
    const found = /^(?:.*:\/\/[^:\s]+:)?(\d{4,5})\b/m.exec(text);
    if (found !== null) {
      child.stdout!.resume();
      return Number(found[1]);
    }
  }
  throw new Error(`${name} ended before it listened: ${text}`);
}

function threadTimes(processId: number): number {
  let microseconds = 0;
  for (const thread of readdirSync(`/proc/${processId}/task`)) {
    const task = `/proc/${processId}/task/${thread}`;
    microseconds += Number(readFileSync(`${task}/schedstat`, "utf8").split(" ")[0]) / 1000;
    for (const child of readFileSync(`${task}/children`, "utf8").split(" ")) {
      if (child !== "") microseconds += threadTimes(Number(child));
    }
  }
  return microseconds;
}
