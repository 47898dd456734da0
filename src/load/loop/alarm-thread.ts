/** The thread of a FineClock: it sleeps until an alarm is to ring, and wakes the event loop. It ends where it is told to. */
import { workerData } from "node:worker_threads";
import { type AlarmThreadData, RUNG, SET, STOPPED, sharedNow } from "./fine-clock.ts";

const { cells, ringsAt } = workerData as AlarmThreadData;

let known = 0;
for (;;) {
  Atomics.wait(cells, SET, known);
  known = Atomics.load(cells, SET);
  if (known === STOPPED) break;
  const leftMs = ringsAt[0]! - sharedNow();
  if (leftMs > 0 && Atomics.wait(cells, SET, known, leftMs) !== "timed-out") {
    // Another alarm was set meanwhile: the next turn takes it.
    known = -2;
    continue;
  }
  Atomics.store(cells, RUNG, known);
  Atomics.notify(cells, RUNG);
}
