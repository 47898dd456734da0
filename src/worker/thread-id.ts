import { readlinkSync } from "node:fs";

/** The system's number of this thread; 0 where it does not tell, as outside Linux. */
export function systemThreadId(): number {
  try {
    return Number(readlinkSync("/proc/thread-self").split("/").at(-1));
  } catch {
    return 0;
  }
}
