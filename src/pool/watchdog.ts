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

/** Runs that are over time, and how long until the next may be; undefined while nothing runs. `forgivenMs` of a run does not count. */
export function overdueRuns<T extends Watched>(
  watched: readonly T[],
  timeoutMs: number,
  now: number,
  forgivenMs: (one: T) => number = nothing,
): { readonly overdue: T[]; readonly nextInMs: number | undefined } {
  const overdue: T[] = [];
  let nextInMs: number | undefined;
  for (const one of watched) {
    if (one.runStartedAt === undefined) continue;
    const leftMs = one.runStartedAt + timeoutMs + forgivenMs(one) - now;
    if (leftMs <= 0) overdue.push(one);
    else nextInMs = Math.min(nextInMs ?? leftMs, leftMs);
  }
  return { overdue, nextInMs };
}

/** How often runs are looked after, at least: that this process is stopped in between is told by how late the look is. */
const LOOK_MS = 1_000;
/** A look that is so late says that the process was stopped (SIGSTOP, a paused container or machine). */
const LATE_MS = 1_000;

/** What of a run's time does not count. */
interface Forgiven {
  readonly startedAt: number;
  ms: number;
}

/**
 * Calls `onOverdue` with each of `watched` whose run takes longer than `timeoutMs`, once. Time in which the process was stopped
 * does not count: its sessions stood still as well, and what they answered meanwhile has not been read yet.
 */
export function createWatchdog<T extends Watched>(
  watched: readonly T[],
  timeoutMs: number,
  onOverdue: (one: T) => void,
): Watchdog {
  let timer: NodeJS.Timeout | undefined;
  let lookedAt = 0;
  let dueAt = 0;
  const forgiven = new Map<T, Forgiven>();

  function set(waitMs: number, now: number): void {
    const lookMs = Math.min(LOOK_MS, Math.ceil(waitMs));
    lookedAt = now;
    dueAt = now + lookMs;
    timer = setTimeout(check, lookMs);
  }

  /** Nothing since the last look counts. */
  function forgive(now: number): void {
    for (const one of watched) {
      const { runStartedAt } = one;
      if (runStartedAt === undefined) continue;
      const ms = now - Math.max(lookedAt, runStartedAt);
      const before = forgiven.get(one);
      if (before?.startedAt === runStartedAt) before.ms += ms;
      else forgiven.set(one, { startedAt: runStartedAt, ms });
    }
  }

  function forgivenMs(one: T): number {
    const of = forgiven.get(one);
    return of?.startedAt === one.runStartedAt ? of!.ms : 0;
  }

  function check(): void {
    timer = undefined;
    const now = performance.now();
    if (now - dueAt > LATE_MS) forgive(now);
    const { overdue, nextInMs } = overdueRuns(watched, timeoutMs, now, forgivenMs);
    if (nextInMs !== undefined) set(nextInMs, now);
    else forgiven.clear();
    for (const one of overdue) onOverdue(one);
  }

  return {
    watch() {
      if (timer === undefined) set(timeoutMs, performance.now());
    },
    close() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

function nothing(): number {
  return 0;
}
