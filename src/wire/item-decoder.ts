import type { PredictRequest, PredictStreamRequest } from "../../gen/assay/v1/scoring_service_pb.ts";
import type { Tensor } from "../../gen/assay/v1/tensor_pb.ts";

// Field numbers and wire types in one octet: number * 8 + type.
const ITEM_ID = 1 * 8;
const REQUEST = 2 * 8 + 2;
const MODEL_NAME = 1 * 8 + 2;
const MODEL_VERSION = 2 * 8 + 2;
const REQUEST_ID = 3 * 8 + 2;
const INPUTS = 5 * 8 + 2;
const NAME = 1 * 8 + 2;
const DATATYPE = 2 * 8 + 2;
const SHAPE = 3 * 8 + 2;
const RAW_CONTENTS = 5 * 8 + 2;

/** Where decoding stands; -1: the bytes are not in the plain form, and protobuf-es must say what they are. */
let at = 0;
let source: Uint8Array = new Uint8Array(0);

const NO_BYTES: Uint8Array = new Uint8Array(0);
/** The lengths of axes that are made once. */
const KNOWN_AXES: readonly bigint[] = Array.from({ length: 1025 }, (_, length) => BigInt(length));
/** Texts that came lately, each in the place that its octets tell: a stream's items have the same names again and again. */
const known = new Array<string>(64).fill("");

/** More of them than a model has inputs, or a tensor axes, are counted and refused elsewhere. */
const MAX_INPUTS = 1024;
const MAX_AXES = 16;

/**
 * Decodes one item by hand, in the plain form only: raw tensors, which are views of `bytes`, ASCII names, nothing unknown; undefined
 * for any other. protobuf-es takes a quarter of what an item of 16 rows may cost; a property test holds the two together.
 */
export function decodePlainItem(bytes: Uint8Array): PredictStreamRequest | undefined {
  source = bytes;
  at = 0;
  let itemId = 0;
  let request: PredictRequest | undefined;
  while (at >= 0 && at < bytes.length) {
    const tag = bytes[at++]!;
    if (tag === ITEM_ID) itemId = varint(bytes.length);
    else if (tag === REQUEST && request === undefined) request = readRequest(fieldEnd(bytes.length));
    else return undefined;
  }
  if (at < 0) return undefined;
  const $typeName = "assay.v1.PredictStreamRequest";
  if (request === undefined) return { $typeName, itemId: BigInt(itemId) };
  return { $typeName, itemId: BigInt(itemId), request };
}

// Messages are written down as `create` makes them, which costs ten times as much.

function readRequest(end: number): PredictRequest | undefined {
  let modelName = "";
  let modelVersion = "";
  let requestId = "";
  const inputs: Tensor[] = [];
  while (at >= 0 && at < end) {
    const tag = source[at++]!;
    if (tag === MODEL_NAME) modelName = ascii(fieldEnd(end));
    else if (tag === MODEL_VERSION) modelVersion = ascii(fieldEnd(end));
    else if (tag === REQUEST_ID) requestId = ascii(fieldEnd(end));
    else if (tag === INPUTS && inputs.length < MAX_INPUTS) inputs.push(readTensor(fieldEnd(end)));
    else at = -1;
  }
  return {
    $typeName: "assay.v1.PredictRequest",
    modelName,
    modelVersion,
    requestId,
    features: [],
    inputs,
    rows: [],
    outputNames: [],
  };
}

function readTensor(end: number): Tensor {
  let name = "";
  let datatype = "";
  let rawContents = NO_BYTES;
  const shape: bigint[] = [];
  while (at >= 0 && at < end) {
    const tag = source[at++]!;
    if (tag === NAME) name = ascii(fieldEnd(end));
    else if (tag === DATATYPE) datatype = ascii(fieldEnd(end));
    else if (tag === SHAPE) {
      for (const shapeEnd = fieldEnd(end); at >= 0 && at < shapeEnd && shape.length <= MAX_AXES; ) {
        shape.push(axis(varint(shapeEnd)));
      }
      if (shape.length > MAX_AXES) at = -1;
    } else if (tag === RAW_CONTENTS) {
      const valueEnd = fieldEnd(end);
      if (at < 0) break;
      rawContents = source.subarray(at, valueEnd);
      at = valueEnd;
    } else at = -1;
  }
  return { $typeName: "assay.v1.Tensor", name, datatype, shape, rawContents };
}

function axis(length: number): bigint {
  return KNOWN_AXES[length] ?? BigInt(length);
}

/** The end of a field that is delimited by its length and lies within `end`. */
function fieldEnd(end: number): number {
  const length = varint(end);
  if (at < 0 || at + length > end) {
    at = -1;
    return 0;
  }
  return at + length;
}

/** A number below 2^49. */
function varint(end: number): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 7 && at >= 0 && at < end; i++, scale *= 128) {
    const octet = source[at++]!;
    value += (octet & 0x7f) * scale;
    if (octet < 0x80) return value;
  }
  at = -1;
  return 0;
}

/** A short text of ASCII. */
function ascii(end: number): string {
  if (at < 0) return "";
  const from = at;
  const length = end - from;
  if (length > 64) {
    at = -1;
    return "";
  }
  if (length === 0) return "";
  const place = (length * 31 + source[from]! * 7 + source[end - 1]!) % known.length;
  const candidate = known[place]!;
  at = end;
  if (candidate.length === length && holdsText(from, candidate)) return candidate;
  const octets = source.subarray(from, end);
  if (octets.some((octet) => octet > 0x7f)) {
    at = -1;
    return "";
  }
  const text = String.fromCharCode(...octets);
  known[place] = text;
  return text;
}

function holdsText(from: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (source[from + i] !== text.charCodeAt(i)) return false;
  return true;
}
