import type { Http2Limits } from "../limits.ts";
import type { StreamHandler } from "../stream.ts";
import type { UnreadAnswers } from "../streams/unread-answers.ts";
import type { Http2Counters } from "./counters.ts";

/** Counts the rounds of the engine's timer: a clock that costs a stream nothing to read. */
export interface SweepClock {
  sweeps: number;
}

/** Shared by the connections of an engine. */
export interface ConnectionContext {
  readonly handler: StreamHandler;
  readonly onHeaderListTooLarge: StreamHandler | undefined;
  readonly limits: Http2Limits;
  readonly counters: Http2Counters;
  readonly clock: SweepClock;
  /** A stream that was open for as many sweeps is not reset rapidly. */
  readonly rapidSweeps: number;
  readonly unreadAnswers: UnreadAnswers;
  readonly onHandlerError: (error: unknown) => void;
  readonly onUnreadAnswers: (byteCount: number) => void;
}
