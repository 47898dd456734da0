import { create } from "@bufbuild/protobuf";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { Model } from "../../../gen/assay/v1/model_service_pb.ts";
import { StreamOptions_Lane, StreamOptionsSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { AssayError } from "../../errors.ts";
import type { Answer } from "../../wire/answer-decoder.ts";
import { encodeItem, totalBytes } from "../../wire/item-encoder.ts";
import { counted } from "../../wording/counted.ts";
import type { PendingItem } from "./pending-items.ts";
import { openStreamConnection, type StreamConnection, type StreamTarget } from "./stream-connection.ts";

/** Bounds of what one stream may have sent and unanswered; one item may exceed the bytes alone. */
export interface StreamWindow {
  readonly requests: number;
  readonly bytes: number;
}

/** Callbacks of a stream that comes back. */
export interface ScoringStreamHandlers {
  /** Sees the model at each connection and throws to refuse it. */
  check(model: Model): void;
  onAnswer(item: PendingItem, answer: Answer): void;
  /** More may be sent, or the stream is up or idle again. */
  onChange(): void;
  /**
   * It is lost, or could not be opened: these items have no answer. Undefined error: it ended in good order. Returns how long it
   * is not to be opened again.
   */
  onLost(unanswered: PendingItem[], error: AssayError | undefined): number;
}

/** One of a scorer's streams: idle, opening or open; once it is lost it rests for a while and is idle again. */
export interface ScoringStream {
  readonly state: "idle" | "opening" | "open" | "resting";
  readonly sentBytes: number;
  readonly hasRoom: boolean;
  /** From idle to opening. Resolves once it is open or lost, and never rejects. */
  open(): Promise<void>;
  /** There has to be room. */
  send(item: PendingItem): void;
  /** Ends it: in good order where nothing is unanswered, else at once. Resolves once nothing of it is left. */
  close(): Promise<void>;
}

const OPTIONS = create(StreamOptionsSchema, { unordered: true, lane: StreamOptions_Lane.BULK });
const CLOSE_TIMEOUT_MS = 2_000;

/** Makes an idle stream. */
export function createScoringStream(
  target: StreamTarget,
  window: StreamWindow,
  answerTimeoutMs: number,
  handlers: ScoringStreamHandlers,
): ScoringStream {
  const sent = new Map<number, PendingItem>();
  const aborting = new AbortController();
  let state: ScoringStream["state"] = "idle";
  let connection: StreamConnection | undefined;
  let opening: Promise<void> | undefined;
  let closing: Promise<void> | undefined;
  let sentBytes = 0;
  let isFirst = true;
  let silence: NodeJS.Timeout | undefined;
  let rest: NodeJS.Timeout | undefined;
  let timedOut: AssayError | undefined;

  function lost(error: AssayError | undefined): void {
    if (state === "idle" || state === "resting") return;
    closing = connection?.closed;
    connection = undefined;
    clearTimeout(silence);
    silence = undefined;
    const unanswered = [...sent.values()];
    sent.clear();
    sentBytes = 0;
    state = "resting";
    const restMs = handlers.onLost(unanswered, timedOut ?? error ?? endedEarly(unanswered.length));
    if (aborting.signal.aborted) return;
    rest = setTimeout(() => {
      state = "idle";
      handlers.onChange();
    }, restMs);
  }

  function answered(answer: Answer): void {
    const item = sent.get(answer.itemId);
    // A number that was not sent, or a second answer: nobody waits for it.
    if (item === undefined) return;
    sent.delete(answer.itemId);
    sentBytes -= item.sentBytes;
    silence?.refresh();
    if (sent.size === 0) expectAnswers(false);
    handlers.onAnswer(item, answer);
    handlers.onChange();
  }

  function expectAnswers(expected: boolean): void {
    connection?.expectAnswers(expected);
    clearTimeout(silence);
    silence = expected ? setTimeout(silent, answerTimeoutMs) : undefined;
  }

  function silent(): void {
    const message = `${target.url.origin} ${sent.size === 1 ? "did not answer an item" : `answered none of ${sent.size} items`} within ${answerTimeoutMs} ms`;
    timedOut = new AssayError(Reason.DEADLINE_EXCEEDED, message);
    connection?.destroy();
  }

  function endedEarly(count: number): AssayError | undefined {
    if (count === 0) return undefined;
    const message = `${target.url.origin} ended the stream with ${counted(count, "item")} unanswered`;
    return new AssayError(Reason.SERVER_UNREACHABLE, message);
  }

  async function openOnce(): Promise<void> {
    timedOut = undefined;
    isFirst = true;
    await closing;
    try {
      connection = await openStreamConnection(
        target,
        handlers.check,
        { onAnswer: answered, onRoom: handlers.onChange, onEnd: lost },
        aborting.signal,
      );
      state = "open";
      handlers.onChange();
    } catch (error) {
      lost(
        error instanceof AssayError
          ? error
          : new AssayError(Reason.INTERNAL, String(error), { cause: error }),
      );
    }
  }

  return {
    get state() {
      return state;
    },
    get sentBytes() {
      return sentBytes;
    },
    get hasRoom() {
      if (connection === undefined || !connection.canSend) return false;
      return sent.size === 0 || (sent.size < window.requests && sentBytes < window.bytes);
    },
    open() {
      clearTimeout(rest);
      state = "opening";
      opening = openOnce();
      return opening;
    },
    send(item) {
      const pieces = encodeItem(item.itemId, item.request, isFirst ? OPTIONS : undefined);
      isFirst = false;
      item.sentBytes = totalBytes(pieces);
      sentBytes += item.sentBytes;
      sent.set(item.itemId, item);
      if (sent.size === 1) expectAnswers(true);
      connection!.send(pieces);
    },
    async close() {
      aborting.abort();
      clearTimeout(rest);
      await opening;
      const open = connection;
      if (open === undefined) return closing;
      if (sent.size > 0) open.destroy();
      else open.finish();
      const timer = setTimeout(() => open.destroy(), CLOSE_TIMEOUT_MS);
      await open.closed;
      clearTimeout(timer);
    },
  };
}
