/** Time as the loops see it; a test brings its own. */
export interface Clock {
  /** Milliseconds since some time. */
  now(): number;
  /** Calls once, not before `delayMs` have passed; the function that is returned calls it off. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The machine's clock. */
export const MACHINE_CLOCK: Clock = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
