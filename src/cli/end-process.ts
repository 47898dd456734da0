import { existsSync } from "node:fs";

const SHELL = "/bin/sh";

/** A signal that is still on its way by another route must meet a process that listens, or its exit code would be lost. */
const ON_THE_WAY_MS = 100;

/**
 * Ends this process at once with an exit code. `process.exit` would stop the worker threads, and one that is inside ONNX Runtime
 * aborts the process then; replacing the program takes its threads away without running anything of them. Windows, which cannot
 * replace a program, gets `process.exit`.
 */
export function endProcess(code: number): never {
  // What listens has last words, such as lines of the log that wait for a reader.
  process.emit("exit", code);
  if (process.execve === undefined) process.exit(code);
  if (existsSync(SHELL)) return process.execve(SHELL, [SHELL, "-c", `exit ${code}`], {});
  const node = process.execPath;
  return process.execve(node, [node, "--eval", `process.exitCode = ${code}`], {});
}

/** Ends this process because of a signal. */
export function endBySignal(code: number): void {
  setTimeout(() => endProcess(code), ON_THE_WAY_MS);
}
