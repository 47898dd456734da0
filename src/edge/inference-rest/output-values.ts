/** The values of an output, as JSON and as octets, piece by piece. */
import type { Tensor } from "../../../gen/assay/v1/tensor_pb.ts";
import {
  type Datatype,
  type NumericArray,
  type NumericDatatype,
  numbersOf,
  rowOf,
} from "../../tensor/datatype.ts";
import { RawTextTensor } from "../../tensor/raw-text-tensor.ts";
import { rawTexts } from "../../tensor/tensor-contents.ts";
import { pieceEnd, rawPieces } from "../answer/text-pieces.ts";
import { numbersIn } from "../inference/typed-contents.ts";

/** Values side by side: numbers in the array of their datatype, texts as strings. */
export type OutputValues =
  | { readonly datatype: "BYTES"; readonly values: readonly string[] }
  | { readonly datatype: NumericDatatype; readonly values: NumericArray };

/** Numbers that are written at once. */
const PIECE_VALUES = 4096;
const PIECE_OCTETS = 1_048_576;

/** The values of a tensor in raw form. */
export function valuesOf(tensor: Tensor): OutputValues {
  const datatype = tensor.datatype as Datatype;
  if (datatype !== "BYTES") return { datatype, values: numbersIn(tensor.rawContents, datatype) };
  return {
    datatype,
    values: tensor instanceof RawTextTensor ? tensor.texts : textsOfRaw(tensor.rawContents),
  };
}

/** The values as JSON, without the brackets around them. */
export function valuesJson({ datatype, values }: OutputValues, from: number, to: number): string {
  if (datatype === "BYTES") return JSON.stringify(values.slice(from, to)).slice(1, -1);
  return numbersJson(datatype, values, from, to);
}

/** The values as octets: numbers little-endian, texts each behind its length. */
export function valuesOctets({ datatype, values }: OutputValues): Uint8Array {
  if (datatype === "BYTES") return rawTexts(values, 0, values.length);
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** The same as JSON, piece by piece. */
export function* jsonPieces(output: OutputValues): Generator<string> {
  const { datatype, values } = output;
  for (let from = 0, to = 0; from < values.length; from = to) {
    to = datatype === "BYTES" ? pieceEnd(values, from) : Math.min(values.length, from + PIECE_VALUES);
    const text = valuesJson(output, from, to);
    yield from > 0 ? `,${text}` : text;
  }
}

/** The same as octets, piece by piece. */
export function* octetPieces(output: OutputValues): Generator<Uint8Array> {
  if (output.datatype === "BYTES") {
    yield* rawPieces(output.values);
    return;
  }
  const octets = valuesOctets(output);
  for (let from = 0; from < octets.length; from += PIECE_OCTETS)
    yield octets.subarray(from, from + PIECE_OCTETS);
}

function textsOfRaw(octets: Uint8Array): string[] {
  const { buffer, byteOffset, byteLength } = octets;
  const view = Buffer.from(buffer, byteOffset, byteLength);
  const texts: string[] = [];
  for (let at = 0; at < byteLength; ) {
    const end = at + 4 + view.readUInt32LE(at);
    texts.push(view.toString("utf8", at + 4, end));
    at = end;
  }
  return texts;
}

function numbersJson(datatype: NumericDatatype, values: NumericArray, from: number, to: number): string {
  const { kind } = rowOf(datatype);
  if (kind === "integer") return values.subarray(from, to).join(",");
  if (kind === "flag") {
    let text = values[from] === 0 ? "false" : "true";
    for (let i = from + 1; i < to; i++) text += values[i] === 0 ? ",false" : ",true";
    return text;
  }
  const numbers = numbersOf(datatype, values.subarray(from, to) as Float32Array);
  let text = "";
  for (let i = 0; i < numbers.length; i++) text += `,${jsonNumber(numbers[i]!)}`;
  return text.slice(1);
}

/** JSON has neither NaN nor infinity; a client that reads null as NaN loses nothing. */
function jsonNumber(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? "-0" : String(value);
  return Number.isNaN(value) ? "null" : JSON.stringify(String(value));
}
