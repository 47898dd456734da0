import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** What a command left: its exit status (-1 where a signal ended it) and all it printed. */
export interface Finished {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and with what a command runs. */
export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Written to standard input, which is then closed. */
  readonly input?: string;
  /** Default 100,000; the command is then killed. */
  readonly timeoutMs?: number;
}

/** Runs a command to its end; does not throw on a status other than 0. */
export async function run(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<Finished> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    timeout: options.timeoutMs ?? 100_000,
    killSignal: "SIGKILL",
  });
  const printed = collect(child);
  // A command that ends without reading its input breaks the pipe; its status says whether that was wrong.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  const [status] = await once(child, "close");
  return { status: status ?? -1, ...printed() };
}

/** Keeps what a process prints; the answer tells what came so far. */
export function collect(child: ChildProcess): () => { stdout: string; stderr: string } {
  const parts = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    parts.stdout += text;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    parts.stderr += text;
  });
  return () => ({ ...parts });
}
