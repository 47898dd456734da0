import { create } from "@bufbuild/protobuf";
import { type PredictRequest, PredictRequestSchema } from "../../gen/assay/v1/scoring_service_pb.ts";
import { type Tensor, TensorSchema } from "../../gen/assay/v1/tensor_pb.ts";
import type { TableChunk } from "../table/table-source.ts";
import { ELEMENT_BYTES, numericView } from "../tensor/datatype.ts";
import { writeBooleans } from "./boolean-tensor.ts";
import type { ColumnMapping, MappedTensor } from "./column-mapping.ts";
import { readNumbers } from "./number-column.ts";
import type { NumberTextOptions } from "./number-text.ts";
import { createRowFaults, type RowFaults } from "./row-faults.ts";
import { takeRows } from "./taken-rows.ts";
import { copyFloats, writeFloats, writeIntegers } from "./tensor-writer.ts";
import { encodeTexts, type TextOptions } from "./text-tensor.ts";

/** What requests say besides their rows, and how text is read. */
export interface RowEncoderOptions extends NumberTextOptions, TextOptions {
  readonly modelName: string;
  readonly modelVersion: string;
  /** Outputs that the responses must bring beside scores and labels. */
  readonly outputNames: readonly string[];
}

/** One chunk's rows as a request, without those that have an error. */
export interface EncodedRows {
  /** Rows of the chunk. */
  readonly rowCount: number;
  /** Undefined where no row is left. */
  readonly request: PredictRequest | undefined;
  /** The chunk's row of each row of the request; undefined: all of them. */
  readonly rows: Int32Array | undefined;
  /** By row in the chunk. */
  readonly errors: ReadonlyMap<number, string>;
  /** Where each tensor of the request comes from. */
  readonly tensors: readonly MappedTensor[];
}

/** Makes requests of chunks. The requests own their bytes: they outlive the chunk. */
export interface RowEncoder {
  encode(chunk: TableChunk): EncodedRows;
}

/** Makes an encoder for chunks that were read with `mapping.requests`. */
export function createRowEncoder(mapping: ColumnMapping, options: RowEncoderOptions): RowEncoder {
  const { modelName, modelVersion } = options;
  const outputNames = [...options.outputNames];
  let scratch = new Float64Array(2048);

  function encodeTensor(tensor: MappedTensor, chunk: TableChunk, faults: RowFaults): Tensor {
    const { rowCount } = chunk.chunk;
    if (scratch.length < rowCount) scratch = new Float64Array(rowCount);
    const { name, datatype } = tensor;
    const rawContents =
      datatype === "BYTES"
        ? encodeTexts(tensor, chunk, options, faults)
        : encodeNumbers({ ...tensor, datatype }, chunk, scratch.subarray(0, rowCount), options, faults);
    const shape = [BigInt(rowCount), ...tensor.tailShape.map(BigInt)];
    return create(TensorSchema, { name, datatype, shape, rawContents });
  }

  return {
    encode(chunk) {
      const { rowCount } = chunk.chunk;
      const faults = createRowFaults();
      const inputs = mapping.tensors.map((tensor) => encodeTensor(tensor, chunk, faults));
      const all = create(PredictRequestSchema, { modelName, modelVersion, outputNames, inputs });
      const rest = { rowCount, errors: faults.texts(), tensors: mapping.tensors };
      if (faults.size === 0) return { ...rest, request: rowCount === 0 ? undefined : all, rows: undefined };
      const rows = new Int32Array(rowCount - faults.size);
      for (let row = 0, at = 0; row < rowCount; row++) if (!faults.has(row)) rows[at++] = row;
      return { ...rest, request: rows.length === 0 ? undefined : takeRows(all, rows), rows };
    },
  };
}

function encodeNumbers(
  tensor: MappedTensor & { readonly datatype: Exclude<MappedTensor["datatype"], "BYTES"> },
  chunk: TableChunk,
  scratch: Float64Array,
  options: NumberTextOptions,
  faults: RowFaults,
): Uint8Array<ArrayBuffer> {
  const { datatype, columns } = tensor;
  const rowCount = scratch.length;
  const step = columns.length;
  const buffer = new ArrayBuffer(rowCount * step * ELEMENT_BYTES[datatype]);
  const target = numericView(datatype, buffer, 0, rowCount * step);
  for (let at = 0; at < step; at++) {
    const column = columns[at]!;
    const stride = { at, step, rowCount };
    if (datatype === "BOOL") {
      writeBooleans(column, chunk, target as Uint8Array, stride, faults);
      continue;
    }
    const vector = chunk.chunk.getColumnVector(column.vectorIndex);
    if (column.kind === "float" && datatype === "FP32") {
      copyFloats(vector, target as Float32Array, stride);
      continue;
    }
    const numbers = readNumbers(vector, column, rowCount, scratch, options, faults);
    if (datatype === "FP16" || datatype === "FP32" || datatype === "FP64")
      writeFloats(numbers, target as Float32Array, datatype, stride, column.column, faults);
    else writeIntegers(numbers, target, datatype, stride, column.column, faults);
  }
  return new Uint8Array(buffer);
}
