import type { Entry, EntryInput, Lane, RowWriter } from "../batcher/batcher.ts";
import type { AssayError } from "../errors.ts";
import { ELEMENT_BYTES } from "../tensor/datatype.ts";
import { elementCount, type TensorData } from "../tensor/tensor-data.ts";
import { copyValues, type InputValues } from "./input-values.ts";

/** One input that fits the model's signature, with its elements. */
export interface CheckedInput extends EntryInput {
  readonly values: InputValues;
}

/** Rows that fit the model's signature, ready for the batcher. */
export interface CheckedRows {
  readonly rowCount: number;
  readonly inputs: readonly CheckedInput[];
}

/** What an entry is made with besides its rows. */
export interface EntryOptions {
  readonly lane: Lane;
  readonly deadlineAt: number;
  readonly waitsForRoom: boolean;
  readonly outputNames: readonly string[];
  readonly onOutputs: (outputs: readonly TensorData[]) => void;
  readonly onError: (error: AssayError) => void;
}

/** Makes the batcher's entry from checked rows; the rows are copied when the batcher asks for them. */
export function createEntry(rows: CheckedRows, options: EntryOptions): Entry {
  const { inputs } = rows;
  return {
    rowCount: rows.rowCount,
    byteCount: byteCount(rows),
    inputs,
    shapeKey: shapeKey(inputs),
    lane: options.lane,
    deadlineAt: options.deadlineAt,
    waitsForRoom: options.waitsForRoom,
    outputNames: options.outputNames,
    write(writer: RowWriter, fromRow: number, rowCount: number): void {
      for (let i = 0; i < inputs.length; i++) {
        const input = inputs[i]!;
        const perRow = elementCount(input.tailShape);
        copyValues(input.values, writer, i, fromRow * perRow, rowCount * perRow);
      }
    },
    onOutputs: options.onOutputs,
    onError: options.onError,
  };
}

/** The names and tail shapes of inputs as one string: rows share a batch only if theirs are equal. */
export function shapeKey(inputs: readonly EntryInput[]): string {
  let key = "";
  for (const input of inputs) key += `${input.name}\u0000${input.tailShape.join(",")};`;
  return key;
}

function byteCount(rows: CheckedRows): number {
  let bytes = 0;
  for (const input of rows.inputs) {
    if (input.values.kind === "strings") for (const text of input.values.values) bytes += 4 + text.length;
    else bytes += rows.rowCount * elementCount(input.tailShape) * ELEMENT_BYTES[input.datatype];
  }
  return bytes;
}
