import { Worker } from "node:worker_threads";
import { entryUrl } from "../../package-files.ts";
import type { Clock } from "./clock.ts";

const THREAD_URL = entryUrl("load/loop/alarm-thread");

/** Alarms do not ring more often: each costs both threads some microseconds. */
const SHORTEST_MS = 0.2;

/** Places of what the two threads share: the number of the last alarm that was set, and of the last that rang. */
export const SET = 0;
/** As SET. */
export const RUNG = 1;
/** Set in place of a number: the thread ends. */
export const STOPPED = -1;

/** What the thread is given. */
export interface AlarmThreadData {
  readonly cells: Int32Array;
  /** When the last alarm is to ring, on the clock that both threads see. */
  readonly ringsAt: Float64Array;
}

/** Milliseconds of a clock that is the same in all threads. */
export function sharedNow(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

/**
 * A clock whose callbacks come within a tenth of a millisecond, where timers of the event loop are up to one late: a thread sleeps as
 * long. It has one callback at a time; another one takes its place. Whoever makes it stops it.
 */
export class FineClock implements Clock {
  private readonly cells = new Int32Array(new SharedArrayBuffer(8));
  private readonly ringsAt = new Float64Array(new SharedArrayBuffer(8));
  private waiting: (() => void) | undefined;

  constructor() {
    const workerData: AlarmThreadData = { cells: this.cells, ringsAt: this.ringsAt };
    new Worker(THREAD_URL, { workerData }).unref();
    this.listen();
  }

  now(): number {
    return performance.now();
  }

  after(delayMs: number, callback: () => void): () => void {
    this.waiting = callback;
    this.ringsAt[0] = sharedNow() + Math.max(SHORTEST_MS, delayMs);
    Atomics.add(this.cells, SET, 1);
    Atomics.notify(this.cells, SET);
    return () => {
      if (this.waiting === callback) this.waiting = undefined;
    };
  }

  /** Ends the thread. */
  stop(): void {
    this.waiting = undefined;
    Atomics.store(this.cells, SET, STOPPED);
    Atomics.notify(this.cells, SET);
  }

  private listen(): void {
    const rung = Atomics.load(this.cells, RUNG);
    const wait = Atomics.waitAsync(this.cells, RUNG, rung);
    if (wait.async) void wait.value.then(() => this.rang());
    else this.rang();
  }

  private rang(): void {
    // Before the callback, which may set the next alarm.
    this.listen();
    // What was set since is still to ring.
    if (Atomics.load(this.cells, RUNG) !== Atomics.load(this.cells, SET)) return;
    const callback = this.waiting;
    this.waiting = undefined;
    callback?.();
  }
}
