/** Large answers as JSON, piece by piece: what `toJson` and `JSON.stringify` of the whole make, which for millions of numbers holds the event loop. */
import { toJson } from "@bufbuild/protobuf";
import { type PredictResponse, PredictResponseSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { type Tensor, TensorSchema } from "../../../gen/assay/v1/tensor_pb.ts";
import { PackedContents, type PackedValues } from "../../tensor/packed-contents.ts";
import { RawTextTensor } from "../../tensor/raw-text-tensor.ts";
import type { OctetParts } from "./octet-parts.ts";
import { inThrees, pieceEnd, rawPieces } from "./text-pieces.ts";

/** The spelling of names. */
export interface JsonSpelling {
  readonly useProtoFieldName: boolean;
}

/** Elements and octets that are written at once. */
const PIECE_VALUES = 4096;
/** A multiple of three, as the base64 of such pieces is that of the whole. */
const PIECE_OCTETS = 49_152;

/** Writes an answer; yields where the event loop may be given back. */
export function* writeJsonAnswer(
  response: PredictResponse,
  spelling: JsonSpelling,
  parts: OctetParts,
): Generator<void> {
  const { outputs } = response;
  const head = JSON.stringify(toJson(PredictResponseSchema, { ...response, outputs: [] }, spelling));
  yield;
  if (outputs.length === 0) {
    parts.add(Buffer.from(head));
    return;
  }
  parts.add(Buffer.from(opened(head)));
  parts.addText('"outputs":[');
  for (let i = 0; i < outputs.length; i++) {
    if (i > 0) parts.addText(",");
    yield* writeTensor(outputs[i]!, spelling, parts);
    yield;
  }
  parts.addText("]}");
}

/** `contents` and `raw_contents` are the last members of a tensor, `outputs` the last of an answer. */
export function* writeTensor(tensor: Tensor, spelling: JsonSpelling, parts: OctetParts): Generator<void> {
  const { contents } = tensor;
  const isPacked = contents instanceof PackedContents;
  const texts = tensor instanceof RawTextTensor && tensor.texts.length > 0 ? tensor.texts : undefined;
  if (!isPacked && texts === undefined && tensor.rawContents.length < PIECE_OCTETS) {
    parts.add(Buffer.from(JSON.stringify(toJson(TensorSchema, tensor, spelling))));
    return;
  }
  const { contents: _, ...rest } = tensor;
  const head = { ...(isPacked ? rest : tensor), rawContents: new Uint8Array(0) };
  parts.add(Buffer.from(opened(JSON.stringify(toJson(TensorSchema, head, spelling)))));
  if (!isPacked) {
    parts.addText(`"${spelling.useProtoFieldName ? "raw_contents" : "rawContents"}":"`);
    yield* writeOctets(texts === undefined ? octetPieces(tensor.rawContents) : rawPieces(texts), parts);
    parts.addText('"}');
    return;
  }
  parts.addText('"contents":{');
  const { field, values } = contents;
  if (values.length > 0) {
    const desc = TensorSchema.field.contents.message!.field[field]!;
    parts.addText(`"${spelling.useProtoFieldName ? desc.name : desc.jsonName}":[`);
    const isTexts = field === "bytesContents";
    for (let from = 0, to = 0; from < values.length; from = to) {
      to = isTexts
        ? pieceEnd(values as readonly string[], from)
        : Math.min(values.length, from + PIECE_VALUES);
      if (from > 0) parts.addText(",");
      parts.addText(JSON.stringify(jsonValues(contents, from, to)).slice(1, -1));
      yield;
    }
    parts.addText("]");
  }
  parts.addText("}}");
}

/** Writes octets that come in pieces as the base64 of all. */
export function* writeOctets(pieces: Iterable<Uint8Array>, parts: OctetParts): Generator<void> {
  for (const octets of inThrees(pieces)) {
    parts.addText(octetText(octets));
    yield;
  }
}

function* octetPieces(octets: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < octets.length; from += PIECE_OCTETS) {
    yield octets.subarray(from, from + PIECE_OCTETS);
  }
}

/** An object's text without its end, ready for one more member. */
export function opened(text: string): string {
  return text === "{}" ? "{" : `${text.slice(0, -1)},`;
}

function jsonValues({ field, values }: PackedContents, from: number, to: number): unknown[] {
  const read = READERS[field] ?? plain;
  const list = new Array<unknown>(to - from);
  for (let i = from; i < to; i++) list[i - from] = read(values, i);
  return list;
}

const READERS: Readonly<Record<string, (values: PackedValues, index: number) => unknown>> = {
  boolContents: (values, index) => values[index] !== 0,
  int64Contents: (values, index) => String(values[index]),
  uint64Contents: (values, index) => String(values[index]),
  fp32Contents: float,
  fp64Contents: float,
  bytesContents: (values, index) => octetText(Buffer.from(values[index] as string)),
};

function plain(values: PackedValues, index: number): unknown {
  return values[index];
}

function float(values: PackedValues, index: number): unknown {
  const value = values[index] as number;
  return Number.isFinite(value) ? value : String(value);
}

function octetText({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}
