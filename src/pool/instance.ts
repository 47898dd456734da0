import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import type { TreeKernelUse } from "../model/prepared-model.ts";
import type { Log } from "../telemetry/log.ts";
import { deviceName } from "../worker/device.ts";
import { SHARED_RUN_LIMIT_MS } from "../worker/run-meter.ts";
import { type InstanceEvent, type InstanceState, nextRestart, nextState } from "./instance-state.ts";
import type { Batch, InstanceStatus } from "./pool.ts";
import { type InstanceGuests, type OpenThread, openOwnThread } from "./session-thread.ts";
import { openHostThread, type SharedThreads } from "./shared-threads.ts";
import { lostRows, WorkerHandle, type WorkerPlan } from "./worker-handle.ts";

/**
 * An instance and its states; `instance-state.ts` has the table that the code follows.
 *
 * | state | what may happen, and the next state |
 * |---|---|
 * | starting | its worker is up: idle · it ends: restarting |
 * | idle | it is given a batch: busy · its worker ends: restarting |
 * | busy | the run ends: idle · the worker ends or its run hangs: restarting |
 * | restarting | the next worker is up: idle · it ends too: restarting, or failed after some, or where the next waits long |
 * | failed | another start: restarting |
 *
 * Where too many threads hang it is failed until one of them ends, and after `close` it is failed for good.
 */

/**
 * The wall between a session and the rest of the server. `thread`: a thread, which is crossed to in microseconds; a run that
 * hangs costs it for good. `process`: a process, which can be killed and may crash alone. `auto`: a thread, which light sessions
 * share until their runs show to be long, and a process once a run has hung.
 */
export type Isolation = "thread" | "process" | "auto";

/** Options of an instance. */
export interface InstanceOptions {
  readonly plan: Omit<WorkerPlan, "openThread" | "hasGuests">;
  /** Undefined: nobody else feeds the session. */
  readonly guests: InstanceGuests | undefined;
  /** Threads to share, where the session may. */
  readonly sharedThreads: SharedThreads | undefined;
  readonly isolation: Isolation;
  /** The entries of a thread with a session, and of one that relays to a process; with guests, of threads that serve several channels. */
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
  /** Called when the instance runs a batch again that it took away from a thread that was held up. */
  readonly onRerun: () => void;
  /** Called when the instance comes up or goes down. */
  readonly onChange: () => void;
}

/** A worker that is replaced when it ends; made by `startInstance`. */
export interface Instance {
  readonly status: InstanceStatus;
  /** It can take a batch now. */
  readonly isIdle: boolean;
  /** Idle or busy, or on its way to another thread. */
  readonly isLive: boolean;
  /** Its starts fail again and again, or its threads hang. */
  readonly isFailed: boolean;
  readonly runStartedAt: number | undefined;
  /** Why the last start failed. */
  readonly lastFailure: AssayError | undefined;
  /** When the last start was due, or the next one is, on `performance.now()`'s clock. */
  readonly restartAt: number;
  run(batch: Batch): void;
  /**
   * Fails what the worker holds with RUN_TIMEOUT and puts another in its place. Where it is a guest's run that hangs, what the worker
   * holds waits for it and goes to the next.
   */
  replaceHung(runTimeoutMs: number, isGuests?: boolean): void;
  /** Its runs are too long for a thread that others share: it goes on there until its own is up. */
  moveOut(): void;
  /** Ends the worker after its run; settles when it has ended or, after the grace time, was given up. */
  close(): Promise<void>;
}

/** Starts an instance; `onChange` tells when it is up, or when its start failed. */
export function startInstance(options: InstanceOptions): Instance {
  return new WorkerInstance(options);
}

class WorkerInstance implements Instance {
  lastFailure: AssayError | undefined = undefined;
  restartAt = 0;
  private readonly options: InstanceOptions;
  /** Whose it is, for the log. */
  private readonly names: { readonly model: string; readonly device: string };
  private worker: WorkerHandle | undefined = undefined;
  private state: InstanceState = "starting";
  private restarts = 0;
  private lastError = "";
  private treeKernel: TreeKernelUse | undefined = undefined;
  private readonly ends = { earlyEnds: 0, failedStarts: 0 };
  private upSince: number | undefined = undefined;
  private wasUp = false;
  /** It was up, left a thread that another session held up, and starts in the next. */
  private isMoving = false;
  private readonly hungThreads = new Set<WorkerHandle>();
  private hasHung = false;
  /** Its runs are too long for a shared thread. */
  private needsOwnThread = false;
  /** In its own thread, while the worker still is in a shared one. */
  private successor: WorkerHandle | undefined = undefined;
  private isSuccessorUp = false;
  /** Taken from a thread that was held up; it is the next worker's first. */
  private unbegun: Batch | undefined = undefined;
  private restartTimer: NodeJS.Timeout | undefined = undefined;
  private isClosed = false;
  private onClosed: () => void = nothing;

  constructor(options: InstanceOptions) {
    this.options = options;
    this.names = { model: options.modelName, device: deviceName(options.plan.device) };
    this.start();
  }

  get status(): InstanceStatus {
    const { state, restarts, lastError, treeKernel } = this;
    return { device: this.names.device, state, restarts, lastError, treeKernel };
  }

  get isIdle(): boolean {
    return this.state === "idle" && !this.isClosed;
  }

  get isLive(): boolean {
    return (this.state === "idle" || this.state === "busy" || this.isMoving) && !this.isClosed;
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

  replaceHung(runTimeoutMs: number, isGuests = false): void {
    const life = this.worker;
    if (life === undefined) return;
    if (!isGuests && life.isWaiting) {
      life.waitAnew();
      this.options.onRerun();
      return;
    }
    const error = new AssayError(
      Reason.RUN_TIMEOUT,
      `the run took longer than the run time-out of ${runTimeoutMs} ms and was given up`,
    );
    if (isGuests) this.unbegun = life.take();
    this.options.guests?.onDown(true, error);
    life.fail(error);
    life.giveUp();
    this.hasHung = true;
    if (!life.isProcess) this.leaveBehind(life);
    if (this.hungThreads.size > this.options.maxHungThreads && !this.isClosed) this.giveUp(error);
    else this.onEnded(error, true);
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    clearTimeout(this.restartTimer);
    const life = this.worker;
    this.successor?.end();
    this.successor = undefined;
    if (life === undefined) {
      this.failUnbegun(undefined);
      return;
    }
    const { promise: hasEnded, resolve } = Promise.withResolvers<void>();
    this.onClosed = resolve;
    life.end();
    const grace = setTimeout(() => {
      life.fail(
        new AssayError(Reason.SHUTTING_DOWN, "the run was still going on when its instance was closed"),
      );
      this.failUnbegun(undefined);
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
    this.worker = this.startLife();
  }

  private startLife(): WorkerHandle {
    const life = new WorkerHandle(
      {
        ...this.options.plan,
        openThread: this.threadOfNext(),
        hasGuests: this.options.guests !== undefined,
      },
      {
        onReady: () => {
          if (this.worker === life) this.onReady();
          else if (this.successor === life) {
            this.isSuccessorUp = true;
            this.handOver();
          }
        },
        onIdle: () => {
          if (this.worker !== life) return;
          this.become("run-ended");
          this.handOver();
          this.options.onIdle();
        },
        onEnded: (error) => {
          if (this.worker === life) this.onEnded(error);
          else if (this.successor === life) this.successor = undefined;
        },
        onLongRuns: () => {
          if (this.worker === life) this.moveOut();
        },
        onHeldUp: () => this.leaveHeldUp(life),
        onAlone: () => {
          this.needsOwnThread = true;
        },
        onThreadEnded: () => this.onThreadEnded(life),
      },
    );
    return life;
  }

  private threadOfNext(): OpenThread {
    const { isolation, workerUrl, relayUrl, sharedThreads, modelName } = this.options;
    if (isolation === "process" || (isolation === "auto" && this.hasHung)) return this.ownThread(relayUrl);
    if (isolation === "thread" || sharedThreads === undefined || this.needsOwnThread)
      return this.ownThread(workerUrl);
    return (start, events) => sharedThreads.open(start, modelName, events);
  }

  private ownThread(url: URL): OpenThread {
    const { guests, log } = this.options;
    if (guests === undefined) return openOwnThread(url);
    return (start, events) => openHostThread(log, url, start, events);
  }

  moveOut(): void {
    this.needsOwnThread = true;
    if (this.isClosed || this.successor !== undefined) return;
    this.options.log.info(
      this.names,
      `runs take longer than ${SHARED_RUN_LIMIT_MS} ms or keep the shared thread busy: the model gets a thread of its own`,
    );
    this.isSuccessorUp = false;
    this.successor = this.startLife();
  }

  /** The successor takes the place of a worker that holds nothing. */
  private handOver(): void {
    const { worker, successor } = this;
    if (successor === undefined || !this.isSuccessorUp || this.isClosed) return;
    if (worker === undefined || worker.runStartedAt !== undefined) return;
    this.successor = undefined;
    this.worker = successor;
    this.tellUp();
    worker.end();
  }

  /** Another session holds up the thread: goes on in another one, with the batch that was not begun. */
  private leaveHeldUp(life: WorkerHandle): void {
    if (this.worker === life) {
      this.unbegun = life.take() ?? this.unbegun;
      life.end();
      this.options.guests?.onDown(true, undefined);
      if (this.isClosed) return;
      this.isMoving = this.upSince !== undefined;
      this.upSince = undefined;
      this.worker = undefined;
      this.become("end");
      if (this.successor === undefined) this.start();
      else this.succeed();
      this.options.onChange();
    } else life.end();
  }

  /** The successor, up or not, takes the place of a worker that has gone. */
  private succeed(): void {
    this.worker = this.successor;
    this.successor = undefined;
    if (this.isSuccessorUp) this.onReady();
  }

  private onReady(): void {
    const { log, onChange, onIdle } = this.options;
    this.upSince = performance.now();
    this.treeKernel = this.worker?.treeKernel;
    this.isMoving = false;
    this.wasUp = true;
    this.ends.failedStarts = 0;
    this.become("ready");
    this.tellUp();
    if (this.restarts > 0) log.info({ ...this.names, restarts: this.restarts }, "instance is back");
    const batch = this.unbegun;
    this.unbegun = undefined;
    if (batch !== undefined) {
      this.run(batch);
      this.options.onRerun();
    }
    onChange();
    if (this.isIdle) onIdle();
  }

  private tellUp(): void {
    const door = this.worker?.door;
    if (door !== undefined) this.options.guests?.onUp(door);
  }

  private failUnbegun(error: AssayError | undefined): void {
    const batch = this.unbegun;
    this.unbegun = undefined;
    batch?.onError(lostRows(error));
  }

  private onEnded(error: AssayError | undefined, keepsUnbegun = false): void {
    const livedMs = this.upSince === undefined ? 0 : performance.now() - this.upSince;
    if (this.upSince === undefined) this.ends.failedStarts++;
    this.upSince = undefined;
    this.worker = undefined;
    this.isMoving = false;
    this.options.guests?.onDown(false, error);
    if (!keepsUnbegun || this.isClosed) this.failUnbegun(error);
    if (this.isClosed) {
      this.become("give-up");
      this.onClosed();
      return;
    }
    this.lastFailure = error;
    this.lastError = error?.message ?? "the thread was ended";
    const { delayMs, earlyEnds, event } = nextRestart({ ...this.ends, livedMs });
    this.ends.earlyEnds = earlyEnds;
    this.restartAt = performance.now() + delayMs;
    this.restarts++;
    this.become(event);
    if (this.wasUp) {
      const fields = { ...this.names, restarts: this.restarts, delayMs, error: this.lastError };
      this.options.log.warn(fields, "instance ended");
    }
    if (this.successor !== undefined) this.succeed();
    else this.restartTimer = setTimeout(() => this.start(), delayMs);
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
    this.failUnbegun(error);
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
