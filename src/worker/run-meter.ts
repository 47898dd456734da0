/** A run of a session that shares its thread may take this long; one whose runs are longer gets a thread of its own. */
export const SHARED_RUN_LIMIT_MS = 5;
/** So does one whose runs take more than this share of a second. */
export const SHARED_LOAD_LIMIT = 0.25;
const WINDOW_MS = 1_000;
/** Runs after one that was too long by the clock of which one has to be too long by its CPU time too. */
const WATCHED_RUNS = 256;

/**
 * Finds out whether the runs of a session are too long, or too many, for a thread that others share. The clock alone would blame a
 * session for what the system ran meanwhile, and CPU time costs a system call: it is asked for only after a run was long by the
 * clock.
 */
export class RunMeter {
  readonly #now: () => number;
  readonly #cpuMs: () => number;
  #beganAt = 0;
  #cpuAt = 0;
  #watched = 0;
  #windowAt = -Infinity;
  #busyMs = 0;

  constructor(now: () => number = clockMs, cpuMs: () => number = threadCpuMs) {
    this.#now = now;
    this.#cpuMs = cpuMs;
  }

  /** A run begins. */
  begin(): void {
    if (this.#watched > 0) this.#cpuAt = this.#cpuMs();
    this.#beganAt = this.#now();
  }

  /** The run has ended; true where the session needs a thread of its own. */
  end(): boolean {
    const now = this.#now();
    const runMs = now - this.#beganAt;
    return this.#isBusy(now, runMs) || this.#isLong(runMs);
  }

  #isBusy(now: number, runMs: number): boolean {
    this.#busyMs += runMs;
    const elapsedMs = now - this.#windowAt;
    if (elapsedMs < WINDOW_MS) return false;
    // Of the first window, and of one that was mostly idle, nothing can be said.
    const isBusy = elapsedMs < 2 * WINDOW_MS && this.#busyMs > SHARED_LOAD_LIMIT * elapsedMs;
    this.#windowAt = now;
    this.#busyMs = 0;
    return isBusy;
  }

  #isLong(runMs: number): boolean {
    const isLong = runMs > SHARED_RUN_LIMIT_MS;
    if (this.#watched === 0) {
      if (isLong) this.#watched = WATCHED_RUNS;
      return false;
    }
    this.#watched--;
    return isLong && this.#cpuMs() - this.#cpuAt > SHARED_RUN_LIMIT_MS;
  }
}

function clockMs(): number {
  return performance.now();
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
