/** Statistics of models as Triton tells them. */
import type { VersionCounts } from "../../registry/models.ts";

/** A number of times, and what they took together. */
interface Duration {
  readonly count: bigint;
  readonly ns: bigint;
}

const NS_A_MS = 1_000_000;
const NONE: Duration = { count: 0n, ns: 0n };

/**
 * One version's, as `inference.ModelStatistics` has them. Assay has no cache, no model of many answers, and does not know what ONNX Runtime
 * takes of memory: the lists of these are empty.
 */
export function modelStatistics({ modelName, modelVersion, counters }: VersionCounts) {
  const { successCount, lastInferenceAt } = counters;
  const stage = (ms: number): Duration => duration(successCount, ms);
  return {
    name: modelName,
    version: modelVersion,
    lastInference: Number.isNaN(lastInferenceAt)
      ? 0n
      : BigInt(Math.round(performance.timeOrigin + lastInferenceAt)),
    inferenceCount: BigInt(counters.inferenceCount),
    executionCount: BigInt(counters.executionCount),
    inferenceStats: {
      success: stage(counters.successMs),
      fail: duration(counters.failCount, counters.failMs),
      queue: stage(counters.queueMs),
      computeInput: stage(counters.inputMs),
      computeInfer: stage(counters.inferMs),
      computeOutput: stage(counters.outputMs),
      cacheHit: NONE,
      cacheMiss: NONE,
    },
    batchStats: [...counters.batches]
      .sort(([a], [b]) => a - b)
      .map(([rows, { count, ms }]) => ({
        batchSize: BigInt(rows),
        computeInput: duration(count, 0),
        computeInfer: duration(count, ms),
        computeOutput: duration(count, 0),
      })),
  };
}

function duration(count: number, ms: number): Duration {
  return { count: BigInt(count), ns: BigInt(Math.round(ms * NS_A_MS)) };
}
