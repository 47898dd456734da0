import { messageOf } from "../../errors.ts";
import { createGuestPool } from "../../pool/guests/guest-pool.ts";
import type { GuestPort } from "../../pool/pool.ts";
import type { Log } from "../../telemetry/log.ts";
import { makeFeatures } from "../features/open-features.ts";
import type { FileWatch } from "../file-watch.ts";
import { LoadedModel } from "../loaded-model.ts";
import { ModelCounters } from "../model-counters.ts";
import type { Generation } from "../served-model.ts";
import { MAX_RUN_BYTES, type SharedGeneration } from "./shared-generation.ts";

/** What an edge makes generations with that another one has loaded. */
export interface OpenOptions {
  /** The edge's own, from 1: the one that loads is 0. */
  readonly place: number;
  readonly log: Log;
  readonly fileWatch: FileWatch;
  /** What the version has done so far; undefined: nothing. */
  readonly counters: ModelCounters | undefined;
  /** What URLs of feature stores are made of. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Makes this edge's generation of one that was shared, over the sessions of the edge that loaded it. */
export function openGeneration(
  { model, scheduling, queues }: SharedGeneration,
  port: GuestPort,
  { place, log, fileWatch, counters = new ModelCounters(), environment }: OpenOptions,
): Generation {
  const { inputs, outputs } = model.signature;
  const pool = createGuestPool({
    port,
    plan: {
      inputNames: inputs.map(({ name }) => name),
      outputNames: outputs.map(({ name }) => name),
      maxInputBytes: MAX_RUN_BYTES,
    },
    runTimeoutMs: scheduling.runTimeoutMs,
  });
  const features = makeFeatures(model, { environment, log }, counters);
  // The first edge has shown that they can be opened; what has changed since is told by look-ups.
  features?.open().catch((error: unknown) => {
    log.error({ model: model.modelName }, `a feature source could not be opened: ${messageOf(error)}`);
  });
  return new LoadedModel(model, pool, scheduling, {
    log: quiet(log),
    fileWatch,
    queues: { memory: queues, place },
    counters,
    features,
  });
}

/** What the first edge tells of a model's files is not told once more; what is wrong in this thread is. */
function quiet(log: Log): Log {
  return {
    debug() {},
    info() {},
    warn() {},
    error: (fields, message) => log.error(fields, message),
    isLevelEnabled: (level) => log.isLevelEnabled(level),
  };
}
