/**
 * Protobuf octets that were scanned to messages, in pieces where they are many: protobuf merges what is concatenated, so a message may
 * be decoded a few fields at a time.
 */
import {
  type DescField,
  type DescMessage,
  type Message,
  mergeFromBinary,
  ScalarType,
} from "@bufbuild/protobuf";
import { TensorContentsSchema } from "../../../gen/assay/v1/tensor_pb.ts";
import { InferTensorContentsSchema } from "../../../gen/inference/grpc_service_pb.ts";
import { emptyMessage } from "../../wire/empty-messages.ts";
import { DELIMITED } from "../../wire/wire-cursor.ts";
import { fieldHead } from "../../wire/wire-writer.ts";
import type { LoopSlices } from "../memory/loop-slices.ts";
import { decodePacked } from "./packed-decoding.ts";
import { RequestCursor } from "./request-cursor.ts";

/** Fields that the schema does not have are not kept: they would be until the answer. */
export const READ_OPTIONS = { readUnknownFields: false };

/** Octets that are decoded at once. */
const PIECE_BYTES = 32_768;

type Fields = Record<string, unknown>;

/** Decodes one message, giving the event loop back between its pieces. */
export async function decodeInSlices(
  desc: DescMessage,
  bytes: Uint8Array,
  slices: LoopSlices,
): Promise<Message> {
  const message = emptyMessage(desc);
  await new PieceDecoder(bytes, desc.typeName, slices).read(desc, message, bytes.length);
  return message;
}

class PieceDecoder extends RequestCursor {
  private readonly slices: LoopSlices;

  constructor(bytes: Uint8Array, typeName: string, slices: LoopSlices) {
    super(bytes, typeName);
    this.slices = slices;
  }

  /** Reads the fields up to `end` into `message`. */
  async read(desc: DescMessage, message: Message, end: number): Promise<void> {
    let from = this.at;
    while (this.at < end) {
      const fieldAt = this.at;
      const tag = this.tag(end);
      const valueAt = this.at;
      this.skip(tag & 7, end);
      if (this.at - fieldAt > PIECE_BYTES) {
        const field = desc.fields.find(({ number }) => number === tag >>> 3);
        if (field !== undefined && (tag & 7) === DELIMITED && isDivisible(field)) {
          const next = this.at;
          await this.merge(desc, message, from, fieldAt);
          const isOnly = isContents(field) && !this.comesAgain(field.number, next, end);
          this.at = valueAt;
          await this.readField(desc, message, field, this.fieldEnd(end), isOnly);
          this.at = from = next;
          continue;
        }
      }
      if (this.at - from > PIECE_BYTES) {
        await this.merge(desc, message, from, this.at);
        from = this.at;
      }
    }
    await this.merge(desc, message, from, end);
  }

  private async merge(desc: DescMessage, message: Message, from: number, end: number): Promise<void> {
    if (end === from) return;
    mergeFromBinary(desc, message, this.bytes.subarray(from, end), READ_OPTIONS);
    if (this.slices.isOver()) await this.slices.pause();
  }

  /** Whether a field of that number stands between `from` and `end`. */
  private comesAgain(number: number, from: number, end: number): boolean {
    this.at = from;
    while (this.at < end) {
      const tag = this.tag(end);
      if (tag >>> 3 === number) return true;
      this.skip(tag & 7, end);
    }
    return false;
  }

  /** `isOnly`: the message has no other values in the field, with which these would have to be merged. */
  private async readField(
    desc: DescMessage,
    message: Message,
    field: DescField,
    end: number,
    isOnly: boolean,
  ): Promise<void> {
    const fields = message as unknown as Fields;
    if (isOnly && fields[field.localName] === undefined) {
      // Of a tensor whose shape came before, as writers put it.
      const { shape } = fields as { readonly shape?: readonly bigint[] };
      const packed = await decodePacked(this.bytes.subarray(this.at, end), this.slices, shape);
      if (packed !== undefined) {
        fields[field.localName] = packed;
        return;
      }
    }
    if (field.fieldKind === "message") {
      fields[field.localName] ??= emptyMessage(field.message);
      await this.read(field.message, fields[field.localName] as Message, end);
    } else if (field.fieldKind === "list" && field.listKind === "message") {
      const item = emptyMessage(field.message);
      await this.read(field.message, item, end);
      (fields[field.localName] as Message[]).push(item);
    } else await this.readPacked(desc, message, field, end);
  }

  /** A packed list is as good as several: each piece is written as one of its own. */
  private async readPacked(
    desc: DescMessage,
    message: Message,
    field: DescField,
    end: number,
  ): Promise<void> {
    while (this.at < end) {
      const from = this.at;
      let pieceEnd = Math.min(end, from + PIECE_BYTES);
      // 32768 is a multiple of each fixed size; a varint ends with an octet below 0x80.
      if (!isFixed(field)) while (pieceEnd < end && this.bytes[pieceEnd - 1]! >= 0x80) pieceEnd++;
      const head = fieldHead(field.number, pieceEnd - from);
      mergeFromBinary(
        desc,
        message,
        Buffer.concat([head, this.bytes.subarray(from, pieceEnd)]),
        READ_OPTIONS,
      );
      this.at = pieceEnd;
      if (this.slices.isOver()) await this.slices.pause();
    }
  }
}

/** Whether a field's value can be read in pieces: a message of the schema's own, or a packed list of numbers. */
function isDivisible(field: DescField): boolean {
  if (field.oneof !== undefined) return false;
  if (field.fieldKind === "message") return !field.message.typeName.startsWith("google.protobuf.");
  if (field.fieldKind !== "list") return false;
  if (field.listKind === "message") return !field.message.typeName.startsWith("google.protobuf.");
  return (
    field.listKind === "scalar" && field.scalar !== ScalarType.STRING && field.scalar !== ScalarType.BYTES
  );
}

function isContents({ message }: DescField): boolean {
  return message === TensorContentsSchema || message === InferTensorContentsSchema;
}

const FIXED: ReadonlySet<ScalarType> = new Set([
  ScalarType.DOUBLE,
  ScalarType.FLOAT,
  ScalarType.FIXED32,
  ScalarType.FIXED64,
  ScalarType.SFIXED32,
  ScalarType.SFIXED64,
]);

function isFixed(field: DescField): boolean {
  return field.scalar !== undefined && FIXED.has(field.scalar);
}
