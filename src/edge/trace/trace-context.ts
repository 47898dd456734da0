/** The trace that a call belongs to by its header fields, and whether it is recorded, which is decided before anything is made of it. */
import type { Headers } from "../../http2/stream.ts";
import type { TraceRule } from "../../telemetry/traces/span-record.ts";
import { type IdSupply, traceIdsBelow } from "./trace-ids.ts";
import { readTraceParent } from "./trace-parent.ts";

/** Where a recorded call stands: in its caller's trace, or first in one of its own. */
export interface TraceOrigin {
  readonly traceId: string;
  /** The caller's span; empty where the trace begins here. */
  readonly parentId: string;
  readonly traceState: string;
}

const WORDS = 2 ** 32;
/** What most callers send whose traces are not recorded: it is told without taking the field apart. */
const PLAINLY_UNSAMPLED = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f][02468ace]$/;

/** Decides for the calls of one edge. */
export class TraceDecision {
  private readonly rule: TraceRule;
  /** Trace ids whose four words give less than this together are recorded. Source: OpenTelemetry's TraceIdRatioBased, as its SDK for JavaScript has it. */
  private readonly bound: number;
  private readonly ids: IdSupply;
  /** Calls until the next one of those that bring no trace is recorded. */
  private skipped: number;
  /** Fields that bring none: over HTTP/2 the next call's are mostly the same object. */
  private traceless: Headers | undefined = undefined;

  constructor(rule: TraceRule) {
    this.rule = rule;
    this.bound = rule.ratio >= 1 ? WORDS : Math.floor(Math.max(0, rule.ratio) * (WORDS - 1));
    this.ids = traceIdsBelow(this.bound);
    this.skipped = skipsOf(this.bound / WORDS);
  }

  /** The origin of a call that is recorded; undefined of all others. */
  of(headers: Headers): TraceOrigin | undefined {
    if (headers === this.traceless) return this.begun();
    const { isParentBased, readsContext } = this.rule;
    const field = readsContext ? headers.get("traceparent") : undefined;
    if (field === undefined) {
      this.traceless = headers;
      return this.begun();
    }
    if (isParentBased && PLAINLY_UNSAMPLED.test(field)) return undefined;
    // A field twice says nothing: callers and proxies disagree.
    const parent = headers.getAll("traceparent").length === 1 ? readTraceParent(field) : undefined;
    if (parent === undefined) return this.begun();
    const { traceId, parentId, isSampled } = parent;
    if (isParentBased ? !isSampled : wordsTogether(traceId) >= this.bound) return undefined;
    return { traceId, parentId, traceState: traceStateOf(headers) };
  }

  /** A trace of its own, by its share. */
  private begun(): TraceOrigin | undefined {
    if (this.skipped > 0) {
      this.skipped--;
      return undefined;
    }
    this.skipped = skipsOf(this.bound / WORDS);
    return { traceId: this.ids.next(), parentId: "", traceState: "" };
  }
}

/** How many are passed over before one of so large a share is drawn, as if each were drawn for itself: a draw a call costs more than most. */
function skipsOf(share: number): number {
  if (share <= 0) return Number.POSITIVE_INFINITY;
  return Math.floor(Math.log(1 - Math.random()) / Math.log(1 - share));
}

function wordsTogether(traceId: string): number {
  let together = 0;
  for (let at = 0; at < traceId.length; at += 8) together ^= Number.parseInt(traceId.slice(at, at + 8), 16);
  return together >>> 0;
}

const MOST_MEMBERS = 32;
const MAX_CHARACTERS = 512;
const KEY = "[a-z0-9][a-z0-9_*/@-]{0,255}";
const MEMBER = new RegExp(
  `^${KEY}=[\\x21-\\x2b\\x2d-\\x3c\\x3e-\\x7e\\x20]{0,255}[\\x21-\\x2b\\x2d-\\x3c\\x3e-\\x7e]$`,
);

/** A caller's `tracestate` as it came; empty where it is malformed or longer than has to be passed on. Source: W3C Trace Context, 3.3. */
function traceStateOf(headers: Headers): string {
  const fields = headers.getAll("tracestate");
  if (fields.length === 0) return "";
  const members = fields
    .join(",")
    .split(",")
    .map((member) => member.trim())
    .filter((member) => member !== "");
  const state = members.join(",");
  const isSound =
    members.length <= MOST_MEMBERS &&
    state.length <= MAX_CHARACTERS &&
    members.every((one) => MEMBER.test(one));
  return isSound ? state : "";
}
