/** The values of an output in the list of their type, from the octets that they are in raw form. */
import { InferTensorContentsSchema } from "../../../../gen/inference/grpc_service_pb.ts";
import {
  type Datatype,
  elementBytes,
  type NumericArray,
  type NumericDatatype,
  numericView,
  rowOf,
} from "../../../tensor/datatype.ts";
import { plainTag } from "../../../wire/plain-tag.ts";
import { fieldBytes, MOST_VARINT_BYTES, optionalBytes, WireWriter } from "../../../wire/wire-writer.ts";

const LENGTH_BYTES = 4;
const BYTES_CONTENTS = plainTag(InferTensorContentsSchema, "bytesContents");

/** An InferTensorContents with one list, ready to be written. */
export class TypedContents {
  readonly byteCount: number;
  /** Of packed numbers; 0 where `body` is the whole message. */
  private readonly tag: number;
  private readonly body: Uint8Array;

  constructor(tag: number, body: Uint8Array) {
    this.tag = tag;
    this.body = body;
    this.byteCount = tag === 0 ? body.length : optionalBytes(body.length);
  }

  write(writer: WireWriter): void {
    if (this.tag === 0) writer.bytes(this.body);
    else if (this.body.length > 0) writer.field(this.tag, this.body);
  }
}

/** The contents of a tensor; undefined for datatypes that have raw contents only. */
export function typedContentsOf(datatype: string, raw: Uint8Array): TypedContents | undefined {
  const { contents, kind } = rowOf(datatype as Datatype);
  if (contents === undefined) return undefined;
  const tag = kind === "text" ? 0 : plainTag(InferTensorContentsSchema, contents);
  return new TypedContents(tag, typedOctets(datatype as Datatype, raw));
}

/** Whole elements in the list of their type: of numbers what is packed, of texts a field each. */
export function typedOctets(datatype: Datatype, raw: Uint8Array): Uint8Array {
  const { kind } = rowOf(datatype);
  if (kind === "text") return texts(raw, BYTES_CONTENTS);
  // Packed floats and flags are the raw octets.
  if (kind === "float" || kind === "flag") return raw;
  return varints(numbersIn(raw, datatype as NumericDatatype));
}

/** The elements of octets in raw form, where they lie if that is possible. */
export function numbersIn(raw: Uint8Array, datatype: NumericDatatype): NumericArray {
  const size = elementBytes(datatype);
  const { buffer, byteOffset, byteLength } =
    raw.byteOffset % size === 0 ? raw : Uint8Array.prototype.slice.call(raw);
  return numericView(datatype, buffer, byteOffset, byteLength / size);
}

/** Where each text of octets in raw form begins, with what `each` is to do. */
function forEachText(raw: Uint8Array, each: (from: number, end: number) => void): void {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  for (let at = 0; at < raw.length; ) {
    const from = at + LENGTH_BYTES;
    at = from + view.getUint32(at, true);
    each(from, at);
  }
}

/** The texts of octets in raw form. */
export function textsIn(raw: Uint8Array): string[] {
  const octets = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
  const found: string[] = [];
  forEachText(raw, (from, end) => found.push(octets.toString("utf8", from, end)));
  return found;
}

function texts(raw: Uint8Array, tag: number): Uint8Array {
  let byteCount = 0;
  forEachText(raw, (from, end) => {
    byteCount += fieldBytes(end - from);
  });
  const writer = new WireWriter(Buffer.allocUnsafe(byteCount));
  forEachText(raw, (from, end) => writer.field(tag, raw.subarray(from, end)));
  return writer.cut();
}

function varints(values: NumericArray): Uint8Array {
  const writer = new WireWriter(Buffer.allocUnsafe(MOST_VARINT_BYTES * values.length));
  for (const value of values) {
    if (typeof value === "bigint") writer.varint64(value);
    else writer.varint(value);
  }
  return writer.cut();
}
