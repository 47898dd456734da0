import type { Tensor, TensorContents } from "../../../gen/assay/v1/tensor_pb.ts";
import { TensorRequest } from "../../service/tensor-request.ts";

/** An output that a request asks for. */
export interface AskedOutput {
  readonly name: string;
  /** Whether its values come behind the JSON; undefined: as the request says for all. */
  readonly isBinary: boolean | undefined;
}

const NOTHING: never[] = [];
const NO_OCTETS = new Uint8Array(0);

/** A request of `POST /v2/models/{model}/infer`: what is scored, and in what form its answer is wanted. */
export class InferRequest extends TensorRequest {
  /** None: all, in their order. */
  asked: readonly AskedOutput[] = NOTHING;
  /** For outputs that do not say it themselves. */
  isBinary = false;
  /** So many of the highest classes are asked for in the place of an output's values; by the output's name. */
  topClasses: Map<string, number> | undefined = undefined;

  constructor(modelName: string, modelVersion: string) {
    super();
    this.modelName = modelName;
    this.modelVersion = modelVersion;
  }
}

/** One input; a class, as `create` takes ten times as long. */
export class InferTensor implements Tensor {
  readonly $typeName = "assay.v1.Tensor";
  name = "";
  datatype = "";
  shape: bigint[] = NOTHING;
  contents: TensorContents | undefined = undefined;
  rawContents: Uint8Array = NO_OCTETS;
}
