import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { fileURLToPath } from "node:url";

const LAUNCHER = fileURLToPath(new URL("../../../bin/assay.cjs", import.meta.url));

/** `assay serve` as a process of its own; whoever started it ends it. */
export interface ServerProcess {
  readonly url: string;
  readonly port: number;
  readonly processId: number;
  /** What it has written to standard error. */
  readonly logText: string;
  /** SIGKILL; resolves once the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM: a drain. Resolves with the exit code. */
  terminate(): Promise<number | null>;
}

/** Starts a server over a model repository and resolves once it serves. */
export function startServerProcess(models: string, ...flags: string[]): Promise<ServerProcess> {
  return startServerWith({}, models, ...flags);
}

/** The same with more variables in its environment. */
export async function startServerWith(
  environment: Readonly<Record<string, string>>,
  models: string,
  ...flags: string[]
): Promise<ServerProcess> {
  const portFlags = flags.includes("--port") ? [] : ["--port", "0"];
  const args = [LAUNCHER, "serve", "--models", models, "--devices", "cpu", ...portFlags, ...flags];
  const env = { ...process.env, ...environment };
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], env });
  let logText = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    logText += text;
  });
  const ended = once(child, "close") as Promise<[number | null]>;
  const signal = async (name: NodeJS.Signals) => {
    child.kill(name);
    return (await ended)[0];
  };
  child.stdout.setEncoding("utf8");
  let printed = "";
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (text: string) => {
      printed += text;
      const found = /on (http:\/\/\S+)/.exec(printed)?.[1];
      if (found !== undefined) resolve(found);
    });
    void ended.then(() => reject(new Error(`it ended before it served: ${printed}`)));
  });
  return {
    url,
    port: Number(new URL(url).port),
    processId: child.pid!,
    get logText() {
      return logText;
    },
    async kill() {
      await signal("SIGKILL");
    },
    terminate: () => signal("SIGTERM"),
  };
}

/** A port that was free a moment ago: the address stands in commands before the server is up. */
export async function freePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, "close");
  return port;
}
