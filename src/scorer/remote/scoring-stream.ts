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

const OPTIONS = create(StreamOptionsSchema, { unordered: true, lane: StreamOptions_Lane.BULK });
const CLOSE_TIMEOUT_MS = 2_000;

/** One of a scorer's streams: idle, opening or open; once it is lost it rests for a while and is idle again. */
export class ScoringStream {
  /** Of the items that are sent and unanswered. */
  sentBytes = 0;
  private readonly target: StreamTarget;
  private readonly window: StreamWindow;
  private readonly answerTimeoutMs: number;
  private readonly handlers: ScoringStreamHandlers;
  private readonly sent = new Map<number, PendingItem>();
  private readonly aborting = new AbortController();
  private phase: "idle" | "opening" | "open" | "resting" = "idle";
  private connection: StreamConnection | undefined;
  private opening: Promise<void> | undefined;
  private closing: Promise<void> | undefined;
  private isFirst = true;
  private silence: NodeJS.Timeout | undefined;
  private rest: NodeJS.Timeout | undefined;
  private timedOut: AssayError | undefined;

  constructor(
    target: StreamTarget,
    window: StreamWindow,
    answerTimeoutMs: number,
    handlers: ScoringStreamHandlers,
  ) {
    this.target = target;
    this.window = window;
    this.answerTimeoutMs = answerTimeoutMs;
    this.handlers = handlers;
  }

  get isIdle(): boolean {
    return this.phase === "idle";
  }

  get hasRoom(): boolean {
    if (this.connection === undefined || !this.connection.canSend) return false;
    const { requests, bytes } = this.window;
    return this.sent.size === 0 || (this.sent.size < requests && this.sentBytes < bytes);
  }

  /** From idle to opening. Resolves once it is open or lost, and never rejects. */
  open(): Promise<void> {
    clearTimeout(this.rest);
    this.phase = "opening";
    this.opening = this.openOnce();
    return this.opening;
  }

  /** There has to be room. */
  send(item: PendingItem): void {
    const pieces = encodeItem(item.itemId, item.request, this.isFirst ? OPTIONS : undefined);
    this.isFirst = false;
    item.sentBytes = totalBytes(pieces);
    this.sentBytes += item.sentBytes;
    this.sent.set(item.itemId, item);
    if (this.sent.size === 1) this.expectAnswers(true);
    this.connection!.send(pieces);
  }

  /** Ends it: in good order where nothing is unanswered, else at once. Resolves once nothing of it is left. */
  async close(): Promise<void> {
    this.aborting.abort();
    clearTimeout(this.rest);
    await this.opening;
    const open = this.connection;
    if (open === undefined) return this.closing;
    if (this.sent.size > 0) open.destroy();
    else open.finish();
    const timer = setTimeout(() => open.destroy(), CLOSE_TIMEOUT_MS);
    await open.closed;
    clearTimeout(timer);
  }

  private async openOnce(): Promise<void> {
    this.timedOut = undefined;
    this.isFirst = true;
    await this.closing;
    try {
      this.connection = await openStreamConnection(
        this.target,
        (model) => this.handlers.check(model),
        {
          onAnswer: (answer) => this.answered(answer),
          onRoom: () => this.handlers.onChange(),
          onEnd: (error) => this.lost(error),
        },
        this.aborting.signal,
      );
      this.phase = "open";
      this.handlers.onChange();
    } catch (error) {
      this.lost(
        error instanceof AssayError
          ? error
          : new AssayError(Reason.INTERNAL, String(error), { cause: error }),
      );
    }
  }

  private answered(answer: Answer): void {
    const item = this.sent.get(answer.itemId);
    // A number that was not sent, or a second answer: nobody waits for it.
    if (item === undefined) return;
    this.sent.delete(answer.itemId);
    this.sentBytes -= item.sentBytes;
    this.silence?.refresh();
    if (this.sent.size === 0) this.expectAnswers(false);
    this.handlers.onAnswer(item, answer);
    this.handlers.onChange();
  }

  private expectAnswers(expected: boolean): void {
    this.connection?.expectAnswers(expected);
    clearTimeout(this.silence);
    this.silence = expected ? setTimeout(() => this.silent(), this.answerTimeoutMs) : undefined;
  }

  private silent(): void {
    const { size } = this.sent;
    const message = `${this.target.url.origin} ${size === 1 ? "did not answer an item" : `answered none of ${size} items`} within ${this.answerTimeoutMs} ms`;
    this.timedOut = new AssayError(Reason.DEADLINE_EXCEEDED, message);
    this.connection?.destroy();
  }

  private lost(error: AssayError | undefined): void {
    if (this.phase === "idle" || this.phase === "resting") return;
    this.closing = this.connection?.closed;
    this.connection = undefined;
    clearTimeout(this.silence);
    this.silence = undefined;
    const unanswered = [...this.sent.values()];
    this.sent.clear();
    this.sentBytes = 0;
    this.phase = "resting";
    const restMs = this.handlers.onLost(
      unanswered,
      this.timedOut ?? error ?? this.endedEarly(unanswered.length),
    );
    if (this.aborting.signal.aborted) return;
    this.rest = setTimeout(() => this.rested(), restMs);
  }

  private rested(): void {
    this.phase = "idle";
    this.handlers.onChange();
  }

  private endedEarly(count: number): AssayError | undefined {
    if (count === 0) return undefined;
    const message = `${this.target.url.origin} ended the stream with ${counted(count, "item")} unanswered`;
    return new AssayError(Reason.SERVER_UNREACHABLE, message);
  }
}
