import { fromBinary } from "@bufbuild/protobuf";
import {
  type PredictResponse,
  PredictResponseSchema,
  PredictStreamResponseSchema,
} from "../../gen/assay/v1/scoring_service_pb.ts";
import { type Tensor, TensorSchema } from "../../gen/assay/v1/tensor_pb.ts";
import { type Status, StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import { KnownTexts } from "./known-texts.ts";
import { plainTag } from "./plain-tag.ts";
import { DELIMITED, FIXED64, WireCursor } from "./wire-cursor.ts";

/** One PredictStreamResponse: which item, and its scores or why there are none. */
export interface Answer {
  readonly itemId: number;
  readonly response?: PredictResponse;
  readonly status?: Status;
}

const ITEM_ID = plainTag(PredictStreamResponseSchema, "itemId");
const RESPONSE = plainTag(PredictStreamResponseSchema, "response");
const STATUS = plainTag(PredictStreamResponseSchema, "status");
const MODEL_NAME = plainTag(PredictResponseSchema, "modelName");
const MODEL_VERSION = plainTag(PredictResponseSchema, "modelVersion");
const REQUEST_ID = plainTag(PredictResponseSchema, "requestId");
const SCORES = plainTag(PredictResponseSchema, "scores");
/** One that is not packed. */
const SCORE = SCORES - DELIMITED + FIXED64;
const LABELS = plainTag(PredictResponseSchema, "labels");
const OUTPUTS = plainTag(PredictResponseSchema, "outputs");

/** Enough for labels to have places of their own mostly. */
const TEXT_PLACES = 256;

/**
 * Reads what fromBinary reads, only faster where answers are long: packed scores as one block, and labels, of which a model has few, by
 * comparison with those that came before. Tensors are views of the message, at any alignment.
 */
export class AnswerDecoder {
  private readonly cursor = new WireCursor();
  private readonly texts = new KnownTexts(TEXT_PLACES);

  /** Decodes a PredictStreamResponse. Throws where the octets are none. */
  decode(piece: Uint8Array): Answer {
    const { cursor } = this;
    const end = piece.length;
    // A Buffer's views would be Buffers, whose slice() does not copy.
    cursor.begin(new Uint8Array(piece.buffer, piece.byteOffset, end));
    let itemId = 0;
    let response: PredictResponse | undefined;
    let status: Status | undefined;
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag === ITEM_ID) itemId = cursor.varint(end);
      else if (tag === RESPONSE) response = this.readResponse(cursor.fieldEnd(end));
      else if (tag === STATUS) status = fromBinary(StatusSchema, cursor.view(cursor.fieldEnd(end)));
      else cursor.skip(tag & 7, end);
    }
    if (cursor.fault !== "") throw new RangeError(`its message of ${end} bytes ${cursor.fault}`);
    if (response !== undefined) return { itemId, response };
    return status === undefined ? { itemId } : { itemId, status };
  }

  private readResponse(end: number): PredictResponse {
    const { cursor, texts } = this;
    let modelName = "";
    let modelVersion = "";
    let requestId = "";
    let scores: number[] = [];
    const labels: string[] = [];
    const outputs: Tensor[] = [];
    while (cursor.at < end) {
      const tag = cursor.tag(end);
      if (tag === LABELS) cursor.texts(LABELS, end, texts, labels);
      else if (tag === SCORES) scores = after(scores, cursor.doubles(cursor.fieldEnd(end)));
      else if (tag === SCORE) scores = after(scores, cursor.doubles(cursor.fixedEnd(8, end)));
      else if (tag === MODEL_NAME) modelName = cursor.text(cursor.fieldEnd(end), texts);
      else if (tag === MODEL_VERSION) modelVersion = cursor.text(cursor.fieldEnd(end), texts);
      else if (tag === REQUEST_ID) requestId = cursor.text(cursor.fieldEnd(end), texts);
      else if (tag === OUTPUTS) outputs.push(fromBinary(TensorSchema, cursor.view(cursor.fieldEnd(end))));
      else cursor.skip(tag & 7, end);
    }
    const $typeName = "assay.v1.PredictResponse";
    return { $typeName, modelName, modelVersion, requestId, scores, labels, outputs };
  }
}

function after(before: number[], values: number[]): number[] {
  return before.length === 0 ? values : before.concat(values);
}
