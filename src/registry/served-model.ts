import type { Model, ModelState } from "../../gen/assay/v1/model_service_pb.ts";
import type { Batcher } from "../batcher/batcher.ts";
import type { ModelFeatures } from "../features/model-features.ts";
import type { RowColumnsResult } from "../model/row-columns.ts";
import type { ModelSignature } from "../model/signature.ts";
import type { TritonFiles } from "../model/triton/side-files.ts";
import type { GuestPort, InstanceStatus } from "../pool/pool.ts";
import type { SharedGeneration } from "./edges/shared-generation.ts";
import type { ModelCounters } from "./model-counters.ts";

/** A model version that takes requests. Whoever made the batcher closes it. */
export interface ServedModel {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly signature: ModelSignature;
  readonly batcher: Batcher;
  readonly rowColumns: RowColumnsResult;
  /** Completes rows; undefined for a model whose rows bring all columns. */
  readonly features?: ModelFeatures | undefined;
  /** Triton's config.pbtxt with the labels that it names; undefined for a model that has none. */
  readonly triton?: TritonFiles | undefined;
  /** Of its requests, whose stages the service tells, and of its runs, which the batcher tells. */
  readonly counters: ModelCounters;
  instances(): readonly InstanceStatus[];
  /** READY, or UNAVAILABLE while no instance lives. */
  state(): ModelState;
  /** Files that are other ones on disk than those that were loaded. */
  changedFiles(): readonly string[];
  /** Why what lies on disk by now does not serve in its place; undefined where nothing failed. */
  readonly updateFailure?: string | undefined;
  /** Everything that GetModel says of it alone. */
  describe(): Model;
}

/** A version that was loaded, from its first call to its last: what takes its calls, and what ends it. */
export interface Generation extends ServedModel {
  updateFailure?: string | undefined;
  /** Takes no more calls; resolves when all that it holds are answered. */
  drain(): Promise<void>;
  /** Lets another edge serve it too, with the sessions of this one: what it makes its own of with the other end of `port`. */
  share?(port: GuestPort): SharedGeneration;
  /** Ends its workers; what it still holds is answered with SHUTTING_DOWN. Idempotent. */
  close(): Promise<void>;
}
