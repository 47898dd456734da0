import type { PredictRequest } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { Tensor, TensorContents } from "../../../gen/assay/v1/tensor_pb.ts";

/** An output that a request asks for. */
export interface AskedOutput {
  readonly name: string;
  /** Whether its values come behind the JSON; undefined: as the request says for all. */
  readonly isBinary: boolean | undefined;
  /** So many of the highest classes are asked for in the place of values; 0: values. */
  readonly topClasses: number;
}

const NOTHING: never[] = [];
const NO_OCTETS = new Uint8Array(0);

/** A request of `POST /v2/models/{model}/infer`: what is scored, and in what form its answer is wanted. */
export class InferRequest implements PredictRequest {
  readonly $typeName = "assay.v1.PredictRequest";
  readonly features: number[] = NOTHING;
  readonly rows: PredictRequest["rows"] = NOTHING;
  readonly inputs: Tensor[] = [];
  modelName: string;
  modelVersion: string;
  requestId = "";
  outputNames: string[] = ALL;
  /** None: all, in their order. */
  asked: readonly AskedOutput[] = NOTHING;
  /** For outputs that do not say it themselves. */
  isBinary = false;
  /** How long it may take; undefined where it does not say. */
  timeoutMs: number | undefined = undefined;

  constructor(modelName: string, modelVersion: string) {
    this.modelName = modelName;
    this.modelVersion = modelVersion;
  }
}

const ALL = ["*"];

/** One input; a class, as `create` takes ten times as long. */
export class InferTensor implements Tensor {
  readonly $typeName = "assay.v1.Tensor";
  name = "";
  datatype = "";
  shape: bigint[] = NOTHING;
  contents: TensorContents | undefined = undefined;
  rawContents: Uint8Array = NO_OCTETS;
}
