/** Pools, batchers and entries for tests of the scoring core. */

import {
  type Batcher,
  type BatcherOptions,
  type Entry,
  type Lane,
  NOT_YET,
  type StageTimes,
} from "../../../src/batcher/batcher.ts";
import { createBatcher } from "../../../src/batcher/create-batcher.ts";
import { createPool, type PoolOptions } from "../../../src/pool/create-pool.ts";
import type { Pool } from "../../../src/pool/pool.ts";
import type { TensorData } from "../../../src/tensor/tensor-data.ts";
import { affineModel, type TestModel } from "../models/onnx-model.ts";
import { silentLog } from "./silent-log.ts";

/** A pool and its batcher. */
export interface Core {
  readonly pool: Pool;
  readonly batcher: Batcher;
  close(): Promise<void>;
}

/** Starts real workers for a model and a batcher on them. */
export async function startCore(
  options: {
    readonly model?: TestModel;
    readonly instances?: number;
    readonly pool?: Partial<PoolOptions>;
    readonly batcher?: Partial<BatcherOptions>;
  } = {},
): Promise<Core> {
  const model = options.model ?? affineModel();
  const devices = Array.from({ length: options.instances ?? 1 }, (_, deviceId) => ({
    provider: "cpu" as const,
    deviceId,
  }));
  const pool = await createPool({ model, devices, log: silentLog, ...options.pool });
  const batcher = createBatcher({
    pool,
    modelName: model.modelName,
    batching: model.signature.batching,
    log: silentLog,
    ...options.batcher,
  });
  return {
    pool,
    batcher,
    async close() {
      await batcher.close();
      await pool.close();
    },
  };
}

/** An entry for `affineModel`: row r holds `first + r` in every column. */
export interface EntryOptions {
  readonly rowCount?: number;
  readonly columns?: number;
  readonly first?: number;
  readonly lane?: Lane;
  readonly deadlineAt?: number;
  readonly outputNames?: readonly string[];
}

/** The times of an entry that has not come. */
export function stageTimes(): StageTimes {
  return { enqueuedAt: NOT_YET, startedAt: NOT_YET, endedAt: NOT_YET };
}

/** An entry that counts what comes back. */
export interface TestEntry extends Entry {
  /** Settles with copies of the outputs or the error. */
  readonly answer: Promise<readonly TensorData[]>;
  /** Times that either callback came. */
  readonly answerCount: number;
}

/** Makes an entry whose rows are distinct numbers. */
export function affineEntry(options: EntryOptions = {}): TestEntry {
  const { rowCount = 1, columns = 2, first = 0 } = options;
  let answerCount = 0;
  let resolve: (outputs: readonly TensorData[]) => void;
  let reject: (error: Error) => void;
  const answer = new Promise<readonly TensorData[]>((onOutputs, onError) => {
    resolve = onOutputs;
    reject = onError;
  });
  answer.catch(() => {});
  return {
    rowCount,
    byteCount: rowCount * columns * 4,
    inputs: [{ name: "x", datatype: "FP32", tailShape: [columns] }],
    shapeKey: `x${columns}`,
    lane: options.lane ?? "interactive",
    deadlineAt: options.deadlineAt ?? Number.POSITIVE_INFINITY,
    outputNames: options.outputNames ?? [],
    times: stageTimes(),
    write(writer, fromRow, count) {
      const target = writer.numeric(0);
      for (let i = 0; i < count * columns; i++) target[i] = first + fromRow + Math.floor(i / columns);
    },
    onOutputs(outputs) {
      answerCount++;
      resolve(outputs.map((output) => ({ ...output, data: output.data.slice() })));
    },
    onError(error) {
      answerCount++;
      reject(error);
    },
    answer,
    get answerCount() {
      return answerCount;
    },
  };
}

/** What `affineModel` answers to an `affineEntry`. */
export function affineAnswer(options: EntryOptions = {}): number[] {
  const { rowCount = 1, columns = 2, first = 0 } = options;
  return Array.from({ length: rowCount * columns }, (_, i) => 2 * (first + Math.floor(i / columns)) + 1);
}

/** Enqueues an entry and waits for the numbers of its first output. */
export async function score(core: Core, options: EntryOptions = {}): Promise<number[]> {
  const entry = affineEntry(options);
  core.batcher.enqueue(entry);
  const outputs = await entry.answer;
  return Array.from(outputs[0]!.data, Number);
}

/** Ends a turn of the event loop, when an idle instance takes what came in it. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
