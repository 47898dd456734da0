import type { Tensor } from "../../../gen/assay/v1/tensor_pb.ts";
import { findRawTexts } from "../../service/tensors/text-elements.ts";
import { type Datatype, type NumericDatatype, numericView, rowOf } from "../../tensor/datatype.ts";
import { PackedContents } from "../../tensor/packed-contents.ts";
import { RawTextTensor } from "../../tensor/raw-text-tensor.ts";

/** An element as JSON can say it; a bigint is written as a number with every digit, null is no number. */
export type JsonElement = number | bigint | boolean | string | null;

/** The elements of a tensor, in whatever form they lie. */
export interface TensorElements {
  readonly count: number;
  at(index: number): JsonElement;
}

/** Reads the elements of a tensor that the server made. */
export function tensorElements(tensor: Tensor, datatype: Datatype): TensorElements {
  const { values, isBits } = valuesOf(tensor, datatype);
  const { kind, bits } = rowOf(datatype);
  const at = (index: number): JsonElement => {
    const value = values[index] as number | bigint | boolean | string | Uint8Array;
    if (kind === "flag") return Boolean(value);
    if (kind === "text")
      return typeof value === "string" ? value : Buffer.from(value as Uint8Array).toString();
    if (kind === "integer") return value as number | bigint;
    return finite(isBits && bits !== undefined ? bits.toNumber(value as number) : (value as number));
  };
  return { count: values.length, at };
}

/** JSON has no NaN: null stands for it, as for a value that is missing; infinity is written as protobuf's JSON does. */
export function finite(value: number): number | string | null {
  if (Number.isFinite(value)) return value;
  return Number.isNaN(value) ? null : String(value);
}

function valuesOf(
  tensor: Tensor,
  datatype: Datatype,
): { readonly values: ArrayLike<unknown>; readonly isBits: boolean } {
  const { contents } = tensor;
  if (contents instanceof PackedContents) return { values: contents.values, isBits: true };
  const { contents: field } = rowOf(datatype);
  if (contents !== undefined && field !== undefined) return { values: contents[field], isBits: false };
  if (tensor instanceof RawTextTensor) return { values: tensor.texts, isBits: false };
  const { rawContents } = tensor;
  const count = tensor.shape.reduce((product, length) => product * Number(length), 1);
  if (datatype === "BYTES") {
    const places = findRawTexts(rawContents, count);
    const texts = Array.from({ length: places === undefined ? 0 : count }, (_, index) =>
      Buffer.from(rawContents.subarray(places!.starts[index], places!.ends[index])).toString(),
    );
    return { values: texts, isBits: false };
  }
  // A view needs an offset that fits its elements.
  const { buffer } = rawContents.slice();
  return { values: numericView(datatype as NumericDatatype, buffer, 0, count), isBits: true };
}
