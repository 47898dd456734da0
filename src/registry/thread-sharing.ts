import type { PreparedModel } from "../model/prepared-model.ts";
import type { DeviceChoice } from "../pool/devices.ts";
import { LONGEST_HOLD_UP_MS } from "../pool/shared-threads.ts";

/** Of so few models each has a thread of its own: a run in a shared one costs its batch up to half as much again. */
const FEW_MODELS = 8;

/** Whether the light ones of so many models share threads. */
export function sharesThreads(modelCount: number): boolean {
  return modelCount > FEW_MODELS;
}

/** Larger models take longer to load than others should wait. */
const MAX_SHARED_BYTES = 2 ** 20;
/** With a shorter run time-out, a run that waits for another's would count as hung. */
const MIN_SHARED_TIMEOUT_MS = 1_000;

/** What of a model decides whether it may share its thread. */
type Sharer = Pick<PreparedModel, "unboundedRun" | "externalData" | "bytes" | "config">;

/**
 * Why a model does not share its thread with others; undefined where it does, until its runs show to be long or many. `devices`
 * are where its instances run. What its isolation says is looked at by the pool.
 */
export function whyOwnThread(
  { unboundedRun, externalData, bytes, config }: Sharer,
  devices: DeviceChoice["devices"],
  runTimeoutMs: number,
): string | undefined {
  if (unboundedRun !== undefined) return unboundedRun;
  if (config.isolation === "thread" || config.isolation === "process")
    return `config.json asks for isolation ${config.isolation}`;
  if (config.instanceGroup.length > 0) return "it has an instance_group";
  if (devices.length !== 1 || devices[0]!.provider !== "cpu") return "it does not run on one CPU instance";
  if (externalData.length > 0) return "its weights lie in files of their own";
  if (bytes.length > MAX_SHARED_BYTES) return `it takes ${bytes.length} bytes, more than ${MAX_SHARED_BYTES}`;
  if (runTimeoutMs < MIN_SHARED_TIMEOUT_MS)
    return `its run time-out of ${runTimeoutMs} ms is shorter than ${MIN_SHARED_TIMEOUT_MS}`;
  return undefined;
}

/** How a model on one CPU instance lives with others where the server leaves its isolation to Assay, for `assay inspect`. */
export function describeThread(model: Sharer, runTimeoutMs: number): string {
  const why = whyOwnThread(model, [{ provider: "cpu", deviceId: 0 }], runTimeoutMs);
  if (why !== undefined) return `its own: ${why}`;
  return `shared with other light models where a server has more than ${FEW_MODELS}; a run of one holds up the others for at most ${LONGEST_HOLD_UP_MS} ms and the start of another thread`;
}
