import { spawn } from "node:child_process";
import { once } from "node:events";

/** `assay consume` in a process of its own; whoever started it ends it. */
export interface ConsumeProcess {
  /** What it wrote to standard error. */
  readonly logText: string;
  readonly processId: number;
  /** A metric's value, summed over its labels. */
  metric(name: string): Promise<number>;
  /** The status and text of a path of its probes. */
  probe(path: string): Promise<{ readonly status: number; readonly text: string }>;
  /** SIGKILL; resolves once it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  terminate(): Promise<number | null>;
}

/** Starts it over the example models and waits until it is in its group. */
export async function startConsume(...flags: string[]): Promise<ConsumeProcess> {
  const args = [
    "src/main.ts",
    "consume",
    "--devices",
    "cpu",
    "--metrics-host",
    "127.0.0.1",
    "--metrics-port",
    "0",
  ];
  const child = spawn(process.execPath, [...args, ...flags], { stdio: ["ignore", "ignore", "pipe"] });
  let logText = "";
  const ended = once(child, "exit") as Promise<[number | null]>;
  const signal = async (name: NodeJS.Signals) => {
    child.kill(name);
    return (await ended)[0];
  };
  child.stderr.setEncoding("utf8");
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.on("data", (text: string) => {
      logText += text;
      const port = /"port":(\d+)/.exec(logText)?.[1];
      if (port !== undefined && logText.includes('"consuming"')) resolve(`http://127.0.0.1:${port}`);
    });
    void ended.then(([code]) => reject(new Error(`it ended with ${code}: ${logText}`)));
  });
  const probe = async (path: string) => {
    const response = await fetch(`${url}${path}`);
    return { status: response.status, text: await response.text() };
  };
  return {
    get logText() {
      return logText;
    },
    processId: child.pid!,
    probe,
    async metric(name) {
      const { text } = await probe("/metrics");
      const lines = text.split("\n").filter((line) => new RegExp(`^${name}(\\{|\\s)`).test(line));
      if (lines.length === 0) return Number.NaN;
      return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
    },
    async kill() {
      await signal("SIGKILL");
    },
    terminate: () => signal("SIGTERM"),
  };
}
