import { MessageChannel, type MessagePort } from "node:worker_threads";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError, reasonName } from "../errors.ts";
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
  sendMemory,
  TAKEN,
  takeMemory,
} from "../worker/channel.ts";
import { frameBytes } from "../worker/frame.ts";
import { readText } from "../worker/runner.ts";
import { createSlotMemory, type SlotMemory } from "../worker/slot-memory.ts";
import { readOutputs, type TensorNames, writeBatch } from "./batch-memory.ts";
import type { Batch } from "./pool.ts";

/** What a channel knows of its session. */
export interface ChannelPlan extends TensorNames {
  readonly maxInputBytes: number;
}

/** Callbacks of a channel. */
export interface ChannelEvents {
  /** The session's thread is to look at its requests. */
  ring(): void;
  /** A run ended: the session takes another one. Called before the batch hears of it, so that both overlap. */
  onIdle(): void;
  /** The session's runs have shown to be too long for the thread that it shares; called once, before `onIdle`. */
  onLongRuns(): void;
}

/** The caller's end of a channel to a session: one run at a time, through two slots in shared memory. Its closer is `end`. */
export class RunChannel {
  /** On `performance.now()`'s clock, when the present run began, or its wait for the runs of others; undefined while none runs. */
  runStartedAt: number | undefined = undefined;
  readonly control = new SharedArrayBuffer(CONTROL_WORDS * 4);
  /** The session's end, to be handed over. */
  readonly farPort: MessagePort;
  private readonly plan: ChannelPlan;
  private readonly events: ChannelEvents;
  private readonly words: Int32Array;
  private readonly port: MessagePort;
  private readonly inputs: readonly SlotMemory[];
  private readonly outputs = new Array<SharedArrayBuffer>(SLOT_COUNT).fill(new SharedArrayBuffer(0));
  private readonly answerCame: () => void;
  private slot = 0;
  private request = 0;
  private batch: Batch | undefined = undefined;
  private hasEnded = false;
  private hasLongRuns = false;

  constructor(plan: ChannelPlan, events: ChannelEvents) {
    const { port1, port2 } = new MessageChannel();
    this.plan = plan;
    this.events = events;
    this.words = new Int32Array(this.control);
    this.port = port1;
    this.farPort = port2;
    this.inputs = Array.from({ length: SLOT_COUNT }, () => createSlotMemory(plan.maxInputBytes));
    const answerCame = () => this.onResponse();
    this.answerCame = answerCame;
  }

  /** The session has begun the present run; only where it notes which runs it takes. */
  get isTaken(): boolean {
    return Atomics.load(this.words, TAKEN) === this.request;
  }

  /** Must not be called while a run is in progress. */
  run(batch: Batch): void {
    if (!this.write(batch)) return;
    this.batch = batch;
    this.runStartedAt = performance.now();
    this.request = (this.request + 1) | 0;
    Atomics.store(this.words, SLOT, this.slot);
    Atomics.store(this.words, REQUEST, this.request);
    this.events.ring();
    this.awaitResponse();
  }

  /** Answers the batch that it holds with `error`; its outputs are dropped when they come. */
  fail(error: AssayError): void {
    this.take()?.onError(error);
  }

  /** Takes the batch that it holds away, to be run elsewhere; undefined where it holds none. What the session makes of it is dropped. */
  take(): Batch | undefined {
    const held = this.batch;
    this.batch = undefined;
    return held;
  }

  /** The present run has waited for those of others: its time begins now. */
  waitAnew(): void {
    this.runStartedAt = performance.now();
  }

  /** Asks the session to leave the channel after its run or its start. */
  leave(): void {
    Atomics.store(this.words, SLOT, EXIT);
    Atomics.store(this.words, REQUEST, (this.request + 1) | 0);
    this.events.ring();
  }

  /** Nothing more comes from the session; what it was answered in the moment before is taken. Whoever calls fails what is left. */
  end(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    if (this.isAnswered() && Atomics.load(this.words, OUTPUT_MAIL) === 0) this.finishRun();
    this.runStartedAt = undefined;
    // Settles the wait that nobody can answer any more.
    Atomics.notify(this.words, RESPONSE);
    this.port.close();
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

function runError(reason: Reason, text: string): AssayError {
  return new AssayError(reason, text === "" ? `the run failed: ${reasonName(reason)}` : text);
}
