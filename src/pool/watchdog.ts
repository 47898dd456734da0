/** Something that may run for too long, and is watched. */
export interface Watched {
  /** On `performance.now()`'s clock; undefined while nothing runs. */
  readonly runStartedAt: number | undefined;
}

/** One timer for all runs of a pool; made by `createWatchdog`, ended by `close`. */
export interface Watchdog {
  /** A run began: makes sure that the timer is on. */
  watch(): void;
  close(): void;
}

/** Runs that are over time, and how long until the next may be; undefined while nothing runs. */
export function overdueRuns<T extends Watched>(
  watched: readonly T[],
  timeoutMs: number,
  now: number,
): { readonly overdue: T[]; readonly nextInMs: number | undefined } {
  const overdue: T[] = [];
  let nextInMs: number | undefined;
  for (const one of watched) {
    if (one.runStartedAt === undefined) continue;
    const leftMs = one.runStartedAt + timeoutMs - now;
    if (leftMs <= 0) overdue.push(one);
    else nextInMs = Math.min(nextInMs ?? leftMs, leftMs);
  }
  return { overdue, nextInMs };
}

/** Calls `onOverdue` with each of `watched` whose run takes longer than `timeoutMs`, once. */
export function createWatchdog<T extends Watched>(
  watched: readonly T[],
  timeoutMs: number,
  onOverdue: (one: T) => void,
): Watchdog {
  let timer: NodeJS.Timeout | undefined;

  function check(): void {
    timer = undefined;
    const { overdue, nextInMs } = overdueRuns(watched, timeoutMs, performance.now());
    if (nextInMs !== undefined) timer = setTimeout(check, timerMs(nextInMs));
    for (const one of overdue) onOverdue(one);
  }

  return {
    watch() {
      timer ??= setTimeout(check, timerMs(timeoutMs));
    },
    close() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

/** What a timer of Node can wait, which rings at once beyond that: the rest is waited for anew. */
function timerMs(waitMs: number): number {
  return Math.min(2 ** 31 - 1, Math.ceil(waitMs));
}
