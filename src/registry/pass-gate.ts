import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { limitHit } from "../limits.ts";
import { applyGateOutcome, passGoldenGate } from "../model/gate/golden-gate.ts";
import type { FoundModel, PreparedModel } from "../model/prepared-model.ts";
import { keepBatchDimension } from "../model/repair/batch-dimension.ts";
import { warmupSamples } from "../model/triton/warmup.ts";
import { createPool } from "../pool/create-pool.ts";
import { cpuDevices } from "../pool/devices.ts";
import { type Pool, runTensors } from "../pool/pool.ts";
import type { Log } from "../telemetry/log.ts";
import type { TensorData } from "../tensor/tensor-data.ts";
import { treeOptions } from "./tree-kernel-use.ts";

/** When a load counts as failed, on `performance.now()`'s clock, and the time-out that this comes from. */
export interface LoadDeadline {
  readonly at: number;
  readonly timeoutMs: number;
  /** The longest that one first run may take. */
  readonly firstRunMs: number;
}

/**
 * Runs a model's gate on one CPU instance that ends with it, in a process of its own, so that one that hangs or crashes is a
 * refusal like any other: for `assay inspect`.
 */
export async function tryGate(found: PreparedModel, log: Log): Promise<FoundModel> {
  try {
    const start = (model: PreparedModel) =>
      createPool({
        model,
        devices: cpuDevices(1),
        isolation: "process",
        ...treeOptions(model, { treeKernel: "auto" }),
        log,
        ...(model.config.runTimeoutMs === undefined ? {} : { runTimeoutMs: model.config.runTimeoutMs }),
      });
    const { model, pool } = await startRepaired(found, start);
    try {
      const passed = await passGate(model, pool);
      const treeKernel = pool.instances[0]?.treeKernel;
      return { kind: "prepared", model: { ...passed, treeKernel } };
    } finally {
      await pool.close();
    }
  } catch (error) {
    if (!(error instanceof AssayError)) throw error;
    const { modelName, modelVersion } = found;
    return { kind: "refused", modelName, modelVersion, reason: error.message, cause: error };
  }
}

/**
 * Runs the golden gate on a pool and applies what it found. Throws MODEL_INVALID where the model misses it, does not answer in
 * time or ends its worker: no other row is tried then.
 */
export async function passGate(
  model: PreparedModel,
  pool: Pool,
  deadline: LoadDeadline = { at: Infinity, timeoutMs: Infinity, firstRunMs: Infinity },
): Promise<PreparedModel> {
  let fatal: AssayError | undefined;
  const run = async (inputs: readonly TensorData[]) => {
    if (fatal !== undefined) throw fatal;
    try {
      return await inTime(runTensors(pool, inputs), deadline);
    } catch (error) {
      fatal = fatalError(error, inputs);
      throw error;
    }
  };
  const outcome = await passGoldenGate(model, run);
  if (fatal !== undefined) throw fatal;
  if (outcome.kind === "passed") {
    await warmUp(model, pool, deadline);
    return applyGateOutcome(model, outcome);
  }
  throw new AssayError(Reason.MODEL_INVALID, outcome.reason, { cause: outcome.cause });
}

/** Runs what model_warmup of config.pbtxt asks for, on every instance. Throws MODEL_INVALID where a sample does not run. */
async function warmUp(
  { triton, signature }: PreparedModel,
  pool: Pool,
  deadline: LoadDeadline,
): Promise<void> {
  for (const { name, inputs, count } of triton === undefined ? [] : warmupSamples(triton, signature)) {
    for (let run = 0; run < count; run++) {
      try {
        const onEach = Array.from({ length: pool.idleCount }, () =>
          inTime(runTensors(pool, inputs), deadline),
        );
        await Promise.all(onEach);
      } catch (cause) {
        const why = cause instanceof AssayError ? cause.message : String(cause);
        const what = `config.pbtxt: model_warmup ${JSON.stringify(name)} did not run: ${why}`;
        throw new AssayError(Reason.MODEL_INVALID, what, { cause });
      }
    }
  }
}

const ADVICE =
  "; export it again without a loop that does not end, or give it a longer run_timeout_ms in its config.json if it is only slow";

/** Rejects with RUN_TIMEOUT where a first run takes too long, or the whole load does. */
async function inTime<T>(run: Promise<T>, deadline: LoadDeadline): Promise<T> {
  const leftMs = deadline.at - performance.now();
  // Beyond what Node's timers can wait they ring at once.
  const timeoutMs = Math.max(0, Math.min(deadline.firstRunMs, leftMs, 2 ** 31 - 1));
  const { promise: isOver, reject } = Promise.withResolvers<never>();
  const what =
    leftMs < deadline.firstRunMs
      ? `the load took longer than the load time-out of ${deadline.timeoutMs} ms`
      : `the run took longer than ${deadline.firstRunMs} ms`;
  const limit = leftMs < deadline.firstRunMs ? "load-timeout-ms" : "run-timeout-ms";
  const timer = setTimeout(() => {
    limitHit(limit);
    reject(new AssayError(Reason.RUN_TIMEOUT, what));
  }, timeoutMs);
  try {
    return await Promise.race([run, isOver]);
  } finally {
    clearTimeout(timer);
  }
}

/** What a failed run says of the model itself, whatever rows it was given; undefined where other rows may do better. */
function fatalError(error: unknown, inputs: readonly TensorData[]): AssayError | undefined {
  if (!(error instanceof AssayError)) return undefined;
  const what = fault(error.reason, inputs);
  if (what === undefined) return undefined;
  const advice = error.reason === Reason.RUN_TIMEOUT ? ADVICE : "";
  return new AssayError(Reason.MODEL_INVALID, `${what}: ${error.message}${advice}`, { cause: error });
}

function fault(reason: Reason, inputs: readonly TensorData[]): string | undefined {
  switch (reason) {
    case Reason.RUN_TIMEOUT:
      return "the model did not answer its first run";
    case Reason.INSTANCE_LOST:
      return "the model's first run ended its worker";
    case Reason.OUTPUT_TOO_LARGE:
      return inputs.every(({ shape }) => (shape[0] ?? 1) <= 1)
        ? "the model cannot answer one row"
        : undefined;
    default:
      return undefined;
  }
}

/** Starts a pool; a graph whose batch dimension was opened and that no session can be made of gets it back. */
export async function startRepaired(
  model: PreparedModel,
  start: (model: PreparedModel) => Promise<Pool>,
): Promise<{ model: PreparedModel; pool: Pool }> {
  try {
    return { model, pool: await start(model) };
  } catch (error) {
    const kept = keepBatchDimension(model);
    const invalid = error instanceof AssayError && error.reason === Reason.MODEL_INVALID;
    if (kept === undefined || !invalid) throw error;
    return { model: kept, pool: await start(kept) };
  }
}
