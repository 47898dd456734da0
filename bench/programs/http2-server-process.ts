/** Starts the processes of the HTTP/2 benchmarks, each on a core of its own, and asks servers for what they used. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** What a server has used since its start. */
export interface Usage {
  readonly cpuUs: number;
  readonly rssBytes: number;
}

/** A running echo server. */
export interface EchoServer {
  readonly name: string;
  readonly port: number;
  usage(): Promise<Usage>;
  stop(): void;
}

// What is still running when a run fails or is stopped ends with it.
const children: ChildProcess[] = [];
process.on("exit", () => {
  for (const child of children) child.kill();
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));

/** Starts one of this folder's scripts on a core; it ends with this process. */
export function startOnCore(core: number, script: string, options: readonly string[], env = {}) {
  const path = new URL(script, import.meta.url).pathname;
  const child = spawn("taskset", ["-c", String(core), process.execPath, path, ...options], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  children.push(child);
  return child;
}

/** Starts bench/http2-echo-server.ts on the first core. */
export async function startServer(
  engine: string,
  options: readonly string[] = [],
  env = {},
): Promise<EchoServer> {
  const child = startOnCore(0, "http2-echo-server.ts", ["--engine", engine, ...options], env);
  const lines = createInterface(child.stdout);
  const [port] = (await once(lines, "line")) as [string];
  return {
    name: engine,
    port: Number(port),
    async usage() {
      const line = once(lines, "line");
      child.kill("SIGUSR2");
      return JSON.parse((await line)[0] as string) as Usage;
    },
    stop: () => child.kill(),
  };
}
