/**
 * What a peer may do that costs this end more than the peer, each with a budget: `burst` at once, `perSecond` more with
 * time, and `perWork` more for each piece of useful work on the connection (a response completed, a DATA frame with a
 * body), so that busy honest connections are never cut. Spent: GOAWAY ENHANCE_YOUR_CALM with `reason`.
 */
export interface Defence {
  readonly burst: number;
  readonly perSecond: number;
  readonly perWork: number;
  readonly reason: string;
}

/** Every defence; the constants below are places in this list. */
export const DEFENCES = [
  {
    burst: 1_000,
    perSecond: 100,
    perWork: 1,
    reason: "too many streams reset (CVE-2023-44487, CVE-2019-9514)",
  },
  {
    burst: 200,
    perSecond: 20,
    perWork: 0.1,
    reason: "too many frames that force a stream reset (CVE-2025-8671)",
  },
  {
    burst: 2_000,
    perSecond: 200,
    perWork: 1,
    reason: "too many streams above SETTINGS_MAX_CONCURRENT_STREAMS",
  },
  { burst: 1_000, perSecond: 50, perWork: 1, reason: "too many PING frames (CVE-2019-9512)" },
  { burst: 100, perSecond: 5, perWork: 0.01, reason: "too many SETTINGS frames (CVE-2019-9515)" },
  { burst: 500, perSecond: 20, perWork: 0.2, reason: "too many empty DATA frames (CVE-2019-9518)" },
  { burst: 10_000, perSecond: 1_000, perWork: 4, reason: "too many WINDOW_UPDATE frames" },
  { burst: 1_000, perSecond: 100, perWork: 2, reason: "too many PRIORITY frames (CVE-2019-9513)" },
  { burst: 1_000, perSecond: 50, perWork: 0.1, reason: "too many frames of unknown type" },
  {
    burst: 1_000,
    perSecond: 50,
    perWork: 0.1,
    reason: "windows too small for the responses (CVE-2019-9511)",
  },
  { burst: 10_000, perSecond: 1_000, perWork: 1, reason: "too many frames on closed streams" },
] as const satisfies readonly Defence[];

/** Places in DEFENCES. */
export const RESETS = 0;
export const FORCED_RESETS = 1;
export const REFUSED = 2;
export const PINGS = 3;
export const SETTINGS_FRAMES = 4;
export const EMPTY_DATA = 5;
export const WINDOW_UPDATES = 6;
export const PRIORITIES = 7;
export const UNKNOWN_FRAMES = 8;
export const SMALL_WINDOWS = 9;
export const CLOSED_STREAM_FRAMES = 10;

/** What a spent budget is worth again after `elapsedMs` and `work`, at most its burst. */
export function refilled(defence: Defence, elapsedMs: number, work: number): number {
  const earned = (elapsedMs / 1000) * defence.perSecond + work * defence.perWork;
  return Math.min(defence.burst, Math.floor(earned));
}

/** The budgets of one connection. */
export class Budgets {
  /** Pieces of useful work so far; the connection counts them. */
  work = 0;
  // For each defence: what is left, and time and work when it was last filled.
  private readonly left = Int32Array.from(DEFENCES, (defence) => defence.burst);
  private readonly filledMs: Float64Array;
  private readonly filledWork = new Float64Array(DEFENCES.length);

  constructor(nowMs: number) {
    this.filledMs = new Float64Array(DEFENCES.length).fill(nowMs);
  }

  /** Takes one from a budget; false when it is spent. The clock is read only when what was left is used up. */
  spend(kind: number): boolean {
    if (this.left[kind]! > 0) {
      this.left[kind]!--;
      return true;
    }
    const nowMs = performance.now();
    const left = refilled(DEFENCES[kind]!, nowMs - this.filledMs[kind]!, this.work - this.filledWork[kind]!);
    if (left < 1) return false;
    this.left[kind] = left - 1;
    this.filledMs[kind] = nowMs;
    this.filledWork[kind] = this.work;
    return true;
  }
}
