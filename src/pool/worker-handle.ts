import { setPriority } from "node:os";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError, type AssayErrorOptions, messageOf } from "../errors.ts";
import { limitHit } from "../limits.ts";
import type { TreeKernelUse } from "../model/prepared-model.ts";
import type { StartMessage, WorkerStart } from "../worker/channel.ts";
import type { Batch } from "./pool.ts";
import { type ChannelEvents, RunChannel } from "./run-channel.ts";
import type { OpenThread, SessionDoor, SessionThread, ThreadEvents } from "./session-thread.ts";

/** The start of a worker, besides its channel. */
export type WorkerPlan = Omit<WorkerStart, "control" | "port"> & {
  /** Where its session lives. */
  readonly openThread: OpenThread;
  readonly maxInputBytes: number;
  /** Other channels feed the session too. */
  readonly hasGuests: boolean;
  /** The longest that a start may take. */
  readonly startTimeoutMs: number;
};

/** Callbacks of what becomes of a worker; each is called in a turn of its own. */
export interface WorkerEvents {
  onReady(): void;
  /** A run ended: the worker takes another one. Called before the batch hears of it, so that both overlap. */
  onIdle(): void;
  /** `error` says why the start failed or why the worker ended; undefined where it was asked to end. Called once. */
  onEnded(error: AssayError | undefined): void;
  /** Its runs have shown to be too long for the thread that it shares; called once, before `onIdle`. */
  onLongRuns(): void;
  /** The thread that it shares is held up by another: it should be left, with `take` and `end`. */
  onHeldUp(): void;
  /** It held up a shared thread, which others have left. */
  onAlone(): void;
  /** The thread itself has ended; after `onEnded`, and long after it where a run was given up. */
  onThreadEnded(): void;
}

/** The nice value of a thread that was given up. */
const LOWEST_PRIORITY = 19;

/** One life of one worker thread, or of a thread and the process that it relays to; its making starts it. */
export class WorkerHandle implements ThreadEvents, ChannelEvents {
  /** What runs the model's trees, once it is ready. */
  treeKernel: TreeKernelUse | undefined = undefined;
  private readonly plan: WorkerPlan;
  private readonly events: WorkerEvents;
  private readonly channel: RunChannel;
  private readonly thread: SessionThread;
  private readonly startTimer: NodeJS.Timeout;
  private hasEnded = false;
  private isAsked = false;
  private isGivenUp = false;
  private threadId = 0;
  private processId = 0;
  private failure: AssayError | undefined = undefined;

  constructor(plan: WorkerPlan, events: WorkerEvents) {
    const { openThread, maxInputBytes: _bytes, hasGuests: _guests, startTimeoutMs, ...start } = plan;
    this.plan = plan;
    this.events = events;
    this.channel = new RunChannel(plan, this);
    this.startTimer = setTimeout(() => this.onStartTimeout(), startTimeoutMs);
    const { control, farPort } = this.channel;
    this.thread = openThread({ ...start, control, port: farPort }, this);
  }

  /** Its session lives in a process of its own. */
  get isProcess(): boolean {
    return this.processId > 0;
  }

  /** On `performance.now()`'s clock, when the present run began; undefined while none runs. */
  get runStartedAt(): number | undefined {
    return this.channel.runStartedAt;
  }

  /** Its run waits for the runs of other channels. */
  get isWaiting(): boolean {
    return this.plan.hasGuests && this.channel.runStartedAt !== undefined && !this.channel.isTaken;
  }

  /** Where other channels join; undefined where none can. */
  get door(): SessionDoor | undefined {
    return this.thread.door;
  }

  /** The time of a run that waited begins now. */
  waitAnew(): void {
    this.channel.waitAnew();
  }

  /** Must not be called before `onReady` nor while a run is in progress. */
  run(batch: Batch): void {
    this.channel.run(batch);
  }

  /** Answers the batch that it holds with `error`, whose outputs are dropped when they come. */
  fail(error: AssayError): void {
    this.channel.fail(error);
  }

  /** Takes the batch that it holds away, to be run elsewhere; undefined where it holds none. What it makes of it is dropped. */
  take(): Batch | undefined {
    return this.channel.take();
  }

  /** Asks the worker to end after its run or its start. */
  end(): void {
    this.isAsked = true;
    this.channel.leave();
  }

  /**
   * Ends the worker in the midst of what it does. A process is killed. A thread in native code cannot be ended (`terminate`
   * would abort the process or never settle): it is left behind with the lowest priority, holds nothing open, and ends
   * by itself if its run ever does. What it holds has to be failed first.
   */
  giveUp(): void {
    this.isGivenUp = true;
    this.end();
    const isLeft = this.thread.leaveBehind();
    this.endProcess();
    if (isLeft && this.threadId > 0 && !this.isProcess) lowerPriority(this.threadId);
  }

  ring(): void {
    this.thread.ring();
  }

  onIdle(): void {
    this.events.onIdle();
  }

  onLongRuns(): void {
    this.events.onLongRuns();
  }

  onMessage(message: StartMessage): void {
    switch (message.kind) {
      case "thread":
        this.threadId = message.threadId;
        break;
      case "process":
        this.processId = message.processId;
        if (this.isGivenUp) this.endProcess();
        break;
      case "failed":
        clearTimeout(this.startTimer);
        this.failure = new AssayError(message.reason, message.message);
        break;
      case "ready":
        clearTimeout(this.startTimer);
        this.treeKernel = message.treeKernel;
        if (!this.hasEnded) this.events.onReady();
    }
  }

  onError(cause: unknown): void {
    const text = messageOf(cause);
    const isTold = cause instanceof Error && "reason" in cause;
    this.failure ??= lost(isTold ? text : `the worker ended with an error: ${text}`, { cause });
  }

  onExit(exitCode: number): void {
    if (!this.isAsked) this.failure ??= lost(`the worker exited with code ${exitCode}`);
    this.onEnd();
    this.events.onThreadEnded();
  }

  onHeldUp(): void {
    this.events.onHeldUp();
  }

  onAlone(): void {
    this.events.onAlone();
  }

  private onStartTimeout(): void {
    limitHit("load-timeout-ms");
    this.failure ??= lost(
      `the worker did not load the model within ${this.plan.startTimeoutMs} ms; a model that is only slow needs a longer load time-out (--load-timeout-ms)`,
    );
    this.giveUp();
    this.onEnd();
  }

  private onEnd(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    clearTimeout(this.startTimer);
    this.channel.end();
    this.fail(lostRows(this.failure));
    this.events.onEnded(this.failure);
  }

  private endProcess(): void {
    if (!this.isProcess) return;
    try {
      process.kill(this.processId, "SIGKILL");
    } catch {
      // It has just ended by itself.
    }
  }
}

/** Rows whose worker ended before it answered them. */
export function lostRows(cause: AssayError | undefined): AssayError {
  const what = "the worker that held these rows ended and is being replaced; try again";
  return lost(what, { cause, retryAfterMs: 100 });
}

function lost(what: string, options: AssayErrorOptions = {}): AssayError {
  return new AssayError(Reason.INSTANCE_LOST, what, options);
}

/** A run that goes on for ever should leave the cores to what can be answered. Linux takes a thread's number here. */
function lowerPriority(threadId: number): void {
  try {
    setPriority(threadId, LOWEST_PRIORITY);
  } catch {
    // It has just ended, or the system does not allow it.
  }
}
