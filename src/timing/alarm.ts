/** One timer for many points in time: it rings at the earliest. Made by `createAlarm`, ended by `close`. */
export interface Alarm {
  /** Rings at `at`, on `performance.now()`'s clock, or earlier if it is set earlier; Infinity sets nothing. */
  set(at: number): void;
  close(): void;
}

/** The longest that `setTimeout` takes. */
const LONGEST_MS = 2 ** 31 - 1;

/** `ring` says when to ring next; Infinity for not again. A `quiet` one does not keep the process. */
export function createAlarm(ring: (now: number) => number, quiet = false): Alarm {
  let timer: NodeJS.Timeout | undefined;
  let setFor = Number.POSITIVE_INFINITY;

  function onTimer(): void {
    timer = undefined;
    setFor = Number.POSITIVE_INFINITY;
    set(ring(performance.now()));
  }

  function set(at: number): void {
    if (at >= setFor) return;
    clearTimeout(timer);
    setFor = at;
    // Timers have whole milliseconds and may fire a little early.
    timer = setTimeout(onTimer, Math.min(LONGEST_MS, Math.max(1, Math.ceil(at - performance.now()))));
    if (quiet) timer.unref();
  }

  return {
    set,
    close() {
      clearTimeout(timer);
      timer = undefined;
      setFor = Number.POSITIVE_INFINITY;
    },
  };
}
