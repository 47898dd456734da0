import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** What a run of the command left behind. */
export interface CommandResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of `assay score` that may be ended. */
export interface RunningCommand {
  readonly child: ChildProcess;
  readonly ended: Promise<CommandResult>;
}

/** Starts `assay score` in a process of its own, with the example models unless told otherwise. */
export function startScore(args: readonly string[], stdin?: Buffer | string): RunningCommand {
  const child = spawn(process.execPath, ["bin/assay.cjs", "score", ...args], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
  // The command may end before it has read all.
  child.stdin.on("error", () => {});
  child.stdin.end(stdin ?? "");
  const ended = once(child, "close").then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    stdout: Buffer.concat(stdout).toString(),
    stderr: Buffer.concat(stderr).toString(),
  }));
  return { child, ended };
}

/** Runs `assay score` to its end. */
export function score(args: readonly string[], stdin?: Buffer | string): Promise<CommandResult> {
  return startScore(args, stdin).ended;
}
