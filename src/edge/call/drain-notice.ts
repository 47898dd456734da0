/** The end of the server as it comes nearer, for those who tell their callers of it. Whoever waits hears of a change at once. */
export class DrainNotice {
  /** Goes up with each change. */
  version = 0;
  isAnnounced = false;
  isDraining = false;
  private readonly waiting = new Set<() => void>();

  /** Not ready from now on, while everything is served. */
  announce(): void {
    if (this.isAnnounced) return;
    this.isAnnounced = true;
    this.changed();
  }

  /** Lasting calls end now. */
  drain(): void {
    this.isAnnounced = true;
    if (this.isDraining) return;
    this.isDraining = true;
    this.changed();
  }

  /** Waits until there is a change after `version`, for `delayMs` at most, or until `signal`. */
  changeAfter(version: number, delayMs: number, signal: AbortSignal): Promise<void> {
    if (version !== this.version || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        this.waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, delayMs).unref();
      signal.addEventListener("abort", done);
      this.waiting.add(done);
    });
  }

  private changed(): void {
    this.version++;
    for (const wake of [...this.waiting]) wake();
  }
}
