import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { applyGateOutcome, passGoldenGate } from "../model/golden-gate.ts";
import { keepBatchDimension } from "../model/keep-batch-dimension.ts";
import type { FoundModel, PreparedModel } from "../model/prepared-model.ts";
import { createPool } from "../pool/create-pool.ts";
import { cpuDevices } from "../pool/devices.ts";
import type { Pool } from "../pool/pool.ts";
import { runTensors } from "../pool/run-tensors.ts";
import type { Log } from "../telemetry/log.ts";

/** Runs a model's gate on one CPU instance that ends with it: for `assay inspect`. */
export async function tryGate(found: PreparedModel, log: Log): Promise<FoundModel> {
  try {
    const start = (model: PreparedModel) => createPool({ model, devices: cpuDevices(1), log });
    const { model, pool } = await startRepaired(found, start);
    try {
      return { kind: "prepared", model: await passGate(model, pool) };
    } finally {
      await pool.close();
    }
  } catch (error) {
    if (!(error instanceof AssayError)) throw error;
    const { modelName, modelVersion } = found;
    return { kind: "refused", modelName, modelVersion, reason: error.message, cause: error };
  }
}

/** Runs the golden gate on a pool and applies what it found. Throws MODEL_INVALID where the model misses it. */
export async function passGate(model: PreparedModel, pool: Pool): Promise<PreparedModel> {
  const outcome = await passGoldenGate(model, (inputs) => runTensors(pool, inputs));
  if (outcome.kind === "passed") return applyGateOutcome(model, outcome);
  throw new AssayError(Reason.MODEL_INVALID, outcome.reason, { cause: outcome.cause });
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
