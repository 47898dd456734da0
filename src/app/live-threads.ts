import { liveThreadCount } from "../pool/session-thread.ts";

/** Tells whether worker threads have not ended, so that the process would wait at its end, maybe for ever: see `endProcess`. */
export function hasLiveThreads(): boolean {
  return liveThreadCount() > 0;
}
