import { setPriority } from "node:os";
import { MessageChannel } from "node:worker_threads";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError, reasonName } from "../errors.ts";
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
import { readText } from "../worker/runner.ts";
import { createSlotMemory } from "../worker/slot-memory.ts";
import { readOutputs, writeBatch } from "./batch-memory.ts";
import type { Batch } from "./pool.ts";
import type { OpenThread } from "./session-thread.ts";

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

/** One life of one worker thread, or of a thread and the process that it relays to; made by `startWorker`. */
export interface WorkerHandle {
  /** On `performance.now()`'s clock, when the present run began; undefined while none runs. */
  readonly runStartedAt: number | undefined;
  /** Its session lives in a process of its own. */
  readonly isProcess: boolean;
  /** Must not be called before `onReady` nor while a run is in progress. */
  run(batch: Batch): void;
  /** Answers the batch that it holds with `error`, whose outputs are dropped when they come. */
  fail(error: AssayError): void;
  /** Takes the batch that it holds away, to be run elsewhere; undefined where it holds none. What it makes of it is dropped. */
  take(): Batch | undefined;
  /** Asks the worker to end after its run or its start. */
  end(): void;
  /**
   * Ends the worker in the midst of what it does. A process is killed. A thread in native code cannot be ended (`terminate`
   * would abort the process or never settle): it is left behind with the lowest priority, holds nothing open, and ends
   * by itself if its run ever does. What it holds has to be failed first.
   */
  giveUp(): void;
}

/** The nice value of a thread that was given up. */
const LOWEST_PRIORITY = 19;

/** Starts a worker. */
export function startWorker(plan: WorkerPlan, events: WorkerEvents): WorkerHandle {
  const { openThread, maxInputBytes, startTimeoutMs, ...start } = plan;
  const control = new SharedArrayBuffer(CONTROL_WORDS * 4);
  const words = new Int32Array(control);
  const { port1: port, port2: workerPort } = new MessageChannel();
  const inputs = Array.from({ length: SLOT_COUNT }, () => createSlotMemory(maxInputBytes));
  const outputs = new Array<SharedArrayBuffer>(SLOT_COUNT).fill(new SharedArrayBuffer(0));
  let slot = 0;
  let request = 0;
  let batch: Batch | undefined;
  let runStartedAt: number | undefined;
  let ended = false;
  let asked = false;
  let givenUp = false;
  let hasLongRuns = false;
  let threadId = 0;
  let processId = 0;
  let failure: AssayError | undefined;

  const startTimer = setTimeout(() => {
    failure ??= new AssayError(
      Reason.INSTANCE_LOST,
      `the worker did not load the model within ${startTimeoutMs} ms; a model that is only slow needs a longer load time-out (--load-timeout-ms)`,
    );
    giveUp();
    onEnd();
  }, startTimeoutMs);

  const thread = openThread(
    { ...start, control, port: workerPort },
    {
      onMessage,
      onError,
      onExit(exitCode) {
        if (!asked)
          failure ??= new AssayError(Reason.INSTANCE_LOST, `the worker exited with code ${exitCode}`);
        onEnd();
        events.onThreadEnded();
      },
      onHeldUp: () => events.onHeldUp(),
      onAlone: () => events.onAlone(),
    },
  );

  function onMessage(message: StartMessage): void {
    switch (message.kind) {
      case "thread":
        threadId = message.threadId;
        break;
      case "process":
        processId = message.processId;
        if (givenUp) endProcess();
        break;
      case "failed":
        clearTimeout(startTimer);
        failure = new AssayError(message.reason, message.message);
        break;
      case "ready":
        clearTimeout(startTimer);
        if (!ended) events.onReady();
    }
  }

  function onError(cause: unknown): void {
    if (cause instanceof Error && "reason" in cause) {
      failure ??= new AssayError(Reason.INSTANCE_LOST, cause.message, { cause });
      return;
    }
    const text = cause instanceof Error ? cause.message : String(cause);
    failure ??= new AssayError(Reason.INSTANCE_LOST, `the worker ended with an error: ${text}`, { cause });
  }

  function onEnd(): void {
    if (ended) return;
    ended = true;
    clearTimeout(startTimer);
    // The last run may have been answered in the moment before the end.
    if (Atomics.load(words, RESPONSE) === request && Atomics.load(words, OUTPUT_MAIL) === 0) finishRun();
    runStartedAt = undefined;
    // Settles the wait that the thread can no longer answer.
    Atomics.notify(words, RESPONSE);
    port.close();
    const lost = "the worker that held these rows ended and is being replaced; try again";
    fail(new AssayError(Reason.INSTANCE_LOST, lost, { cause: failure, retryAfterMs: 100 }));
    events.onEnded(failure);
  }

  function end(): void {
    asked = true;
    Atomics.store(words, SLOT, EXIT);
    Atomics.store(words, REQUEST, (request + 1) | 0);
    thread.ring();
  }

  function giveUp(): void {
    givenUp = true;
    end();
    const isLeft = thread.leaveBehind();
    endProcess();
    if (isLeft && threadId > 0 && processId === 0) lowerPriority(threadId);
  }

  function endProcess(): void {
    if (processId === 0) return;
    try {
      process.kill(processId, "SIGKILL");
    } catch {
      // It has just ended by itself.
    }
  }

  function fail(error: AssayError): void {
    const held = batch;
    batch = undefined;
    held?.onError(error);
  }

  function onResponse(): void {
    if (ended || runStartedAt === undefined) return;
    if (Atomics.load(words, RESPONSE) !== request) {
      awaitResponse();
      return;
    }
    finishRun();
  }

  function finishRun(): void {
    if (runStartedAt === undefined) return;
    const held = batch;
    const status = Atomics.load(words, STATUS);
    takeMemory(words, port, OUTPUT_MAIL, outputs);
    const memory = outputs[slot]!;
    batch = undefined;
    runStartedAt = undefined;
    slot = (slot + 1) % SLOT_COUNT;
    if (!hasLongRuns && words[LONG_RUNS] === 1) {
      hasLongRuns = true;
      if (!ended) events.onLongRuns();
    }
    if (!ended) events.onIdle();
    if (held === undefined) return;
    if (status === RUN_OK) held.onOutputs(readOutputs(memory, start.outputNames));
    else held.onError(runError(status as Reason, readText(memory)));
  }

  function awaitResponse(): void {
    const wait = Atomics.waitAsync(words, RESPONSE, (request - 1) | 0);
    if (wait.async) void wait.value.then(onResponse);
    else queueMicrotask(onResponse);
  }

  return {
    get runStartedAt() {
      return runStartedAt;
    },
    get isProcess() {
      return processId > 0;
    },
    run(next) {
      const memory = inputs[slot]!;
      const { buffer } = memory;
      try {
        writeBatch(next, start, memory, maxInputBytes);
      } catch (cause) {
        const error =
          cause instanceof AssayError
            ? cause
            : new AssayError(Reason.INTERNAL, "the batch could not be written", { cause });
        next.onError(error);
        return;
      } finally {
        if (memory.buffer !== buffer) sendMemory(words, port, INPUT_MAIL, slot, memory.buffer);
      }
      batch = next;
      runStartedAt = performance.now();
      request = (request + 1) | 0;
      Atomics.store(words, SLOT, slot);
      Atomics.store(words, REQUEST, request);
      thread.ring();
      awaitResponse();
    },
    fail,
    take() {
      const held = batch;
      batch = undefined;
      return held;
    },
    end,
    giveUp,
  };
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
