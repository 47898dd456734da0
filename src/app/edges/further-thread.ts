import { type MessagePort, Worker } from "node:worker_threads";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { heardError } from "../../pool/guests/guest-messages.ts";
import { nextRestart } from "../../pool/instance-state.ts";
import type { Log } from "../../telemetry/log.ts";
import { writeLogLine } from "../../telemetry/log.ts";
import type { SpanSink } from "../../telemetry/traces/span-record.ts";
import { type Answerer, Conversation } from "./conversation.ts";
import type { EdgeAnswers, EdgeNews, EdgeOrder, EdgeQuestion, EdgeStart, Talk } from "./edge-messages.ts";

/** What a further edge's thread is made with. */
export interface FurtherThreadOptions {
  readonly start: EdgeStart;
  readonly entry: URL;
  readonly log: Log;
  /** Takes the spans of the edge's calls. */
  readonly spans: SpanSink | undefined;
  /** Answers the edge's questions. */
  readonly answer: Answerer;
  /** It begins anew and knows nothing: it is told what is so far. */
  readonly onBegin: (thread: FurtherThread) => void;
}

const MESSAGE = "the edge's thread has ended";

/** The thread of one further edge, which is started again whenever it ends; its closer is `close`. */
export class FurtherThread {
  private readonly options: FurtherThreadOptions;
  /** As users count edges. */
  private readonly number: number;
  private worker: Worker | undefined = undefined;
  private conversation: Conversation | undefined = undefined;
  private upSince: number | undefined = undefined;
  private earlyEnds = 0;
  private restartTimer: NodeJS.Timeout | undefined = undefined;
  private isClosed = false;
  private failure: AssayError | undefined = undefined;
  private onFirst: { resolve(): void; reject(error: Error): void } | undefined;

  constructor(options: FurtherThreadOptions) {
    this.options = options;
    this.number = options.start.sharedPort.place + 1;
  }

  /** Starts it; resolves when it listens, rejects with why it cannot. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.onFirst = { resolve, reject };
      this.begin();
    });
  }

  /** Nothing where the thread is not up: it will be told all that is so then. */
  tell(order: EdgeOrder, transfer: MessagePort[] = []): void {
    this.worker?.postMessage(order, transfer);
  }

  /** Rejects where the thread is not up, or ends first. */
  ask<Q extends EdgeQuestion>(question: Q): Promise<EdgeAnswers[Q["kind"]]> {
    return this.conversation?.ask(question) ?? Promise.reject(new AssayError(Reason.INTERNAL, MESSAGE));
  }

  /** Ends it at once. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.restartTimer);
    await this.worker?.terminate();
  }

  private begin(): void {
    const { start, entry, answer, onBegin } = this.options;
    this.failure = undefined;
    const worker = new Worker(entry, { workerData: start, name: `assay edge ${this.number}` });
    const conversation = new Conversation((talk) => worker.postMessage(talk), answer);
    this.worker = worker;
    this.conversation = conversation;
    worker.on("message", (message: EdgeNews | Talk) => {
      if (!conversation.hear(message)) this.hear(message as EdgeNews);
    });
    worker.on("error", (cause) => {
      this.failure ??= new AssayError(Reason.INTERNAL, `edge ${this.number}: ${cause}`, { cause });
    });
    worker.on("exit", (exitCode) => this.onExit(exitCode));
    onBegin(this);
  }

  private hear(news: EdgeNews): void {
    switch (news.kind) {
      case "listening":
        this.upSince = performance.now();
        if (this.onFirst === undefined)
          this.options.log.info({ edge: this.number }, "the edge is back and takes connections");
        this.onFirst?.resolve();
        this.onFirst = undefined;
        break;
      case "failed":
        this.failure = heardError(news.error);
        void this.worker?.terminate();
        break;
      case "log":
        writeLogLine(news.line);
        break;
      case "spans":
        for (const span of news.spans) this.options.spans?.take(span);
    }
  }

  private onExit(exitCode: number): void {
    const livedMs = this.upSince === undefined ? 0 : performance.now() - this.upSince;
    this.conversation?.end(MESSAGE);
    this.worker = undefined;
    this.conversation = undefined;
    this.upSince = undefined;
    const error = this.failure ?? new AssayError(Reason.INTERNAL, `its thread exited with code ${exitCode}`);
    const first = this.onFirst;
    this.onFirst = undefined;
    first?.reject(error);
    if (this.isClosed || first !== undefined) return;
    const { delayMs, earlyEnds } = nextRestart({ earlyEnds: this.earlyEnds, livedMs, failedStarts: 0 });
    this.earlyEnds = earlyEnds;
    this.options.log.error(
      { edge: this.number, delayMs, err: error },
      "an edge has ended, and with it its connections and what it had counted; the others answer on, and it is started again",
    );
    this.restartTimer = setTimeout(() => this.begin(), delayMs);
  }
}
