import { setPriority } from "node:os";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError, type AssayErrorOptions, messageOf, reasonName } from "../errors.ts";
import type { TreeKernelUse } from "../model/prepared-model.ts";
import { LARGE_OCTETS, loopTurns } from "../timing/loop-turns.ts";
import {
  CONTROL_WORDS,
  EXIT,
  INPUT_MAIL,
  LONG_RUNS,
  OUTPUT_MAIL,
  REQUEST,
  RESPONSE,
  RUN_OK,
  SLOT,
  SLOT_COUNT,
  STATUS,
  type StartMessage,
  sendMemory,
  takeMemory,
  type WorkerStart,
} from "../worker/channel.ts";
import { frameBytes } from "../worker/frame.ts";
import { readText } from "../worker/runner.ts";
import { createSlotMemory, type SlotMemory } from "../worker/slot-memory.ts";
import { readOutputs, writeBatch } from "./batch-memory.ts";
import type { Batch } from "./pool.ts";
import type { OpenThread, SessionThread, ThreadEvents } from "./session-thread.ts";

/** The start of a worker, besides its channel. */
export type WorkerPlan = Omit<WorkerStart, "control" | "port"> & {
  /** Where its session lives. */
  readonly openThread: OpenThread;
  readonly maxInputBytes: number;
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
export class WorkerHandle implements ThreadEvents {
  /** On `performance.now()`'s clock, when the present run began; undefined while none runs. */
  runStartedAt: number | undefined = undefined;
  /** What runs the model's trees, once it is ready. */
  treeKernel: TreeKernelUse | undefined = undefined;
  private readonly plan: WorkerPlan;
  private readonly events: WorkerEvents;
  private readonly words: Int32Array;
  private readonly port: MessagePort;
  private readonly thread: SessionThread;
  private readonly inputs: readonly SlotMemory[];
  private readonly outputs = new Array<SharedArrayBuffer>(SLOT_COUNT).fill(new SharedArrayBuffer(0));
  private readonly startTimer: NodeJS.Timeout;
  private readonly answerCame: () => void;
  private slot = 0;
  private request = 0;
  private batch: Batch | undefined = undefined;
  private hasEnded = false;
  private isAsked = false;
  private isGivenUp = false;
  private hasLongRuns = false;
  private threadId = 0;
  private processId = 0;
  private failure: AssayError | undefined = undefined;

  constructor(plan: WorkerPlan, events: WorkerEvents) {
    const { openThread, maxInputBytes, startTimeoutMs, ...start } = plan;
    const control = new SharedArrayBuffer(CONTROL_WORDS * 4);
    const { port1, port2 } = new MessageChannel();
    this.plan = plan;
    this.events = events;
    this.words = new Int32Array(control);
    this.port = port1;
    this.inputs = Array.from({ length: SLOT_COUNT }, () => createSlotMemory(maxInputBytes));
    const answerCame = () => this.onResponse();
    this.answerCame = answerCame;
    this.startTimer = setTimeout(() => this.onStartTimeout(), startTimeoutMs);
    this.thread = openThread({ ...start, control, port: port2 }, this);
  }

  /** Its session lives in a process of its own. */
  get isProcess(): boolean {
    return this.processId > 0;
  }

  /** Must not be called before `onReady` nor while a run is in progress. */
  run(batch: Batch): void {
    if (!this.write(batch)) return;
    this.batch = batch;
    this.runStartedAt = performance.now();
    this.request = (this.request + 1) | 0;
    Atomics.store(this.words, SLOT, this.slot);
    Atomics.store(this.words, REQUEST, this.request);
    this.thread.ring();
    this.awaitResponse();
  }

  /** Answers the batch that it holds with `error`, whose outputs are dropped when they come. */
  fail(error: AssayError): void {
    this.take()?.onError(error);
  }

  /** Takes the batch that it holds away, to be run elsewhere; undefined where it holds none. What it makes of it is dropped. */
  take(): Batch | undefined {
    const held = this.batch;
    this.batch = undefined;
    return held;
  }

  /** Asks the worker to end after its run or its start. */
  end(): void {
    this.isAsked = true;
    Atomics.store(this.words, SLOT, EXIT);
    Atomics.store(this.words, REQUEST, (this.request + 1) | 0);
    this.thread.ring();
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
    // The last run may have been answered in the moment before the end.
    if (this.isAnswered() && Atomics.load(this.words, OUTPUT_MAIL) === 0) this.finishRun();
    this.runStartedAt = undefined;
    // Settles the wait that the thread can no longer answer.
    Atomics.notify(this.words, RESPONSE);
    this.port.close();
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

  /** False where the batch could not be written, and has failed. */
  private write(batch: Batch): boolean {
    const memory = this.inputs[this.slot]!;
    const { buffer } = memory;
    try {
      writeBatch(batch, this.plan, memory, this.plan.maxInputBytes);
      return true;
    } catch (cause) {
      const error =
        cause instanceof AssayError
          ? cause
          : new AssayError(Reason.INTERNAL, "the batch could not be written", { cause });
      batch.onError(error);
      return false;
    } finally {
      if (memory.buffer !== buffer) sendMemory(this.words, this.port, INPUT_MAIL, this.slot, memory.buffer);
    }
  }

  private awaitResponse(): void {
    const wait = Atomics.waitAsync(this.words, RESPONSE, (this.request - 1) | 0);
    if (wait.async) void wait.value.then(this.answerCame);
    else queueMicrotask(this.answerCame);
  }

  private isAnswered(): boolean {
    return Atomics.load(this.words, RESPONSE) === this.request;
  }

  private onResponse(): void {
    if (this.hasEnded || this.runStartedAt === undefined) return;
    if (!this.isAnswered()) {
      this.awaitResponse();
      return;
    }
    takeMemory(this.words, this.port, OUTPUT_MAIL, this.outputs);
    // Until its outputs are read it takes no other batch, which would be copied in the same turn.
    const isLarge = this.outputs[this.slot]!.byteLength > LARGE_OCTETS && this.hasLargeOutputs();
    if (isLarge && !loopTurns.take()) loopTurns.later(() => this.finishRun());
    else this.finishRun();
  }

  private hasLargeOutputs(): boolean {
    return Atomics.load(this.words, STATUS) === RUN_OK && frameBytes(this.outputs[this.slot]!) > LARGE_OCTETS;
  }

  private finishRun(): void {
    if (this.runStartedAt === undefined) return;
    const { words, events } = this;
    const held = this.take();
    const status = Atomics.load(words, STATUS);
    const memory = this.outputs[this.slot]!;
    this.runStartedAt = undefined;
    this.slot = (this.slot + 1) % SLOT_COUNT;
    if (!this.hasLongRuns && words[LONG_RUNS] === 1) {
      this.hasLongRuns = true;
      if (!this.hasEnded) events.onLongRuns();
    }
    if (!this.hasEnded) events.onIdle();
    if (held === undefined) return;
    if (status === RUN_OK) held.onOutputs(readOutputs(memory, this.plan.outputNames));
    else held.onError(runError(status as Reason, readText(memory)));
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

function runError(reason: Reason, text: string): AssayError {
  return new AssayError(reason, text === "" ? `the run failed: ${reasonName(reason)}` : text);
}

/** A run that goes on for ever should leave the cores to what can be answered. Linux takes a thread's number here. */
function lowerPriority(threadId: number): void {
  try {
    setPriority(threadId, LOWEST_PRIORITY);
  } catch {
    // It has just ended, or the system does not allow it.
  }
}
