import { type PredictResponse, PredictResponseSchema } from "../../gen/assay/v1/scoring_service_pb.ts";
import { plainTag } from "./plain-tag.ts";
import { varintBytes, writeVarint } from "./varint.ts";

const MODEL_NAME = plainTag(PredictResponseSchema, "modelName");
const MODEL_VERSION = plainTag(PredictResponseSchema, "modelVersion");
const REQUEST_ID = plainTag(PredictResponseSchema, "requestId");
const SCORES = plainTag(PredictResponseSchema, "scores");
const LABELS = plainTag(PredictResponseSchema, "labels");
const DOUBLE_BYTES = 8;

/** Scores and labels alone, as nearly all answers are; tensors, and text that is no Unicode, are left to protobuf-es. */
export function isPlainResponse({ outputs, requestId, $unknown }: PredictResponse): boolean {
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
  private readonly scoreBytes: number;
  private readonly labelBytes: number[] = [];

  constructor(response: PredictResponse) {
    this.response = response;
    this.nameBytes = Buffer.byteLength(response.modelName);
    this.versionBytes = Buffer.byteLength(response.modelVersion);
    this.idBytes = response.requestId === "" ? 0 : Buffer.byteLength(response.requestId);
    this.scoreBytes = response.scores.length * DOUBLE_BYTES;
    let byteCount = fieldBytes(this.nameBytes) + fieldBytes(this.versionBytes);
    byteCount += fieldBytes(this.idBytes) + fieldBytes(this.scoreBytes);
    for (const label of response.labels) {
      const bytes = Buffer.byteLength(label);
      this.labelBytes.push(bytes);
      // An empty label is still a label.
      byteCount += 1 + varintBytes(bytes) + bytes;
    }
    this.byteCount = byteCount;
  }

  /** Gives the place after it. */
  write(bytes: Buffer, from: number): number {
    const { nameBytes, versionBytes, idBytes, scoreBytes, labelBytes } = this;
    const { modelName, modelVersion, requestId, scores, labels } = this.response;
    let at = from;
    if (nameBytes > 0) at = writeText(bytes, at, MODEL_NAME, modelName, nameBytes);
    if (versionBytes > 0) at = writeText(bytes, at, MODEL_VERSION, modelVersion, versionBytes);
    if (idBytes > 0) at = writeText(bytes, at, REQUEST_ID, requestId, idBytes);
    if (scoreBytes > 0) {
      bytes[at++] = SCORES;
      at = writeVarint(bytes, at, scoreBytes);
      at = writeDoubles(bytes, at, scores);
    }
    for (let i = 0; i < labels.length; i++) at = writeText(bytes, at, LABELS, labels[i]!, labelBytes[i]!);
    return at;
  }
}

const SCRATCH_DOUBLES = 1024;
/** Doubles are written here, aligned, and copied: no memory is made for an answer but its own. */
const scratch = new Float64Array(SCRATCH_DOUBLES);
const scratchBytes = Buffer.from(scratch.buffer);

function writeDoubles(bytes: Buffer, from: number, values: readonly number[]): number {
  let at = from;
  for (let first = 0; first < values.length; first += SCRATCH_DOUBLES) {
    const count = Math.min(SCRATCH_DOUBLES, values.length - first);
    for (let i = 0; i < count; i++) scratch[i] = values[first + i]!;
    at += scratchBytes.copy(bytes, at, 0, count * DOUBLE_BYTES);
  }
  return at;
}

function fieldBytes(byteCount: number): number {
  return byteCount === 0 ? 0 : 1 + varintBytes(byteCount) + byteCount;
}

function writeText(bytes: Buffer, from: number, tag: number, text: string, byteCount: number): number {
  bytes[from] = tag;
  const at = writeVarint(bytes, from + 1, byteCount);
  if (byteCount === text.length && byteCount < 32) {
    for (let i = 0; i < byteCount; i++) bytes[at + i] = text.charCodeAt(i);
  } else bytes.write(text, at, byteCount, "utf8");
  return at + byteCount;
}
