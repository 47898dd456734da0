import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import type { Log } from "../telemetry/log.ts";
import { deviceName } from "../worker/device.ts";
import type { Batch, InstanceStatus } from "./pool.ts";
import { nextRestart } from "./restart-policy.ts";
import { startWorker, type WorkerHandle, type WorkerPlan } from "./worker-handle.ts";

/** Starts that fail one after another before the instance counts as failed; it is still tried again. */
const FAILED_STARTS = 3;

/**
 * What holds a session apart from the rest of the server. `thread`: a thread, which is crossed to in microseconds; a run that
 * hangs costs it for good. `process`: a process, which can be killed and may crash alone. `auto`: a thread, and a process once
 * a run has hung.
 */
export type Isolation = "thread" | "process" | "auto";

/** What an instance is made with. */
export interface InstanceOptions {
  readonly plan: Omit<WorkerPlan, "workerUrl">;
  readonly isolation: Isolation;
  /** The entries of a thread with a session, and of one that relays to a process. */
  readonly workerUrl: URL;
  readonly relayUrl: URL;
  readonly log: Log;
  /** Whose it is, for the log. */
  readonly modelName: string;
  /** How long a worker that is asked to end may take. */
  readonly endGraceMs: number;
  /** Threads that may be left behind in native code before no more are started. */
  readonly maxHungThreads: number;
  /** Called when the instance can take a batch. */
  readonly onIdle: () => void;
  /** Called when the instance comes up or goes down. */
  readonly onChange: () => void;
}

/** A worker that is replaced when it ends; made by `startInstance`. */
export interface Instance {
  readonly status: InstanceStatus;
  /** It can take a batch now. */
  readonly isIdle: boolean;
  /** Idle or busy. */
  readonly isLive: boolean;
  /** Its starts fail again and again, or its threads hang. */
  readonly isFailed: boolean;
  readonly runStartedAt: number | undefined;
  /** Why the last start failed. */
  readonly lastFailure: AssayError | undefined;
  run(batch: Batch): void;
  /** Fails what the worker holds with RUN_TIMEOUT and puts another in its place. */
  replaceHung(runTimeoutMs: number): void;
  /** Ends the worker after its run; settles when it has ended or, after the grace time, was given up. */
  close(): Promise<void>;
}

/** Starts an instance; `onChange` tells when it is up, or when its start failed. */
export function startInstance(options: InstanceOptions): Instance {
  const { plan, isolation, workerUrl, relayUrl, log, onIdle, onChange } = options;
  const model = options.modelName;
  const device = deviceName(plan.device);
  let worker: WorkerHandle | undefined;
  let state: InstanceStatus["state"] = "starting";
  let restarts = 0;
  let lastError = "";
  let lastFailure: AssayError | undefined;
  let earlyEnds = 0;
  let failedStarts = 0;
  let upSince: number | undefined;
  let wasUp = false;
  const hungThreads = new Set<WorkerHandle>();
  let hasHung = false;
  let restartTimer: NodeJS.Timeout | undefined;
  let closed = false;
  let onClosed = (): void => {};

  function start(): void {
    restartTimer = undefined;
    state = restarts === 0 ? "starting" : "restarting";
    const inProcess = isolation === "process" || (isolation === "auto" && hasHung);
    const life = startWorker(
      { ...plan, workerUrl: inProcess ? relayUrl : workerUrl },
      {
        onReady() {
          if (worker !== life) return;
          upSince = performance.now();
          wasUp = true;
          failedStarts = 0;
          state = "idle";
          if (restarts > 0) log.info({ model, device, restarts }, "instance is back");
          onChange();
          onIdle();
        },
        onIdle() {
          if (worker !== life) return;
          state = "idle";
          onIdle();
        },
        onEnded(error) {
          if (worker === life) ended(error);
        },
        onThreadEnded() {
          if (hungThreads.delete(life) && worker === undefined && restartTimer === undefined && !closed)
            start();
        },
      },
    );
    worker = life;
  }

  function ended(error: AssayError | undefined): void {
    const livedMs = upSince === undefined ? 0 : performance.now() - upSince;
    if (upSince === undefined) failedStarts++;
    upSince = undefined;
    worker = undefined;
    if (closed) {
      state = "failed";
      onClosed();
      return;
    }
    lastFailure = error;
    lastError = error?.message ?? "the thread was ended";
    const restart = nextRestart({ earlyEnds, livedMs });
    earlyEnds = restart.earlyEnds;
    restarts++;
    state = failedStarts >= FAILED_STARTS ? "failed" : "restarting";
    if (wasUp)
      log.warn({ model, device, restarts, delayMs: restart.delayMs, error: lastError }, "instance ended");
    restartTimer = setTimeout(start, restart.delayMs);
    onChange();
  }

  start();

  return {
    get status() {
      return { device, state, restarts, lastError };
    },
    get isIdle() {
      return state === "idle" && !closed;
    },
    get isLive() {
      return (state === "idle" || state === "busy") && !closed;
    },
    get isFailed() {
      return state === "failed";
    },
    get runStartedAt() {
      return worker?.runStartedAt;
    },
    get lastFailure() {
      return lastFailure;
    },
    run(batch) {
      const life = worker;
      if (life === undefined || state !== "idle") throw new Error(`instance ${device} is ${state}`);
      life.run(batch);
      if (life.runStartedAt !== undefined) state = "busy";
    },
    replaceHung(runTimeoutMs) {
      const life = worker;
      if (life === undefined) return;
      const error = new AssayError(
        Reason.RUN_TIMEOUT,
        `the run took longer than the run time-out of ${runTimeoutMs} ms and was given up`,
      );
      life.fail(error);
      life.giveUp();
      hasHung = true;
      if (!life.isProcess) {
        hungThreads.add(life);
        log.error(
          { model, device },
          "a run hangs in native code; its thread is left behind and holds a core until the server ends",
        );
      }
      if (hungThreads.size > options.maxHungThreads && !closed) {
        worker = undefined;
        upSince = undefined;
        state = "failed";
        lastFailure = error;
        lastError = `${hungThreads.size} threads hang in native code`;
        onChange();
      } else {
        ended(error);
      }
    },
    async close() {
      if (closed) return;
      closed = true;
      clearTimeout(restartTimer);
      const life = worker;
      if (life === undefined) return;
      const { promise: hasEnded, resolve } = Promise.withResolvers<void>();
      onClosed = resolve;
      life.end();
      const grace = setTimeout(() => {
        life.fail(
          new AssayError(Reason.SHUTTING_DOWN, "the run was still going on when its instance was closed"),
        );
        life.giveUp();
        resolve();
      }, options.endGraceMs);
      await hasEnded;
      clearTimeout(grace);
    },
  };
}
