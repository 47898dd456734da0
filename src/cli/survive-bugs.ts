import type { Log } from "../telemetry/log.ts";

/**
 * Keeps a server that meets a bug of ours where no call catches it: one call may be lost or left to its deadline, and all others
 * are answered on, where an end would lose every one and a caller who can cause it could end the server at will. What came is
 * logged with its cause. Writes to standard output and standard error that fail are no bug and are dropped.
 */
export function surviveBugs(log: Log): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  process.on("uncaughtException", (err: unknown, origin) => {
    log.error(
      { err, origin },
      "a bug in Assay: an error that no call caught; the server goes on, please report it",
    );
  });
  // A limit on the size of files is met as an error of the write, not as the end.
  process.on("SIGXFSZ", () => {});
}
