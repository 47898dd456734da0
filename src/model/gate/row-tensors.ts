import type { NumericArray } from "../../tensor/datatype.ts";
import { elementCount, type TensorData } from "../../tensor/tensor-data.ts";

/** Rows of axis 0 in the order of `rows`; copies. */
export function takeRows(tensor: TensorData, rows: readonly number[]): TensorData {
  const perRow = elementCount(tensor.shape.slice(1));
  const shape = [rows.length, ...tensor.shape.slice(1)];
  if (tensor.datatype === "BYTES") {
    const source = tensor.data as readonly string[];
    const data = rows.flatMap((row) => source.slice(row * perRow, (row + 1) * perRow));
    return { ...tensor, shape, data };
  }
  const source = tensor.data as NumericArray;
  const data = emptyLike(source, rows.length * perRow);
  for (const [to, from] of rows.entries()) {
    setAll(data, source.subarray(from * perRow, (from + 1) * perRow), to * perRow);
  }
  return { ...tensor, shape, data };
}

/** The rows of tensors of one name, datatype and tail shape, one after another; copies. */
export function joinRows(tensors: readonly TensorData[]): TensorData {
  const first = tensors[0]!;
  const rows = tensors.reduce((sum, { shape }) => sum + shape[0]!, 0);
  const shape = [rows, ...first.shape.slice(1)];
  if (first.datatype === "BYTES") {
    return { ...first, shape, data: tensors.flatMap(({ data }) => data as readonly string[]) };
  }
  const data = emptyLike(first.data as NumericArray, elementCount(shape));
  let at = 0;
  for (const tensor of tensors) {
    setAll(data, tensor.data as NumericArray, at);
    at += tensor.data.length;
  }
  return { ...first, shape, data };
}

function emptyLike(source: NumericArray, length: number): NumericArray {
  const Make = source.constructor as new (length: number) => NumericArray;
  return new Make(length);
}

function setAll(target: NumericArray, source: NumericArray, at: number): void {
  (target as Float64Array).set(source as Float64Array, at);
}
