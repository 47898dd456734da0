/** Decides what becomes of an instance. Pure: its workers and timers are `instance.ts`'s. */

/** The state of an instance, as ListModels tells it. */
export type InstanceState = "starting" | "idle" | "busy" | "restarting" | "failed";

/**
 * An event in its life: a worker is started; it is up; it is given a batch, and answers it; it ends, and is replaced; it ends as
 * others did before it so that the next is waited with for long, or the instance is closed, or too many of its threads hang.
 */
export type InstanceEvent = "start" | "ready" | "run" | "run-ended" | "end" | "give-up";

const NEXT: Readonly<Record<InstanceState, Partial<Record<InstanceEvent, InstanceState>>>> = {
  // Its first worker loads the model.
  starting: { ready: "idle", end: "restarting", "give-up": "failed" },
  // It can take a batch.
  idle: { run: "busy", end: "restarting", "give-up": "failed" },
  // It runs one.
  busy: { "run-ended": "idle", end: "restarting", "give-up": "failed" },
  // Its next worker loads the model, or is waited with.
  restarting: { ready: "idle", end: "restarting", "give-up": "failed" },
  // Its starts fail, or its next one is far off. Callers are refused where all are like this; it is started again all the same.
  failed: { start: "restarting" },
};

/** The state after an event; what a state knows nothing of leaves it as it is. */
export function nextState(state: InstanceState, event: InstanceEvent): InstanceState {
  return NEXT[state][event] ?? state;
}

/** A life this long was a healthy one: what ends it says nothing about the next. */
export const HEALTHY_LIFE_MS = 60_000;
const FIRST_DELAY_MS = 100;
/** The longest wait between two starts. */
export const LONGEST_DELAY_MS = 30_000;

/** A wait for the next start that callers are not kept for: they are told at once to try again, or elsewhere. */
const LONG_DELAY_MS = 1_000;
/** Starts that fail one after another before the instance counts as failed; it is still tried again. */
const FAILED_STARTS = 3;

/** The end of a worker's life. */
export interface EndedLife {
  /** Lives before it that ended early, one after another. */
  readonly earlyEnds: number;
  /** From the moment it was up; 0 if it never was. */
  readonly livedMs: number;
  /** Starts that failed, one after another, up to this one. */
  readonly failedStarts: number;
}

/** When to start the next life. */
export interface Restart {
  readonly delayMs: number;
  readonly earlyEnds: number;
  /** What befalls the instance: callers wait for the next life, or are refused until it begins. */
  readonly event: "end" | "give-up";
}

/**
 * The first restart is at once; one that keeps dying waits 100 ms, then twice as long each time, 30 s at most, and never
 * gives up.
 */
export function nextRestart(life: EndedLife): Restart {
  const earlyEnds = life.livedMs >= HEALTHY_LIFE_MS ? 0 : life.earlyEnds;
  const delayMs = earlyEnds === 0 ? 0 : Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (earlyEnds - 1));
  const isFarOff = life.failedStarts >= FAILED_STARTS || delayMs >= LONG_DELAY_MS;
  return { delayMs, earlyEnds: earlyEnds + 1, event: isFarOff ? "give-up" : "end" };
}

/** How long it is until the first of instances that are all down is started again, in ms; undefined where that is under way, or soon. */
export function longWaitMs(restartTimes: readonly number[], now: number): number | undefined {
  const waitMs = Math.min(...restartTimes) - now;
  return waitMs < LONG_DELAY_MS ? undefined : waitMs;
}
