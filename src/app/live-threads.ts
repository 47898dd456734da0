import { liveThreadCount } from "../pool/worker-handle.ts";

/** Tells whether worker threads have not ended, so that the process would wait at its end, maybe for ever: see `endProcess`. */
export function hasLiveThreads(): boolean {
  return liveThreadCount() > 0;
}
