/**
 * Acts of a peer that cost this end more than the peer, each with a budget: `burst` at once, `perSecond` more with
 * time, `perResponse` more for each response that was completed and `perFrame` for each DATA frame with a body that went either
 * way, so that busy honest connections are never cut. Only completed responses earn resets, refusals and whatever else undoes
 * work: a frame that the peer can add for an octet must not. Spent: GOAWAY ENHANCE_YOUR_CALM with `reason`.
 */
export interface Defence {
  readonly burst: number;
  readonly perSecond: number;
  readonly perResponse: number;
  readonly perFrame: number;
  readonly reason: string;
}

/** Every defence; the constants below are places in this list. */
export const DEFENCES = [
  {
    burst: 1_000,
    perSecond: 100,
    perResponse: 1,
    perFrame: 0,
    reason: "too many streams reset (CVE-2023-44487, CVE-2019-9514)",
  },
  {
    burst: 200,
    perSecond: 20,
    perResponse: 0.1,
    perFrame: 0,
    reason: "too many frames that force a stream reset (CVE-2025-8671)",
  },
  {
    burst: 2_000,
    perSecond: 200,
    perResponse: 1,
    perFrame: 0,
    reason: "too many streams above SETTINGS_MAX_CONCURRENT_STREAMS",
  },
  {
    burst: 1_000,
    perSecond: 50,
    perResponse: 1,
    perFrame: 1,
    reason: "too many PING frames (CVE-2019-9512)",
  },
  {
    burst: 100,
    perSecond: 5,
    perResponse: 0.01,
    perFrame: 0,
    reason: "too many SETTINGS frames (CVE-2019-9515)",
  },
  {
    burst: 500,
    perSecond: 20,
    perResponse: 0.2,
    perFrame: 0.2,
    reason: "too many empty DATA frames (CVE-2019-9518)",
  },
  { burst: 10_000, perSecond: 1_000, perResponse: 4, perFrame: 4, reason: "too many WINDOW_UPDATE frames" },
  {
    burst: 1_000,
    perSecond: 100,
    perResponse: 2,
    perFrame: 0,
    reason: "too many PRIORITY frames (CVE-2019-9513)",
  },
  {
    burst: 1_000,
    perSecond: 50,
    perResponse: 0.1,
    perFrame: 0.1,
    reason: "too many frames of unknown type",
  },
  {
    burst: 1_000,
    perSecond: 50,
    perResponse: 0.1,
    perFrame: 0,
    reason: "windows too small for the responses (CVE-2019-9511)",
  },
  {
    burst: 10_000,
    perSecond: 1_000,
    perResponse: 1,
    perFrame: 0,
    reason: "too many frames on closed streams",
  },
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

/** The worth of a spent budget after `elapsedMs`, completed responses and DATA frames, at most its burst. */
export function refilled(defence: Defence, elapsedMs: number, responses: number, frames: number): number {
  const { burst, perSecond, perResponse, perFrame } = defence;
  const earned = (elapsedMs / 1000) * perSecond + responses * perResponse + frames * perFrame;
  return Math.min(burst, Math.floor(earned));
}

/** The budgets of one connection. */
export class Budgets {
  /** Responses completed so far; the connection counts them. */
  responses = 0;
  /** DATA frames with a body that were received for an open stream so far. */
  framesReceived = 0;
  // For each defence: what is left, and time and work when it was last filled.
  private readonly left = Int32Array.from(DEFENCES, (defence) => defence.burst);
  private readonly filledMs: Float64Array;
  private readonly filledResponses = new Float64Array(DEFENCES.length);
  private readonly filledFrames = new Float64Array(DEFENCES.length);

  constructor(nowMs: number) {
    this.filledMs = new Float64Array(DEFENCES.length).fill(nowMs);
  }

  /**
   * Takes one from a budget; false when it is spent. `framesSent` is what went the other way so far. The clock is read only when
   * what was left is used up.
   */
  spend(kind: number, framesSent = 0): boolean {
    if (this.left[kind]! > 0) {
      this.left[kind]!--;
      return true;
    }
    const nowMs = performance.now();
    const frames = this.framesReceived + framesSent;
    const left = refilled(
      DEFENCES[kind]!,
      nowMs - this.filledMs[kind]!,
      this.responses - this.filledResponses[kind]!,
      frames - this.filledFrames[kind]!,
    );
    if (left < 1) return false;
    this.left[kind] = left - 1;
    this.filledMs[kind] = nowMs;
    this.filledResponses[kind] = this.responses;
    this.filledFrames[kind] = frames;
    return true;
  }
}
