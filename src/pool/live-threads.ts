import type { Worker } from "node:worker_threads";

const live = new Set<Worker>();

/** Notes a worker thread until it has ended. */
export function noteThread(worker: Worker): void {
  live.add(worker);
  worker.once("exit", () => live.delete(worker));
}

/**
 * Worker threads of this process that have not ended. While there are any, `process.exit` may wait for ever for one that is in
 * native code, or abort the process: see `endProcess`.
 */
export function liveThreadCount(): number {
  return live.size;
}
