import type { Log } from "../telemetry/log.ts";

/**
 * Ends a process in which a run hangs in native code: answers what can be answered, turning not ready at once, and then kills
 * itself, because neither `terminate` nor `process.exit` ends such a thread. A supervisor restarts it.
 */
export async function endHungProcess(device: string, drain: () => Promise<void>, log: Log): Promise<void> {
  log.error({ device }, "a run hangs in native code; draining, then ending the process hard");
  try {
    await drain();
  } finally {
    process.kill(process.pid, "SIGKILL");
  }
}
