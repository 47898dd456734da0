import { type Failure, timedOut } from "../failure.ts";
import { Tally } from "../report/tally.ts";
import type { Clock } from "./clock.ts";

/** Calls that began later than so long after they were due are told of. */
export const LATE_MS = 10;

/** Where calls are made: a call has a slot, which counts from 0, for as long as it is in flight. */
export interface CallTarget {
  readonly slotCount: number;
  /** Makes a call in a free slot. What became of it is told later, never before this returns. */
  call(slot: number): void;
  /** Gives a call up: nothing is told of it any more. */
  abandon(slot: number): void;
}

/** Times in milliseconds of a clock; a call is measured where it was due in between. */
export interface Window {
  readonly fromMs: number;
  toMs: number;
}

/**
 * The calls in flight: when each was due and whether it takes too long. Whoever drives it begins calls in free slots; each slot that is
 * free again is told to `onFree`.
 */
export class MeasuredCalls {
  readonly tally = new Tally();
  readonly window: Window;
  /** Of the measured ones, those that began more than LATE_MS after they were due. */
  late = 0;
  inFlight = 0;
  onFree: (slot: number) => void = nothing;
  /** When nothing is in flight any more. */
  onIdle: () => void = nothing;
  private readonly target: CallTarget;
  private readonly clock: Clock;
  private readonly timeoutMs: number;
  /** By slot; negative: free. */
  private readonly beganAt: Float64Array;
  private readonly dueAt: Float64Array;

  constructor(target: CallTarget, clock: Clock, window: Window, timeoutMs: number) {
    this.target = target;
    this.clock = clock;
    this.window = window;
    this.timeoutMs = timeoutMs;
    this.beganAt = new Float64Array(target.slotCount).fill(-1);
    this.dueAt = new Float64Array(target.slotCount);
  }

  get slotCount(): number {
    return this.target.slotCount;
  }

  /** Whether what is due at a time counts. */
  measures(dueMs: number): boolean {
    return dueMs >= this.window.fromMs && dueMs < this.window.toMs;
  }

  /** Begins a call that was due at a time, in a free slot. */
  begin(slot: number, dueMs: number, nowMs: number): void {
    this.beganAt[slot] = nowMs;
    this.dueAt[slot] = dueMs;
    this.inFlight++;
    if (this.measures(dueMs)) {
      this.tally.lateness.record(nowMs - dueMs);
      if (nowMs - dueMs > LATE_MS) this.late++;
    }
    this.target.call(slot);
  }

  /** What became of a call. */
  end(slot: number, failure: Failure | undefined): void {
    if (this.beganAt[slot]! < 0) return;
    this.beganAt[slot] = -1;
    this.inFlight--;
    const dueMs = this.dueAt[slot]!;
    if (this.measures(dueMs)) this.tally.record(this.clock.now() - dueMs, failure);
    this.onFree(slot);
    if (this.inFlight === 0) this.onIdle();
  }

  /** Gives up calls that take too long; they have failed. To be called now and then. */
  sweep(): void {
    const limit = this.clock.now() - this.timeoutMs;
    for (let slot = 0; slot < this.slotCount; slot++) {
      const began = this.beganAt[slot]!;
      if (began < 0 || began > limit) continue;
      this.target.abandon(slot);
      this.end(slot, timedOut(this.timeoutMs));
    }
  }

  /** How many measured calls are in flight. */
  unanswered(): number {
    let count = 0;
    for (let slot = 0; slot < this.slotCount; slot++) {
      if (this.beganAt[slot]! >= 0 && this.measures(this.dueAt[slot]!)) count++;
    }
    return count;
  }
}

function nothing(): void {}
