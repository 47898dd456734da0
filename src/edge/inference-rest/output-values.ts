/** The values of an output, as JSON and as octets. */
import type { Tensor } from "../../../gen/assay/v1/tensor_pb.ts";
import { type Datatype, type NumericArray, type NumericDatatype, rowOf } from "../../tensor/datatype.ts";
import { RawTextTensor } from "../../tensor/raw-text-tensor.ts";
import { rawTexts } from "../../tensor/tensor-contents.ts";
import { pieceEnd } from "../answer/text-pieces.ts";
import { ClassTexts } from "../inference/answer/classification.ts";
import { numbersIn, textsIn } from "../inference/answer/typed-contents.ts";

/** Values side by side: numbers in the array of their datatype, texts as strings. */
export type OutputValues =
  | { readonly datatype: "BYTES"; readonly values: readonly string[] }
  | { readonly datatype: NumericDatatype; readonly values: NumericArray };

/** Numbers that are written at once. */
const PIECE_VALUES = 4096;

/** The values of a tensor in raw form. */
export function valuesOf(tensor: Tensor): OutputValues {
  const datatype = tensor.datatype as Datatype;
  if (datatype !== "BYTES") return { datatype, values: numbersIn(tensor.rawContents, datatype) };
  const isTexts = tensor instanceof RawTextTensor || tensor instanceof ClassTexts;
  return { datatype, values: isTexts ? tensor.texts : textsIn(tensor.rawContents) };
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

/** The values of a tensor as JSON, piece by piece; some may be empty. */
export function* jsonPieces(tensor: Tensor): Generator<string> {
  if (tensor instanceof ClassTexts) {
    let isFirst = true;
    for (const texts of tensor.pieces()) {
      const text = JSON.stringify(texts).slice(1, -1);
      yield isFirst || text === "" ? text : `,${text}`;
      isFirst &&= text === "";
    }
    return;
  }
  const output = valuesOf(tensor);
  const { datatype, values } = output;
  for (let from = 0, to = 0; from < values.length; from = to) {
    to = datatype === "BYTES" ? pieceEnd(values, from) : Math.min(values.length, from + PIECE_VALUES);
    const text = valuesJson(output, from, to);
    yield from > 0 ? `,${text}` : text;
  }
}

function numbersJson(datatype: NumericDatatype, values: NumericArray, from: number, to: number): string {
  const { kind, bits } = rowOf(datatype);
  if (kind === "integer") return values.subarray(from, to).join(",");
  if (kind === "flag") {
    let text = values[from] === 0 ? "false" : "true";
    for (let i = from + 1; i < to; i++) text += values[i] === 0 ? ",false" : ",true";
    return text;
  }
  let text = "";
  for (let i = from; i < to; i++) {
    const value = values[i] as number;
    if (i > from) text += ",";
    text += jsonNumber(bits === undefined ? value : bits.toNumber(value));
  }
  return text;
}

/** JSON has neither NaN nor infinity; a client that reads null as NaN loses nothing. */
function jsonNumber(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? "-0" : String(value);
  return Number.isNaN(value) ? "null" : JSON.stringify(String(value));
}
