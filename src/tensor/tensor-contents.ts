import { create } from "@bufbuild/protobuf";
import { type TensorContents, TensorContentsSchema } from "../../gen/assay/v1/tensor_pb.ts";
import { type ContentsField, type NumericArray, numericView, rowOf } from "./datatype.ts";
import { copiedOctets } from "./octet-copy.ts";
import { PackedContents } from "./packed-contents.ts";
import type { TensorData } from "./tensor-data.ts";

const utf8 = new TextEncoder();

/** The elements as a list of the field that fits the datatype. Throws TypeError for datatypes that have none: use `rawContents`. */
export function typedContents({ datatype, data }: TensorData): TensorContents {
  const { kind, contents } = rowOf(datatype);
  if (contents === undefined) throw new TypeError(`${datatype} has raw contents only`);
  if (kind === "text") {
    const bytesContents = (data as readonly string[]).map((text) => utf8.encode(text));
    return create(TensorContentsSchema, { bytesContents });
  }
  if (kind === "flag") {
    const boolContents = listOf(data as Uint8Array).map((value) => value !== 0);
    return create(TensorContentsSchema, { boolContents });
  }
  return create(TensorContentsSchema, { [contents]: listOf(data as ArrayLike<number>) });
}

/** A loop: `Array.from` goes by the iterator of the array, which takes five times as long and holds the loop where outputs are large. */
function listOf<T extends number | bigint>(data: ArrayLike<T>): T[] {
  const list = new Array<T>(data.length);
  for (let i = 0; i < data.length; i++) list[i] = data[i]!;
  return list;
}

/** The same, as a copy in one array; `field` is the list of the datatype. */
export function packedContents({ datatype, data }: TensorData, field: ContentsField): PackedContents {
  if (datatype === "BYTES") return new PackedContents(field, data.slice() as string[]);
  const octets = copiedOctets(data as NumericArray);
  return new PackedContents(field, numericView(datatype, octets.buffer, 0, data.length));
}

/** The elements as little-endian bytes; BYTES with a 4-byte length before each value. */
export function rawContents(tensor: TensorData): Uint8Array<ArrayBuffer> {
  if (tensor.datatype !== "BYTES") {
    return copiedOctets(tensor.data as NumericArray);
  }
  const texts = tensor.data as readonly string[];
  return rawTexts(texts, 0, texts.length);
}

/** Texts of ASCII up to this length are written here: a native call costs more than they do. */
const SHORT = 24;

/** The raw octets of the texts from `first` to before `end`. */
export function rawTexts(texts: readonly string[], first: number, end: number): Uint8Array<ArrayBuffer> {
  let room = 0;
  for (let i = first; i < end; i++) room += 4 + 3 * texts[i]!.length;
  const octets = Buffer.allocUnsafeSlow(room);
  let at = 0;
  for (let i = first; i < end; i++) {
    const text = texts[i]!;
    const from = at + 4;
    const length = writeAscii(octets, from, text) ? text.length : octets.write(text, from, "utf8");
    octets.writeUInt32LE(length, at);
    at = from + length;
  }
  return new Uint8Array(octets.subarray(0, at));
}

/** Writes a short text of ASCII; false where it is none. */
function writeAscii(octets: Uint8Array, from: number, text: string): boolean {
  if (text.length > SHORT) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return false;
    octets[from + i] = code;
  }
  return true;
}
