/** Says what is served: the edge's ModelService, health and readiness read it. */
import type { GetModelResponse, ModelSummary } from "../../gen/assay/v1/model_service_pb.ts";
import type { ModelConfig } from "../../gen/inference/model_config_pb.ts";
import type { Batcher } from "../batcher/batcher.ts";
import type { InstanceStatus } from "../pool/pool.ts";
import type { Caller } from "./caller.ts";
import type { ModelCounters } from "./model-counters.ts";

/** Readiness: whether the server takes requests, and what is wrong with the models that do not serve. */
export interface Readiness {
  readonly ready: boolean;
  /** False while models are still being loaded. */
  readonly settled: boolean;
  readonly draining: boolean;
  readonly models: readonly ModelSummary[];
}

/** What a version has done. */
export interface VersionCounts {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly counters: ModelCounters;
}

/** A loaded version, what it has done, and what it holds. */
export interface CountedModel extends VersionCounts {
  readonly batcher: Pick<Batcher, "depth" | "maxQueueRows">;
  instances(): readonly InstanceStatus[];
}

/** Loads and unloads models at the word of callers. What was begun goes on when its caller has gone. */
export interface ModelControl {
  /**
   * Loads the versions of a model as they lie in the repository, and anew those whose files are other ones than those that serve. Rejects
   * with why one of them does not serve: MODEL_INVALID; with MODEL_NOT_FOUND; with QUEUE_FULL where too many wait for the model; with
   * SHUTTING_DOWN. What served before is served on then.
   */
  load(modelName: string, caller: Caller): Promise<void>;
  /** Lets a model serve no more; resolves when the calls that it holds are answered. Rejects as `load`. */
  unload(modelName: string, caller: Caller): Promise<void>;
}

/** The models as callers see them; made by `createModelsService`. */
export interface ModelsService {
  /** Every version of every model that the caller may know of, in short. */
  list(caller: Caller): ModelSummary[];
  /** The version that a call with this name and version means, in full. Throws what `ModelTable.find` throws. */
  get(modelName: string, modelVersion: string, caller: Caller): GetModelResponse;
  /** What config.pbtxt says of that version; undefined where it has none, or does not serve. Throws what `ModelTable.find` throws. */
  tritonConfig(modelName: string, modelVersion: string, caller: Caller): ModelConfig | undefined;
  /**
   * What versions have done since they were loaded: the one that a call with this name and version means; all that are loaded where the
   * name is empty. Throws what `ModelTable.resolve` throws.
   */
  counts(modelName: string, modelVersion: string, caller: Caller): readonly CountedModel[];
  /** The same of all edges that serve them together. Rejects with what `counts` throws. */
  totals(modelName: string, modelVersion: string, caller: Caller): Promise<readonly VersionCounts[]>;
  /** Of all models: whoever tells callers of single ones asks what they may know (`visibleTo`). */
  readiness(): Readiness;
}
