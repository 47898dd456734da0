import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import type { Log } from "../telemetry/log.ts";
import { deviceName } from "../worker/device.ts";
import type { Batch, InstanceStatus } from "./pool.ts";
import { nextRestart } from "./restart-policy.ts";
import { startWorker, type WorkerHandle, type WorkerPlan } from "./worker-handle.ts";

/** Starts that fail one after another before the instance counts as failed; it is still tried again. */
const FAILED_STARTS = 3;

/** What an instance is made with. */
export interface InstanceOptions {
  readonly plan: WorkerPlan;
  readonly log: Log;
  /** A run is hung for good when its thread has not ended this long after it was told to. */
  readonly hangGraceMs: number;
  /** Hung threads that may stay behind before no more are started. */
  readonly maxHungThreads: number;
  /** Called when the instance can take a batch. */
  readonly onIdle: () => void;
  /** Called when the instance comes up or goes down. */
  readonly onChange: () => void;
  /** Called when a thread cannot be ended: only the end of the process frees it. */
  readonly onHung: (device: string) => void;
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
  /** Ends the worker after its run; settles when the thread has ended or cannot be ended. */
  close(): Promise<void>;
}

/** Starts an instance; `onChange` tells when it is up, or when its start failed. */
export function startInstance(options: InstanceOptions): Instance {
  const { plan, log, onIdle, onChange } = options;
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
  let hungThreads = 0;
  let restartTimer: NodeJS.Timeout | undefined;
  let closed = false;
  let onClosed = (): void => {};

  function start(): void {
    restartTimer = undefined;
    state = restarts === 0 ? "starting" : "restarting";
    const life = startWorker(plan, {
      onReady() {
        if (worker !== life) return;
        upSince = performance.now();
        wasUp = true;
        failedStarts = 0;
        state = "idle";
        if (restarts > 0) log.info({ device, restarts }, "instance is back");
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
    });
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
    if (wasUp) log.warn({ device, restarts, delayMs: restart.delayMs, error: lastError }, "instance ended");
    restartTimer = setTimeout(start, restart.delayMs);
    onChange();
  }

  /** Ends the thread; resolves with whether that took less than the grace time, after which it is left behind. */
  async function terminated(life: WorkerHandle, onTerminated = (): void => {}): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), options.hangGraceMs);
    });
    const termination = life.terminate().then(() => {
      onTerminated();
      return true;
    });
    const hasEnded = await Promise.race([termination, grace]);
    clearTimeout(timer);
    if (!hasEnded) life.abandon();
    return hasEnded;
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
      hungThreads++;
      const onTerminated = (): void => {
        hungThreads--;
        if (worker === undefined && restartTimer === undefined && !closed) start();
      };
      void terminated(life, onTerminated).then((hasEnded) => {
        if (hasEnded) return;
        log.error({ device }, "a run hangs in native code and its thread cannot be ended");
        options.onHung(device);
      });
      if (hungThreads > options.maxHungThreads && !closed) {
        worker = undefined;
        upSince = undefined;
        state = "failed";
        lastFailure = error;
        lastError = `${hungThreads} threads hang in native code`;
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
      const graceful = new Promise<void>((resolve) => {
        onClosed = resolve;
      });
      if (upSince === undefined) {
        await terminated(life);
        return;
      }
      life.end();
      await graceful;
    },
  };
}
