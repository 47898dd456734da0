import type { Clock } from "./clock.ts";
import type { MeasuredCalls } from "./measured-calls.ts";

/** When calls begin. */
export interface LoadLoop {
  begin(): void;
  /** A slot is free. */
  free(slot: number): void;
  /** No call begins any more. */
  end(): void;
  /** Measured calls that began late because all slots were in use. */
  readonly held: number;
  /** Measured calls that were due and never began. */
  readonly notBegun: number;
}

/** What a loop leaves beside the tally of its calls. */
export interface LoopResult {
  /** The time that was measured. */
  readonly measuredMs: number;
  /** Measured calls that were in flight when the run was broken off. */
  readonly unanswered: number;
  readonly wasInterrupted: boolean;
}

const SWEEP_MS = 50;
/** Calls in flight have so long to be answered after an interruption. */
const LAST_ANSWERS_MS = 1000;

/**
 * Drives a loop from now to the end of its calls' window, or until it is interrupted, and waits for the calls that are in flight then:
 * each has its time-out, and after an interruption a second.
 */
export function driveLoop(
  loop: LoadLoop,
  calls: MeasuredCalls,
  clock: Clock,
  signal: AbortSignal,
): Promise<LoopResult> {
  const { window } = calls;
  return new Promise((resolve) => {
    const callOffs: (() => void)[] = [];
    let callOffSweep = clock.after(SWEEP_MS, sweep);
    function sweep(): void {
      callOffSweep = clock.after(SWEEP_MS, sweep);
      calls.sweep();
    }
    function finish(): void {
      callOffSweep();
      for (const callOff of callOffs) callOff();
      signal.removeEventListener("abort", interrupt);
      const measuredMs = Math.max(0, window.toMs - window.fromMs);
      resolve({ measuredMs, unanswered: calls.unanswered(), wasInterrupted: signal.aborted });
    }
    function endInTime(): void {
      // A timer may ring a little before its time.
      const leftMs = window.toMs - clock.now();
      if (leftMs > 0) callOffs.push(clock.after(leftMs, endInTime));
      else end();
    }
    function end(): void {
      loop.end();
      calls.onIdle = finish;
      if (calls.inFlight === 0) finish();
    }
    function interrupt(): void {
      window.toMs = Math.min(window.toMs, clock.now());
      callOffs.push(clock.after(LAST_ANSWERS_MS, finish));
      end();
    }
    const onFree = (slot: number) => loop.free(slot);
    calls.onFree = onFree;
    signal.addEventListener("abort", interrupt, { once: true });
    callOffs.push(clock.after(window.toMs - clock.now(), endInTime));
    loop.begin();
    if (signal.aborted) interrupt();
  });
}
