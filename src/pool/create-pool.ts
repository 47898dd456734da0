import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import type { PreparedModel } from "../model/prepared-model.ts";
import { sessionNameOf } from "../model/repair/session-names.ts";
import { entryUrl } from "../package-files.ts";
import type { Log } from "../telemetry/log.ts";
import type { TensorData } from "../tensor/tensor-data.ts";
import type { Device } from "../worker/device.ts";
import { toldError } from "./guests/guest-messages.ts";
import { PoolHost } from "./guests/pool-host.ts";
import { idleCountOf, runOnIdle } from "./idle-instances.ts";
import { type Instance, type Isolation, startInstance } from "./instance.ts";
import { longWaitMs } from "./instance-state.ts";
import type { Batch, Pool } from "./pool.ts";
import type { SharedThreads } from "./shared-threads.ts";
import { createWatchdog, type Watchdog } from "./watchdog.ts";

/** Options of a pool. */
export interface PoolOptions {
  readonly model: Pick<PreparedModel, "modelName" | "modelVersion" | "bytes" | "externalData" | "signature">;
  /** One instance each, at least one. */
  readonly devices: readonly Device[];
  /** Threads inside one run on CPU; default 1. */
  readonly intraOpThreads?: number;
  /** The longest that one run may take; default 30,000. */
  readonly runTimeoutMs?: number;
  /** The longest that a worker may take to load the model; default 300,000. */
  readonly startTimeoutMs?: number;
  /** What holds sessions apart; default `auto`. */
  readonly isolation?: Isolation;
  /** Threads to share with the sessions of other models; default: each instance has its own. Isolation `auto` only. */
  readonly sharedThreads?: SharedThreads;
  /** Pools in other threads feed the sessions too (`Pool.admit`); default false. */
  readonly takesGuests?: boolean;
  /** Rows of golden cases, where Assay's own code may run trees; default: ONNX Runtime runs all. */
  readonly treeRows?: readonly (readonly TensorData[])[];
  /** How long a worker that is asked to end may take before it is given up; default 1,000. */
  readonly endGraceMs?: number;
  /** The most bytes of the inputs, and of the outputs, of one run; default 256 MiB each. */
  readonly maxRunBytes?: number;
  readonly log: Log;
  /** The entry of worker threads, with guests that of threads which serve several channels; tests give their own. */
  readonly workerUrl?: URL;
}

const WORKER_URL = entryUrl("worker/worker-main");
const RELAY_URL = entryUrl("worker/process/relay-main");
const SHARED_URL = entryUrl("worker/shared-main");
const SHARED_RELAY_URL = entryUrl("worker/process/shared-relay-main");
const MAX_HUNG_THREADS = 2;
const OUTAGE_RETRY_MS = 1_000;

/**
 * Starts one instance a device and resolves once all are up. Rejects with what failed the first of them: MODEL_INVALID,
 * DEVICE_UNAVAILABLE, INSTANCE_LOST; nothing is left behind then.
 */
export async function createPool(options: PoolOptions): Promise<Pool> {
  const { model, log, runTimeoutMs = 30_000, maxRunBytes = 256 * 1024 * 1024 } = options;
  if (options.devices.length === 0) throw new AssayError(Reason.DEVICE_UNAVAILABLE, "no device to run on");
  const { modelName, modelVersion } = model;
  // Closures of the pool live as long as it does: none of them may keep the options, and with them the model's own bytes.
  const deviceCount = options.devices.length;
  const bytes = shared(model.bytes);
  const instances: Instance[] = [];
  const watchdog = createWatchdog(instances, runTimeoutMs, (instance) => instance.replaceHung(runTimeoutMs));
  const { takesGuests = false } = options;
  const hostActs = {
    state: () => {
      const { liveCount, outage } = pool;
      return { instances: pool.instances, liveCount, outage: outage && toldError(outage) };
    },
    replaceHung: (index: number) => instances[index]!.replaceHung(runTimeoutMs, true),
    moveOut: (index: number) => instances[index]!.moveOut(),
  };
  const host = takesGuests ? new PoolHost(hostActs, runTimeoutMs) : undefined;
  let available = false;
  let onStart = (): void => {};

  function onChange(): void {
    onStart();
    const isAvailable = pool.liveCount > 0;
    if (isAvailable !== available) {
      available = isAvailable;
      pool.onAvailability(available);
    }
    if (!isAvailable) pool.onIdle();
    host?.tellState();
  }

  const pool = new OpenPool({
    name: `model ${modelName} version ${modelVersion}`,
    instances,
    watchdog,
    host,
  });

  const up = new Promise<void>((resolve, reject) => {
    onStart = () => {
      const failed = instances.find((instance) => instance.lastFailure !== undefined);
      if (failed !== undefined) reject(failed.lastFailure);
      else if (pool.liveCount === deviceCount) resolve();
    };
  });
  for (const device of options.devices) {
    instances.push(
      startInstance({
        plan: {
          device,
          intraOpThreads: options.intraOpThreads ?? 1,
          bytes,
          externalData: model.externalData,
          inputNames: model.signature.inputs.map((input) => input.name),
          outputNames: model.signature.outputs.map((output) => output.name),
          inputSessionNames: model.signature.inputs.map(sessionNameOf),
          outputSessionNames: model.signature.outputs.map(sessionNameOf),
          inputDatatypes: model.signature.inputs.map((input) => input.datatype),
          outputDatatypes: model.signature.outputs.map((output) => output.datatype),
          maxOutputBytes: maxRunBytes,
          treeRows: options.treeRows,
          maxInputBytes: maxRunBytes,
          startTimeoutMs: options.startTimeoutMs ?? 300_000,
        },
        isolation: options.isolation ?? "auto",
        sharedThreads: options.sharedThreads,
        guests: host?.nextInstance(),
        workerUrl: options.workerUrl ?? (takesGuests ? SHARED_URL : WORKER_URL),
        relayUrl: takesGuests ? SHARED_RELAY_URL : RELAY_URL,
        log,
        modelName,
        endGraceMs: options.endGraceMs ?? 1_000,
        maxHungThreads: MAX_HUNG_THREADS,
        onIdle: () => pool.onIdle(),
        onRerun: () => watchdog.watch(),
        onChange,
      }),
    );
  }
  try {
    await up;
  } catch (error) {
    await pool.close();
    throw error;
  }
  onStart = () => {};
  return pool;
}

/** What a pool is made of. */
interface PoolParts {
  /** The model version, for messages. */
  readonly name: string;
  readonly instances: readonly Instance[];
  readonly watchdog: Watchdog;
  readonly host: PoolHost | undefined;
}

/** A class, since of an object literal with getters V8 looks each one up anew, call after call. */
class OpenPool implements Pool {
  readonly admit: Pool["admit"];
  onIdle: Pool["onIdle"] = nothing;
  onAvailability: Pool["onAvailability"] = nothing;
  private readonly name: string;
  private readonly openInstances: readonly Instance[];
  private readonly watchdog: Watchdog;
  private readonly host: PoolHost | undefined;
  private isClosed = false;

  constructor({ name, instances, watchdog, host }: PoolParts) {
    this.name = name;
    this.openInstances = instances;
    this.watchdog = watchdog;
    this.host = host;
    this.admit = host === undefined ? undefined : (port) => host.admit(port);
  }

  get idleCount(): number {
    return idleCountOf(this.openInstances);
  }

  get liveCount(): number {
    let count = 0;
    for (const instance of this.openInstances) if (instance.isLive) count++;
    return count;
  }

  get instances(): Pool["instances"] {
    return this.openInstances.map((instance) => instance.status);
  }

  get outage(): AssayError | undefined {
    for (const instance of this.openInstances) if (!instance.isFailed) return undefined;
    return this.outageNow();
  }

  run(batch: Batch): void {
    runOnIdle(this.openInstances, batch, this.watchdog);
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await this.host?.left();
    await Promise.all(this.openInstances.map((instance) => instance.close()));
    this.watchdog.close();
  }

  private outageNow(): AssayError {
    const first = this.openInstances[0];
    const restarts = this.openInstances.map(({ restartAt }) => restartAt);
    const next = nextStart(longWaitMs(restarts, performance.now()));
    return new AssayError(
      Reason.MODEL_NOT_READY,
      `${this.name} has no live instance: ${first?.status.lastError ?? ""}${next}`,
      // Not the time until then: another server may answer at once.
      { retryAfterMs: OUTAGE_RETRY_MS, cause: first?.lastFailure },
    );
  }
}

function nothing(): void {}

/** What workers are given is copied for each unless it is shared; they live as long as the model does. */
function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

/** For a message that may be told for as long as the wait lasts: a time of day. */
function nextStart(waitMs: number | undefined): string {
  if (waitMs === undefined) return "";
  const at = new Date(Date.now() + waitMs).toISOString().replace(/\.\d+Z$/, "Z");
  return `; the next start is at ${at}`;
}
