/** Large answers as protobuf, piece by piece: the octets of `toBinary`, which for millions of numbers holds the event loop. */
import { toBinary } from "@bufbuild/protobuf";
import { type PredictResponse, PredictResponseSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { type Tensor, TensorContentsSchema, TensorSchema } from "../../../gen/assay/v1/tensor_pb.ts";
import { PackedContents, type PackedValues } from "../../tensor/packed-contents.ts";
import { RawTextTensor } from "../../tensor/raw-text-tensor.ts";
import { plainTag } from "../../wire/plain-tag.ts";
import { fieldHead, MOST_VARINT_BYTES, WireWriter } from "../../wire/wire-writer.ts";
import { OctetParts } from "./octet-parts.ts";
import { pieceEnd, rawPieces } from "./text-pieces.ts";

/** Elements that are written at once. */
const PIECE_VALUES = 4096;
const OUTPUTS = PredictResponseSchema.field.outputs.number;
const CONTENTS = TensorSchema.field.contents.number;
const RAW_CONTENTS = TensorSchema.field.rawContents.number;
const NO_OCTETS = new Uint8Array(0);

/** Writes an answer; yields where the event loop may be given back. */
export function* writeBinaryAnswer(response: PredictResponse, parts: OctetParts): Generator<void> {
  parts.add(toBinary(PredictResponseSchema, { ...response, outputs: [] }));
  yield;
  for (const output of response.outputs) {
    const tensor = new OctetParts();
    yield* writeTensor(output, tensor);
    addMessage(parts, OUTPUTS, tensor);
    yield;
  }
}

/** Adds a message in a field: `outputs`, and an answer in its item. */
export function addMessage(parts: OctetParts, field: number, message: OctetParts): void {
  parts.add(fieldHead(field, message.length));
  parts.addParts(message);
}

function* writeTensor(tensor: Tensor, parts: OctetParts): Generator<void> {
  const { contents: _, ...rest } = tensor;
  parts.add(toBinary(TensorSchema, { ...rest, rawContents: NO_OCTETS }));
  if (tensor instanceof RawTextTensor && tensor.texts.length > 0) {
    const inner = new OctetParts();
    for (const octets of rawPieces(tensor.texts)) {
      inner.add(octets);
      yield;
    }
    addMessage(parts, RAW_CONTENTS, inner);
    return;
  }
  const { contents, rawContents } = tensor;
  if (contents instanceof PackedContents) {
    const inner = new OctetParts();
    yield* writeContents(contents, inner);
    addMessage(parts, CONTENTS, inner);
  } else if (contents !== undefined) {
    const inner = new OctetParts();
    inner.add(toBinary(TensorContentsSchema, contents));
    addMessage(parts, CONTENTS, inner);
  }
  if (rawContents.length === 0) return;
  parts.add(fieldHead(RAW_CONTENTS, rawContents.length));
  parts.add(rawContents);
}

function* writeContents({ field, values }: PackedContents, parts: OctetParts): Generator<void> {
  if (values.length === 0) return;
  const { number } = TensorContentsSchema.field[field];
  if (field === "bytesContents") {
    yield* writeTexts(plainTag(TensorContentsSchema, field), values as readonly string[], parts);
    return;
  }
  const inner = new OctetParts();
  if (values instanceof Float32Array || values instanceof Float64Array) {
    inner.add(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  } else if (field === "boolContents") yield* writeFlags(values as Uint8Array, inner);
  else yield* writeIntegers(values as Exclude<PackedValues, readonly string[]>, inner);
  addMessage(parts, number, inner);
}

function* writeFlags(values: Uint8Array, parts: OctetParts): Generator<void> {
  for (let from = 0; from < values.length; from += PIECE_VALUES) {
    parts.add(values.slice(from, from + PIECE_VALUES).map((value) => (value !== 0 ? 1 : 0)));
    yield;
  }
}

function* writeIntegers(values: ArrayLike<number | bigint>, parts: OctetParts): Generator<void> {
  for (let from = 0; from < values.length; from += PIECE_VALUES) {
    const to = Math.min(values.length, from + PIECE_VALUES);
    const writer = new WireWriter(Buffer.allocUnsafe((to - from) * MOST_VARINT_BYTES));
    for (let i = from; i < to; i++) {
      const value = values[i]!;
      if (typeof value === "bigint") writer.varint64(value);
      else writer.varint(value);
    }
    parts.add(writer.cut());
    yield;
  }
}

function* writeTexts(tag: number, texts: readonly string[], parts: OctetParts): Generator<void> {
  for (let from = 0, to = 0; from < texts.length; from = to) {
    to = pieceEnd(texts, from);
    let room = 0;
    for (let i = from; i < to; i++) room += 3 * texts[i]!.length + MOST_VARINT_BYTES;
    const writer = new WireWriter(Buffer.allocUnsafe(room));
    for (let i = from; i < to; i++) writer.text(tag, texts[i]!, Buffer.byteLength(texts[i]!));
    // The rest of the room would be kept with it.
    parts.add(Buffer.from(writer.cut()));
    yield;
  }
}
