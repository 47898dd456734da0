import { type PredictResponse, PredictResponseSchema } from "../../gen/assay/v1/scoring_service_pb.ts";
import { plainTag } from "./plain-tag.ts";
import { fieldBytes, optionalBytes, type WireWriter } from "./wire-writer.ts";

const MODEL_NAME = plainTag(PredictResponseSchema, "modelName");
const MODEL_VERSION = plainTag(PredictResponseSchema, "modelVersion");
const REQUEST_ID = plainTag(PredictResponseSchema, "requestId");
const SCORES = plainTag(PredictResponseSchema, "scores");
const LABELS = plainTag(PredictResponseSchema, "labels");
const DOUBLE_BYTES = 8;

/** Scores and labels alone, as nearly all answers are; tensors, and text that is no Unicode, are left to protobuf-es. */
export function isPlainResponse(response: PredictResponse): boolean {
  const { outputs, requestId, featureReport, $unknown } = response;
  if (featureReport !== undefined) return false;
  return outputs.length === 0 && $unknown === undefined && (requestId === "" || requestId.isWellFormed());
}

/**
 * A plain response, measured and then written where there is room: by hand, because it costs a sixth of what protobuf-es takes; a
 * property test holds the two together.
 */
export class MeasuredResponse {
  /** Of the whole message. */
  readonly byteCount: number;
  private readonly response: PredictResponse;
  private readonly nameBytes: number;
  private readonly versionBytes: number;
  private readonly idBytes: number;
  private readonly labelBytes: number[] = [];

  constructor(response: PredictResponse) {
    this.response = response;
    this.nameBytes = Buffer.byteLength(response.modelName);
    this.versionBytes = Buffer.byteLength(response.modelVersion);
    this.idBytes = response.requestId === "" ? 0 : Buffer.byteLength(response.requestId);
    let byteCount = optionalBytes(this.nameBytes) + optionalBytes(this.versionBytes);
    byteCount += optionalBytes(this.idBytes) + optionalBytes(response.scores.length * DOUBLE_BYTES);
    for (const label of response.labels) {
      const bytes = Buffer.byteLength(label);
      this.labelBytes.push(bytes);
      // An empty label is still a label.
      byteCount += fieldBytes(bytes);
    }
    this.byteCount = byteCount;
  }

  write(writer: WireWriter): void {
    const { nameBytes, versionBytes, idBytes, labelBytes } = this;
    const { modelName, modelVersion, requestId, scores, labels } = this.response;
    if (nameBytes > 0) writer.text(MODEL_NAME, modelName, nameBytes);
    if (versionBytes > 0) writer.text(MODEL_VERSION, modelVersion, versionBytes);
    if (idBytes > 0) writer.text(REQUEST_ID, requestId, idBytes);
    if (scores.length > 0) writer.doubles(SCORES, scores);
    for (let i = 0; i < labels.length; i++) writer.text(LABELS, labels[i]!, labelBytes[i]!);
  }
}
