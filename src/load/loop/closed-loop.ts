import type { Clock } from "./clock.ts";
import type { LoadLoop } from "./load-loop.ts";
import type { MeasuredCalls } from "./measured-calls.ts";

/** Each answer is followed by the next call: as many are in flight as there are slots, and a slow server is called less often. */
export class ClosedLoop implements LoadLoop {
  /** What is due begins. */
  readonly held = 0;
  readonly notBegun = 0;
  private readonly calls: MeasuredCalls;
  private readonly clock: Clock;
  private hasEnded = false;

  constructor(calls: MeasuredCalls, clock: Clock) {
    this.calls = calls;
    this.clock = clock;
  }

  begin(): void {
    const nowMs = this.clock.now();
    for (let slot = 0; slot < this.calls.slotCount; slot++) this.calls.begin(slot, nowMs, nowMs);
  }

  free(slot: number): void {
    if (this.hasEnded) return;
    const nowMs = this.clock.now();
    this.calls.begin(slot, nowMs, nowMs);
  }

  end(): void {
    this.hasEnded = true;
  }
}
