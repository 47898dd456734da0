import type { Clock } from "./clock.ts";
import type { LoadLoop } from "./load-loop.ts";
import type { MeasuredCalls } from "./measured-calls.ts";

/**
 * Calls are due at even distances, whatever the server does. Where all slots are in use, or this process itself is late, a call
 * begins after it was due, and its latency counts from then: a server that stands still is not called less often by it, nor are those
 * calls left out that would have met it (coordinated omission). Nothing is kept for a call that waits but its number.
 */
export class OpenLoop implements LoadLoop {
  /** Measured calls that began late because all slots were in use. */
  held = 0;
  private readonly calls: MeasuredCalls;
  private readonly clock: Clock;
  private readonly distanceMs: number;
  /** Free slots in the order in which they became free, so that all connections have their turn. */
  private readonly slots: Int32Array;
  private first = 0;
  private freeCount = 0;
  private startMs = 0;
  private next = 0;
  private isHeld = false;
  private hasEnded = false;
  private callOff: (() => void) | undefined;

  constructor(calls: MeasuredCalls, clock: Clock, callsPerSecond: number) {
    this.calls = calls;
    this.clock = clock;
    this.distanceMs = 1000 / callsPerSecond;
    this.slots = new Int32Array(calls.slotCount);
  }

  begin(): void {
    // The first call that is measured is due as the measured time begins.
    const { fromMs } = this.calls.window;
    const before = Math.max(0, Math.floor((fromMs - this.clock.now()) / this.distanceMs));
    this.startMs = fromMs - before * this.distanceMs;
    for (let slot = 0; slot < this.calls.slotCount; slot++) this.push(slot);
    this.pump();
  }

  free(slot: number): void {
    this.push(slot);
    this.pump();
  }

  /** What was due before the end still begins, as far as there are slots. */
  end(): void {
    this.pump();
    this.hasEnded = true;
    this.callOff?.();
  }

  /** Measured calls that were due and never began. */
  get notBegun(): number {
    const { fromMs, toMs } = this.calls.window;
    return Math.max(0, this.dueBefore(toMs) - Math.max(this.next, this.dueBefore(fromMs)));
  }

  /** How many calls are due before a time, by the same reckoning as when they begin. */
  private dueBefore(ms: number): number {
    let count = Math.max(0, Math.floor((ms - this.startMs) / this.distanceMs));
    while (this.dueMs(count) < ms) count++;
    while (count > 0 && this.dueMs(count - 1) >= ms) count--;
    return count;
  }

  private dueMs(index: number): number {
    return this.startMs + index * this.distanceMs;
  }

  private push(slot: number): void {
    this.slots[(this.first + this.freeCount) % this.slots.length] = slot;
    this.freeCount++;
  }

  /** Begins what is due, and comes again when the next one is. */
  private pump(): void {
    if (this.hasEnded) return;
    const nowMs = this.clock.now();
    for (;;) {
      const dueMs = this.dueMs(this.next);
      if (dueMs >= this.calls.window.toMs) return;
      if (dueMs > nowMs) {
        this.isHeld = false;
        this.callOff ??= this.clock.after(dueMs - nowMs, this.ring);
        return;
      }
      if (this.freeCount === 0) {
        this.isHeld = true;
        return;
      }
      const slot = this.slots[this.first]!;
      this.first = (this.first + 1) % this.slots.length;
      this.freeCount--;
      this.next++;
      if (this.isHeld && this.calls.measures(dueMs)) this.held++;
      this.calls.begin(slot, dueMs, nowMs);
    }
  }

  private readonly ring = (): void => {
    this.callOff = undefined;
    this.pump();
  };
}
