import type { Log } from "../telemetry/log.ts";

/**
 * Keeps a server that meets a bug of ours where no call catches it: one call may be lost or left to its deadline, and all others
 * are answered on, where an end would lose every one and a caller who can cause it could end the server at will. What came is
 * logged with its cause. Of each thread with an edge.
 */
export function goOnAfterBugs(log: Log): void {
  process.on("uncaughtException", (err: unknown, origin) => {
    log.error(
      { err, origin },
      "a bug in Assay: an error that no call caught; the server goes on, please report it",
    );
  });
}
