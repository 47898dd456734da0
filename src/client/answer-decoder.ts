import { create, fromBinary } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { type PredictResponse, PredictResponseSchema } from "../../gen/assay/v1/scoring_service_pb.ts";
import { TensorSchema } from "../../gen/assay/v1/tensor_pb.ts";
import { type Status, StatusSchema } from "../../gen/google/rpc/status_pb.ts";

/** One PredictStreamResponse: which item, and its scores or why there are none. */
export interface Answer {
  readonly itemId: number;
  readonly response?: PredictResponse;
  readonly status?: Status;
}

/** Decodes a PredictStreamResponse. */
export type AnswerDecoder = (message: Uint8Array) => Answer;

const KEPT_LABELS = 32;
const LONGEST_KEPT_LABEL_BYTES = 64;

/**
 * Makes a decoder that does what fromBinary does, only faster where answers are long: packed scores are read as one block, and
 * labels, of which a model has few, are compared with those seen before instead of decoded. Throws what fromBinary throws for
 * a message that cannot be read. Tensors are views of the message.
 */
export function createAnswerDecoder(): AnswerDecoder {
  const labelOf = createLabelDecoder();
  return (message) => {
    const reader = new BinaryReader(message);
    let itemId = 0;
    let response: PredictResponse | undefined;
    let status: Status | undefined;
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      if (field === 1) itemId = Number(reader.uint64());
      else if (field === 2) {
        const { from, to } = block(reader);
        response = decodeResponse(message.subarray(from, to), labelOf);
      } else if (field === 3) {
        const { from, to } = block(reader);
        status = fromBinary(StatusSchema, message.subarray(from, to));
      } else reader.skip(wireType, field);
    }
    if (response !== undefined) return { itemId, response };
    return status === undefined ? { itemId } : { itemId, status };
  };
}

function decodeResponse(
  bytes: Uint8Array,
  labelOf: (bytes: Uint8Array, from: number, to: number) => string,
): PredictResponse {
  const reader = new BinaryReader(bytes);
  const response = create(PredictResponseSchema);
  const { labels, outputs } = response;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    switch (field) {
      case 1:
        response.modelName = reader.string();
        break;
      case 2:
        response.modelVersion = reader.string();
        break;
      case 3:
        response.requestId = reader.string();
        break;
      case 4: {
        if (wireType !== WireType.LengthDelimited) {
          response.scores.push(reader.double());
          break;
        }
        const { from, to } = block(reader);
        const scores = readDoubles(bytes, from, to);
        response.scores = response.scores.length === 0 ? scores : response.scores.concat(scores);
        break;
      }
      case 5: {
        const { from, to } = block(reader);
        labels.push(labelOf(bytes, from, to));
        break;
      }
      case 6: {
        const { from, to } = block(reader);
        outputs.push(fromBinary(TensorSchema, bytes.subarray(from, to)));
        break;
      }
      default:
        reader.skip(wireType, field);
    }
  }
  return response;
}

/** A length-delimited field, stepped over. */
function block(reader: BinaryReader): { from: number; to: number } {
  const length = reader.uint32();
  const from = reader.pos;
  const to = from + length;
  if (to > reader.len) throw new RangeError("premature EOF");
  reader.pos = to;
  return { from, to };
}

function readDoubles(bytes: Uint8Array, from: number, to: number): number[] {
  if ((to - from) % 8 !== 0) throw new RangeError("packed doubles are no multiple of 8 bytes");
  const view = new DataView(bytes.buffer, bytes.byteOffset + from, to - from);
  const values: number[] = [];
  for (let at = 0; at < view.byteLength; at += 8) values.push(view.getFloat64(at, true));
  return values;
}

function createLabelDecoder(): (bytes: Uint8Array, from: number, to: number) => string {
  const kept: { bytes: Uint8Array; text: string }[] = [];
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  return (bytes, from, to) => {
    const length = to - from;
    search: for (const label of kept) {
      if (label.bytes.length !== length) continue;
      for (let i = 0; i < length; i++) if (label.bytes[i] !== bytes[from + i]) continue search;
      return label.text;
    }
    const text = utf8.decode(bytes.subarray(from, to));
    if (kept.length < KEPT_LABELS && length <= LONGEST_KEPT_LABEL_BYTES) {
      kept.push({ bytes: bytes.slice(from, to), text });
    }
    return text;
  };
}
