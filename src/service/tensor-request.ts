import type { PredictRequest } from "../../gen/assay/v1/scoring_service_pb.ts";
import type { Tensor } from "../../gen/assay/v1/tensor_pb.ts";
import type { Lane } from "../batcher/batcher.ts";
import type { ServedModel } from "../registry/served-model.ts";

const ALL = ["*"];
const NONE: never[] = [];

/**
 * A request of a protocol that knows tensors alone: its answer has outputs in raw form, and neither scores nor labels. It may say itself
 * how it waits.
 */
export class TensorRequest implements PredictRequest {
  readonly $typeName = "assay.v1.PredictRequest";
  readonly features: number[] = NONE;
  readonly rows: PredictRequest["rows"] = NONE;
  modelName = "";
  modelVersion = "";
  requestId = "";
  inputs: Tensor[] = [];
  /** All, where it names none. */
  outputNames: string[] = ALL;
  /** How long it may take from when it came; Infinity: as long as its call. */
  timeoutMs = Number.POSITIVE_INFINITY;
  /** Where it waits; undefined: where its call does. */
  lane: Lane | undefined = undefined;
  /** What it was given to: the one whose answer comes, whatever serves by then. */
  scoredBy: ServedModel | undefined = undefined;
}
