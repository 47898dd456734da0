import type { Batcher, BatcherOptions } from "../../../src/batcher/batcher.ts";
import { createBatcher } from "../../../src/batcher/create-batcher.ts";
import type { AssayError } from "../../../src/errors.ts";
import type { Batch, Pool } from "../../../src/pool/pool.ts";
import { type NumericArray, numericView } from "../../../src/tensor/datatype.ts";
import { elementCount } from "../../../src/tensor/tensor-data.ts";
import { turn } from "./scoring-core.ts";
import { silentLog } from "./silent-log.ts";

/** One batch that the fake holds. */
interface HeldBatch {
  /** The elements of its first input, which must be numeric. */
  readonly rows: readonly number[];
  readonly shape: readonly number[];
  readonly outputNames: readonly string[];
  /** Answers with `2x + 1` for each element, in an output `y` of the same shape. */
  succeed(): void;
  fail(error: AssayError): void;
}

/** The one fake: a pool whose runs end when the test says so. */
export interface FakePool extends Pool {
  readonly held: HeldBatch[];
  outage: AssayError | undefined;
}

/** Makes a pool of `instanceCount` instances, all idle. */
export function createFakePool(instanceCount = 1): FakePool {
  const held: HeldBatch[] = [];
  return {
    held,
    outage: undefined,
    get idleCount() {
      return instanceCount - held.length;
    },
    liveCount: instanceCount,
    instances: [],
    onIdle: () => {},
    onAvailability: () => {},
    async close() {},
    run(batch: Batch) {
      const [input] = batch.inputs;
      const count = elementCount(input!.shape);
      const memory = numericView("FP32", new ArrayBuffer(count * 4), 0, count) as Float32Array;
      memory.fill(Number.NaN);
      batch.write({ numeric: (): NumericArray => memory, appendStrings: () => {} });
      const end = (answer: () => void): void => {
        held.splice(held.indexOf(one), 1);
        this.onIdle();
        answer();
      };
      const one: HeldBatch = {
        rows: Array.from(memory),
        shape: input!.shape,
        outputNames: batch.outputNames,
        succeed: () =>
          end(() =>
            batch.onOutputs([
              {
                name: "y",
                datatype: "FP32",
                shape: input!.shape,
                data: memory.map((value) => 2 * value + 1),
              },
            ]),
          ),
        fail: (error) => end(() => batch.onError(error)),
      };
      held.push(one);
    },
  };
}

/** A batcher over a fake pool. */
export function fakeBatcher(
  options: Partial<BatcherOptions> = {},
  instanceCount = 1,
): { pool: FakePool; batcher: Batcher } {
  const pool = createFakePool(instanceCount);
  const common = { pool, modelName: "m", batching: "across-requests", log: silentLog } as const;
  return { pool, batcher: createBatcher({ ...common, ...options }) };
}

/** Answers batches until none is left. */
export async function succeedAll(pool: FakePool): Promise<void> {
  for (await turn(); pool.held.length > 0; await turn()) pool.held[0]!.succeed();
}
