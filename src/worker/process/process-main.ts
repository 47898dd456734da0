/**
 * The entry of a model's process. This thread only watches: it ends the process when the server is gone, also while a run hangs
 * in native code, and leaves the signals of a terminal or a supervisor to the server, which drains first.
 */
import { writeFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { entryUrl } from "../../package-files.ts";

const SESSION_ENTRY = entryUrl("worker/process/process-session-main");

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});

try {
  // Where memory runs out, the system should take this process and not the server.
  writeFileSync("/proc/self/oom_score_adj", "1000");
} catch {
  // Outside Linux, or not allowed: the system chooses.
}

process.stdin.on("error", endNow);
process.stdin.on("close", endNow);
process.stdin.resume();

const worker = new Worker(SESSION_ENTRY);
worker.on("error", () => process.exit(1));
worker.on("exit", (exitCode) => process.exit(exitCode));

/** `process.exit` would wait for a run that does not end. */
function endNow(): void {
  process.kill(process.pid, "SIGKILL");
}
