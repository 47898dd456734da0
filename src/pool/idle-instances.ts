import type { Batch, Pool } from "./pool.ts";
import type { Watchdog } from "./watchdog.ts";

/** What a pool runs batches on: an instance, or a guest's end of one. */
interface RunsBatches {
  readonly isIdle: boolean;
  run(batch: Batch): void;
}

/** How many of them could take a batch now. */
export function idleCountOf(instances: readonly RunsBatches[]): Pool["idleCount"] {
  let count = 0;
  for (const instance of instances) if (instance.isIdle) count++;
  return count;
}

/** Runs a batch, watched, on the first of them that is idle. Throws where none is: a pool's caller asks first. */
export function runOnIdle(instances: readonly RunsBatches[], batch: Batch, watchdog: Watchdog): void {
  const instance = instances.find((one) => one.isIdle);
  if (instance === undefined) throw new Error("no instance is idle");
  watchdog.watch();
  instance.run(batch);
}
