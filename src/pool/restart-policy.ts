/** A life this long was a healthy one: what ends it says nothing about the next. */
export const HEALTHY_LIFE_MS = 60_000;
const FIRST_DELAY_MS = 100;
/** The longest wait between two starts. */
export const LONGEST_DELAY_MS = 30_000;

/** How a life of a worker ended. */
export interface EndedLife {
  /** Lives before it that ended early, one after another. */
  readonly earlyEnds: number;
  /** From the moment it was up; 0 if it never was. */
  readonly livedMs: number;
}

/** When to start the next life. */
export interface Restart {
  readonly delayMs: number;
  readonly earlyEnds: number;
}

/**
 * The first restart is at once; one that keeps dying waits 100 ms, then twice as long each time, 30 s at most, and never
 * gives up.
 */
export function nextRestart(life: EndedLife): Restart {
  const earlyEnds = life.livedMs >= HEALTHY_LIFE_MS ? 0 : life.earlyEnds;
  const delayMs = earlyEnds === 0 ? 0 : Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (earlyEnds - 1));
  return { delayMs, earlyEnds: earlyEnds + 1 };
}
