import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import type { Log } from "../telemetry/log.ts";
import { deviceName } from "../worker/device.ts";
import { type InstanceEvent, type InstanceState, nextRestart, nextState } from "./instance-state.ts";
import type { Batch, InstanceStatus } from "./pool.ts";
import { startWorker, type WorkerHandle, type WorkerPlan } from "./worker-handle.ts";

/**
 * An instance and its states; `instance-state.ts` has the table that the code follows.
 *
 * | state | what may happen, and the next state |
 * |---|---|
 * | starting | its worker is up: idle · it ends: restarting |
 * | idle | it is given a batch: busy · its worker ends: restarting |
 * | busy | the run ends: idle · the worker ends or its run hangs: restarting |
 * | restarting | the next worker is up: idle · it ends too: restarting, or failed after FAILED_STARTS of them |
 * | failed | another start: restarting |
 *
 * Where too many threads hang it is failed until one of them ends, and after `close` it is failed for good.
 */

/** Starts that fail one after another before the instance counts as failed; it is still tried again. */
const FAILED_STARTS = 3;

/**
 * The wall between a session and the rest of the server. `thread`: a thread, which is crossed to in microseconds; a run that
 * hangs costs it for good. `process`: a process, which can be killed and may crash alone. `auto`: a thread, and a process once
 * a run has hung.
 */
export type Isolation = "thread" | "process" | "auto";

/** Options of an instance. */
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
  return new WorkerInstance(options);
}

class WorkerInstance implements Instance {
  lastFailure: AssayError | undefined = undefined;
  private readonly options: InstanceOptions;
  /** Whose it is, for the log. */
  private readonly names: { readonly model: string; readonly device: string };
  private worker: WorkerHandle | undefined = undefined;
  private state: InstanceState = "starting";
  private restarts = 0;
  private lastError = "";
  private earlyEnds = 0;
  private failedStarts = 0;
  private upSince: number | undefined = undefined;
  private wasUp = false;
  private readonly hungThreads = new Set<WorkerHandle>();
  private hasHung = false;
  private restartTimer: NodeJS.Timeout | undefined = undefined;
  private isClosed = false;
  private onClosed: () => void = nothing;

  constructor(options: InstanceOptions) {
    this.options = options;
    this.names = { model: options.modelName, device: deviceName(options.plan.device) };
    this.start();
  }

  get status(): InstanceStatus {
    const { state, restarts, lastError } = this;
    return { device: this.names.device, state, restarts, lastError };
  }

  get isIdle(): boolean {
    return this.state === "idle" && !this.isClosed;
  }

  get isLive(): boolean {
    return (this.state === "idle" || this.state === "busy") && !this.isClosed;
  }

  get isFailed(): boolean {
    return this.state === "failed";
  }

  get runStartedAt(): number | undefined {
    return this.worker?.runStartedAt;
  }

  run(batch: Batch): void {
    const { worker, state } = this;
    if (worker === undefined || state !== "idle") {
      throw new Error(`instance ${this.names.device} is ${state}`);
    }
    worker.run(batch);
    // A batch that could not be written has failed already.
    if (worker.runStartedAt !== undefined) this.become("run");
  }

  replaceHung(runTimeoutMs: number): void {
    const life = this.worker;
    if (life === undefined) return;
    const error = new AssayError(
      Reason.RUN_TIMEOUT,
      `the run took longer than the run time-out of ${runTimeoutMs} ms and was given up`,
    );
    life.fail(error);
    life.giveUp();
    this.hasHung = true;
    if (!life.isProcess) this.leaveBehind(life);
    if (this.hungThreads.size > this.options.maxHungThreads && !this.isClosed) this.giveUp(error);
    else this.onEnded(error);
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    clearTimeout(this.restartTimer);
    const life = this.worker;
    if (life === undefined) return;
    const { promise: hasEnded, resolve } = Promise.withResolvers<void>();
    this.onClosed = resolve;
    life.end();
    const grace = setTimeout(() => {
      life.fail(
        new AssayError(Reason.SHUTTING_DOWN, "the run was still going on when its instance was closed"),
      );
      life.giveUp();
      resolve();
    }, this.options.endGraceMs);
    await hasEnded;
    clearTimeout(grace);
  }

  private become(event: InstanceEvent): void {
    this.state = nextState(this.state, event);
  }

  private start(): void {
    this.restartTimer = undefined;
    this.become("start");
    const { plan, isolation, workerUrl, relayUrl } = this.options;
    const inProcess = isolation === "process" || (isolation === "auto" && this.hasHung);
    const life = startWorker(
      { ...plan, workerUrl: inProcess ? relayUrl : workerUrl },
      {
        onReady: () => {
          if (this.worker === life) this.onReady();
        },
        onIdle: () => {
          if (this.worker !== life) return;
          this.become("run-ended");
          this.options.onIdle();
        },
        onEnded: (error) => {
          if (this.worker === life) this.onEnded(error);
        },
        onThreadEnded: () => this.onThreadEnded(life),
      },
    );
    this.worker = life;
  }

  private onReady(): void {
    const { log, onChange, onIdle } = this.options;
    this.upSince = performance.now();
    this.wasUp = true;
    this.failedStarts = 0;
    this.become("ready");
    if (this.restarts > 0) log.info({ ...this.names, restarts: this.restarts }, "instance is back");
    onChange();
    onIdle();
  }

  private onEnded(error: AssayError | undefined): void {
    const livedMs = this.upSince === undefined ? 0 : performance.now() - this.upSince;
    if (this.upSince === undefined) this.failedStarts++;
    this.upSince = undefined;
    this.worker = undefined;
    if (this.isClosed) {
      this.become("give-up");
      this.onClosed();
      return;
    }
    this.lastFailure = error;
    this.lastError = error?.message ?? "the thread was ended";
    const { delayMs, earlyEnds } = nextRestart({ earlyEnds: this.earlyEnds, livedMs });
    this.earlyEnds = earlyEnds;
    this.restarts++;
    this.become(this.failedStarts >= FAILED_STARTS ? "give-up" : "end");
    if (this.wasUp) {
      const fields = { ...this.names, restarts: this.restarts, delayMs, error: this.lastError };
      this.options.log.warn(fields, "instance ended");
    }
    this.restartTimer = setTimeout(() => this.start(), delayMs);
    this.options.onChange();
  }

  private leaveBehind(life: WorkerHandle): void {
    this.hungThreads.add(life);
    this.options.log.error(
      this.names,
      "a run hangs in native code; its thread is left behind and holds a core until the server ends",
    );
  }

  /** Starts no worker until one of the threads that hang has ended. */
  private giveUp(error: AssayError): void {
    this.worker = undefined;
    this.upSince = undefined;
    this.become("give-up");
    this.lastFailure = error;
    this.lastError = `${this.hungThreads.size} threads hang in native code`;
    this.options.onChange();
  }

  private onThreadEnded(life: WorkerHandle): void {
    if (!this.hungThreads.delete(life)) return;
    const waits = this.worker === undefined && this.restartTimer === undefined;
    if (waits && !this.isClosed) this.start();
  }
}

function nothing(): void {}
