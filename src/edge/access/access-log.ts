/**
 * The log of calls: which of them get a line, and how many. Comes in: each call as it ends, and each stream that was refused before.
 * Promises: a call without a line costs some comparisons; of calls that failed a hundred a second have theirs, and how many more there
 * were is told; what is the server's fault is logged whatever the mode.
 */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { type AssayError, reasonName } from "../../errors.ts";
import type { ServerStream } from "../../http2/stream.ts";
import { limitHit } from "../../limits.ts";
import type { Log } from "../../telemetry/log.ts";
import { counted } from "../../wording/counted.ts";
import { wireProtocol } from "../call/content-type.ts";
import { Seldom } from "../listen/connection-start.ts";
import { accessFields, isServersFault, type LoggedCall, peerField, traceFields } from "./access-line.ts";

/** Which calls get a line. */
export interface AccessSettings {
  /** `errors`: those that failed, those with failed items, and those that took `slowCallMs`. */
  readonly mode: "all" | "errors" | "off";
  /** 0: no call is slow. */
  readonly slowCallMs: number;
}

/** The defaults of `assay.config.v1.ServerConfig`. */
export const DEFAULT_ACCESS: AccessSettings = { mode: "errors", slowCallMs: 1000 };

/** Lines of failed calls a second; with `all` there is no bound. */
const MOST_A_SECOND = 100;

type Level = "info" | "warn" | "error";

/** The log of one edge's calls. */
export class AccessLog {
  readonly log: Log;
  private readonly mode: AccessSettings["mode"];
  private readonly slowMs: number;
  private second = 0;
  private written = 0;
  private readonly more: Seldom;

  constructor(log: Log, { mode, slowCallMs }: AccessSettings = DEFAULT_ACCESS) {
    this.log = log;
    this.mode = mode;
    this.slowMs = slowCallMs === 0 ? Number.POSITIVE_INFINITY : slowCallMs;
    this.more = new Seldom((calls) =>
      log.warn(
        { calls },
        `${counted(calls, "call")} more had no line of their own: ${MOST_A_SECOND} a second have (--access-log all writes every one)`,
      ),
    );
  }

  /** A call has ended. `lasts`: it is as long as its caller likes, and never slow. */
  ended(logged: LoggedCall, durationMs: number, error: AssayError | undefined, lasts: boolean): void {
    const isSlow = !lasts && durationMs >= this.slowMs;
    const hasFailed = error !== undefined || logged.code !== undefined;
    if (!hasFailed && !isSlow && logged.call.failedItems === 0 && this.mode !== "all") return;
    this.write(logged, durationMs, error, hasFailed, isSlow);
  }

  /** A stream was refused before a call was made of it; `pattern`: of the row that its path has, if any. */
  refused(stream: ServerStream, error: AssayError, status: number, pattern?: string): void {
    if (this.mode === "off" || !this.log.isLevelEnabled("warn") || !this.hasRoom()) return;
    const fields = {
      ...traceFields(stream),
      ...(pattern === undefined ? {} : { procedure: pattern }),
      protocol: wireProtocol(stream.headers.get("content-type")),
      ...peerField(stream),
      status,
      reason: reasonName(error.reason),
    };
    this.log.warn(fields, "request refused");
  }

  private write(
    logged: LoggedCall,
    durationMs: number,
    error: AssayError | undefined,
    hasFailed: boolean,
    isSlow: boolean,
  ): void {
    const isOurs = error !== undefined && isServersFault(error);
    if (this.mode === "off" && !isOurs) return;
    // A caller that goes away, and whoever watches health ends so, has met no error.
    const isCancelled = error?.reason === Reason.CANCELLED;
    if (isCancelled && this.mode === "errors" && !isSlow) return;
    const isAmiss = (hasFailed && !isCancelled) || isSlow || logged.call.failedItems > 0;
    const level: Level = isOurs ? "error" : isAmiss ? "warn" : "info";
    if (!this.log.isLevelEnabled(level) || !this.hasRoom()) return;
    const message = isCancelled ? "call cancelled" : hasFailed ? "call failed" : answered(logged, isSlow);
    this.log[level](accessFields(logged, durationMs, error), message);
  }

  private hasRoom(): boolean {
    if (this.mode === "all") return true;
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.second) {
      this.second = second;
      this.written = 0;
    }
    if (this.written++ < MOST_A_SECOND) return true;
    limitHit("access-lines");
    this.more.happened();
    return false;
  }
}

function answered({ call }: LoggedCall, isSlow: boolean): string {
  if (call.failedItems > 0) return "items failed";
  return isSlow ? "call answered slowly" : "call answered";
}
