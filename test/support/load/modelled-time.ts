import type { Failure } from "../../../src/load/failure.ts";
import type { Clock } from "../../../src/load/loop/clock.ts";
import { driveLoop, type LoadLoop } from "../../../src/load/loop/load-loop.ts";
import { type CallTarget, MeasuredCalls } from "../../../src/load/loop/measured-calls.ts";

/** Time that passes only when it is told to. */
export class ModelledClock implements Clock {
  private nowMs = 1000;
  private waiting: { atMs: number; callback: () => void }[] = [];

  now(): number {
    return this.nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const one = { atMs: this.nowMs + Math.max(0, delayMs), callback };
    this.waiting.push(one);
    return () => {
      this.waiting = this.waiting.filter((other) => other !== one);
    };
  }

  /** Lets time pass, and calls back when it is time. */
  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const next = this.waiting.reduce<(typeof this.waiting)[number] | undefined>(
        (first, one) => (one.atMs <= endMs && (first === undefined || one.atMs < first.atMs) ? one : first),
        undefined,
      );
      if (next === undefined) break;
      this.waiting = this.waiting.filter((one) => one !== next);
      // Time that has stood still for callbacks has not gone back.
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.callback();
    }
    this.nowMs = Math.max(this.nowMs, endMs);
  }

  /** Time passes while this process does nothing; what was due comes with the next time that passes. */
  standStill(ms: number): void {
    this.nowMs += ms;
  }
}

/** A server of modelled time: it answers after `takesMs(when)`, never where that is Infinity. */
class ModelledServer implements CallTarget {
  readonly slotCount: number;
  readonly begunAtMs: number[] = [];
  onAnswer: (slot: number, failure: Failure | undefined) => void = () => {};
  private readonly clock: ModelledClock;
  private readonly takesMs: (whenMs: number) => number;
  private readonly callOffs = new Map<number, () => void>();

  constructor(clock: ModelledClock, slotCount: number, takesMs: (whenMs: number) => number) {
    this.clock = clock;
    this.slotCount = slotCount;
    this.takesMs = takesMs;
  }

  call(slot: number): void {
    const nowMs = this.clock.now();
    this.begunAtMs.push(nowMs);
    const takesMs = this.takesMs(nowMs);
    if (takesMs === Number.POSITIVE_INFINITY) return;
    this.callOffs.set(
      slot,
      this.clock.after(takesMs, () => this.onAnswer(slot, undefined)),
    );
  }

  abandon(slot: number): void {
    this.callOffs.get(slot)?.();
  }
}

/** When the calls of a loop are measured, and their time-out. */
interface ModelledTimes {
  readonly warmupMs?: number;
  readonly durationMs: number;
  readonly timeoutMs?: number;
}

/** Starts loops over a server of `slots` slots that answers `takesMs` after a call, by when it came in the run. */
export function loopStarter<Loop extends LoadLoop>(
  makeLoop: (calls: MeasuredCalls, clock: ModelledClock) => Loop,
) {
  return (slots: number, times: ModelledTimes, takesMs: (whenMs: number) => number) => {
    const clock = new ModelledClock();
    const startMs = clock.now();
    const server = new ModelledServer(clock, slots, (whenMs) => takesMs(whenMs - startMs));
    const fromMs = startMs + (times.warmupMs ?? 0);
    const window = { fromMs, toMs: fromMs + times.durationMs };
    const calls = new MeasuredCalls(server, clock, window, times.timeoutMs ?? 10_000);
    server.onAnswer = (slot, failure) => calls.end(slot, failure);
    const loop = makeLoop(calls, clock);
    const controller = new AbortController();
    const ended = driveLoop(loop, calls, clock, controller.signal);
    return { clock, server, calls, loop, ended, startMs, interrupt: () => controller.abort() };
  };
}
