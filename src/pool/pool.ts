/**
 * The pool runs batches on the instances of one model version.
 * Comes in: a batch, written straight into the instance's shared memory. Goes out: outputs as views of that memory.
 * Promises: one worker an instance, a thread or a process, each pinned to its device; an instance that is idle takes the batch;
 * a worker that exits, throws or hangs fails only what it held (INSTANCE_LOST, RUN_TIMEOUT) and is replaced,
 * with growing delays when it keeps dying; crossing to a worker and back is two atomic notifications on shared memory.
 */
import type { MessagePort } from "node:worker_threads";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import type { TreeKernelUse } from "../model/prepared-model.ts";
import type { Datatype, NumericArray } from "../tensor/datatype.ts";
import type { TensorData } from "../tensor/tensor-data.ts";
import type { InstanceState } from "./instance-state.ts";

/** One input of a batch with its full shape, axis 0 included. */
interface BatchInput {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}

/** Where a batch's elements go: an instance's memory; used only during `Batch.write`. */
export interface BatchMemory {
  /** All elements of numeric input `inputIndex`. */
  numeric(inputIndex: number): NumericArray;
  /** Appends elements to BYTES input `inputIndex`. */
  appendStrings(inputIndex: number, values: Iterable<string>): void;
}

/** Rows to run together. Exactly one of `onOutputs` and `onError` is called, once. */
export interface Batch {
  readonly inputs: readonly BatchInput[];
  /** The outputs to fetch; empty: all. */
  readonly outputNames: readonly string[];
  write(memory: BatchMemory): void;
  /** Numeric data is a view of the instance's memory, valid until the callback returns. */
  onOutputs(outputs: readonly TensorData[]): void;
  onError(error: AssayError): void;
}

/** One live or restarting instance, for ListModels, logs and metrics. */
export interface InstanceStatus {
  /** `cpu:0`, `cuda:1`. */
  readonly device: string;
  readonly state: InstanceState;
  readonly restarts: number;
  /** Why it last ended; empty where it never did. */
  readonly lastError: string;
  /** What runs the model's trees; undefined where it has none, or is not yet up. */
  readonly treeKernel: TreeKernelUse | undefined;
}

/** The host's end of what a guest was made with. */
export type GuestPort = MessagePort;

/** The instances of one model version; made by `createPool`, which resolves once every instance is up. */
export interface Pool {
  /** Instances that could take a batch now. */
  readonly idleCount: number;
  /** Instances that are up, idle or busy. */
  readonly liveCount: number;
  readonly instances: readonly InstanceStatus[];
  /** Runs a batch on an idle instance; must not be called while `idleCount` is 0. */
  run(batch: Batch): void;
  /** What to tell callers while no instance is up and none will be soon: MODEL_NOT_READY with a delay. */
  readonly outage: AssayError | undefined;
  /** Called whenever an instance becomes able to take a batch and when an outage begins; set by the batcher. */
  onIdle: () => void;
  /** Called when `liveCount` becomes 0 or stops being 0. */
  onAvailability: (available: boolean) => void;
  /**
   * Lets a pool in another thread, made by `createGuestPool` at the other end of the port, feed the same sessions; undefined where the
   * pool takes no guests. `close` waits for them to leave.
   */
  readonly admit?: ((port: GuestPort) => void) | undefined;
  /** Ends every worker after the batches they run. Idempotent. */
  close(): Promise<void>;
}

/**
 * Runs tensors as one batch on an idle instance and copies the outputs: for golden rows and probes, before a batcher has
 * the pool. Rejects with the pool's AssayError.
 */
export function runTensors(
  pool: Pool,
  inputs: readonly TensorData[],
  outputNames: readonly string[] = [],
): Promise<TensorData[]> {
  return new Promise((resolve, reject) => {
    if (pool.idleCount === 0)
      throw new AssayError(Reason.INSTANCE_LOST, "no instance is up to run these rows");
    pool.run({
      inputs,
      outputNames,
      write(memory) {
        for (const [index, input] of inputs.entries()) {
          if (input.datatype === "BYTES") memory.appendStrings(index, input.data as readonly string[]);
          else (memory.numeric(index) as Uint8Array).set(input.data as Uint8Array);
        }
      },
      onOutputs: (outputs) => resolve(outputs.map((output) => ({ ...output, data: output.data.slice() }))),
      onError: reject,
    });
  });
}
