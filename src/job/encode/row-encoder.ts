import { create } from "@bufbuild/protobuf";
import { type PredictRequest, PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { type Tensor, TensorSchema } from "../../../gen/assay/v1/tensor_pb.ts";
import { floatColumn } from "../../table/duckdb/float-column.ts";
import { copyFloatRows } from "../../table/floats/float-rows.ts";
import type { TableChunk } from "../../table/table-source.ts";
import { elementBytes, isFloat, type NumericDatatype, numericView } from "../../tensor/datatype.ts";
import { FiniteTensor } from "../../tensor/finite-tensor.ts";
import type { ColumnMapping, MappedColumn, MappedTensor } from "../columns/column-mapping.ts";
import { takeRows } from "../results/taken-rows.ts";
import { writeBooleans } from "./boolean-tensor.ts";
import { readNumbers } from "./number-column.ts";
import { type NumberTextOptions, shown } from "./number-text.ts";
import { packedFloats } from "./packed-floats.ts";
import { RowFaults } from "./row-faults.ts";
import { writeFloats, writeIntegers } from "./tensor-writer.ts";
import { type ChunkTexts, chunkTexts } from "./text-cells.ts";
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
  /** Gives the request's bytes back for another chunk. Only once nobody reads them any more; need not be called. */
  release(): void;
}

/** The most rows of a chunk. */
const CHUNK_ROWS = 2048;
/** Buffers kept for each tensor: as many as requests are worth having in flight. */
const SPARE_BUFFERS = 32;

/** A buffer that a request uses. */
interface Lent {
  readonly tensor: MappedTensor;
  readonly buffer: ArrayBuffer;
}

type NumericTensor = MappedTensor & { readonly datatype: NumericDatatype };

/** Makes requests of chunks. The requests own their bytes until `release`: they outlive the chunk. */
export interface RowEncoder {
  encode(chunk: TableChunk): EncodedRows;
  /** What the user should hear of the rows so far, each thing once. */
  readonly notices: readonly string[];
}

/** Makes an encoder for chunks that were read with `mapping.requests`. */
export function createRowEncoder(mapping: ColumnMapping, options: RowEncoderOptions): RowEncoder {
  const { modelName, modelVersion } = options;
  const outputNames = [...options.outputNames];
  const scratch = new Float64Array(CHUNK_ROWS);
  const spaced = new Map<string, string>();
  const onSpaced = (column: string, text: string) => {
    if (spaced.has(column)) return;
    const what = `column ${JSON.stringify(column)} has texts with spaces around them, ${shown(text)}, which the model gets as they are`;
    spaced.set(column, `${what}; --trim-text takes them off`);
  };
  const spare = new Map<MappedTensor, ArrayBuffer[]>();

  function encodeTensor(
    tensor: MappedTensor,
    chunk: TableChunk,
    texts: ChunkTexts,
    faults: RowFaults,
    lent: Lent[],
  ): Tensor {
    const { rowCount } = chunk.chunk;
    const { name, datatype } = tensor;
    const shape = [BigInt(rowCount), ...tensor.tailShape.map(BigInt)];
    let rawContents: Uint8Array<ArrayBuffer>;
    if (tensor.packedIndex !== undefined) {
      rawContents = packedFloats(tensor, tensor.packedIndex, chunk);
      if (chunk.floats?.areFinite === true) return new FiniteTensor({ name, datatype, shape, rawContents });
    } else if (datatype === "BYTES")
      rawContents = encodeTexts(tensor, chunk, options, texts, faults, onSpaced);
    else {
      const buffer =
        spare.get(tensor)?.pop() ??
        new ArrayBuffer(CHUNK_ROWS * tensor.columns.length * elementBytes(datatype));
      lent.push({ tensor, buffer });
      const numbers = scratch.subarray(0, rowCount);
      rawContents = encodeNumbers({ ...tensor, datatype }, chunk, numbers, options, texts, faults, buffer);
    }
    return create(TensorSchema, { name, datatype, shape, rawContents });
  }

  return {
    get notices() {
      return [...spaced.values()];
    },
    encode(chunk) {
      const { rowCount } = chunk.chunk;
      const faults = new RowFaults();
      if (chunk.faults !== undefined) for (const [row, what] of chunk.faults) faults.addRow(row, what);
      const lent: Lent[] = [];
      const texts = chunkTexts(chunk, mapping.joined);
      const inputs = mapping.tensors.map((tensor) => encodeTensor(tensor, chunk, texts, faults, lent));
      const all = create(PredictRequestSchema, { modelName, modelVersion, outputNames, inputs });
      const release = () => {
        chunk.floats?.release();
        for (const { tensor, buffer } of lent.splice(0)) {
          const buffers = spare.get(tensor) ?? [];
          if (buffers.length < SPARE_BUFFERS) buffers.push(buffer);
          spare.set(tensor, buffers);
        }
      };
      const rest = { rowCount, errors: faults.texts(), tensors: mapping.tensors, release };
      if (faults.size === 0) return { ...rest, request: rowCount === 0 ? undefined : all, rows: undefined };
      const rows = new Int32Array(rowCount - faults.size);
      for (let row = 0, at = 0; row < rowCount; row++) if (!faults.has(row)) rows[at++] = row;
      return { ...rest, request: rows.length === 0 ? undefined : takeRows(all, rows), rows };
    },
  };
}

function encodeNumbers(
  tensor: NumericTensor,
  chunk: TableChunk,
  scratch: Float64Array,
  options: NumberTextOptions,
  texts: ChunkTexts,
  faults: RowFaults,
  buffer: ArrayBuffer,
): Uint8Array<ArrayBuffer> {
  const { datatype, columns } = tensor;
  const rowCount = scratch.length;
  const step = columns.length;
  const target = numericView(datatype, buffer, 0, rowCount * step);
  const vectorOf = ({ vectorIndex }: MappedColumn) => chunk.chunk.getColumnVector(vectorIndex);
  for (let at = 0; at < step; at++) {
    const column = columns[at]!;
    const stride = { at, step, rowCount };
    if (datatype === "BOOL") {
      writeBooleans(column, chunk, target as Uint8Array, stride, texts, faults);
      continue;
    }
    if (column.kind === "float" && datatype === "FP32") {
      let to = at + 1;
      while (columns[to]?.kind === "float") to++;
      const floats = { values: target as Float32Array, width: step, column: at, row: 0 };
      copyFloatRows(
        columns.slice(at, to).map((each) => floatColumn(vectorOf(each))),
        0,
        rowCount,
        floats,
      );
      at = to - 1;
      continue;
    }
    const numbers = readNumbers(vectorOf(column), column, rowCount, scratch, options, texts, faults);
    if (isFloat(datatype))
      writeFloats(numbers, target as Float32Array, datatype, stride, column.column, faults);
    else writeIntegers(numbers, target, datatype, stride, column.column, faults);
  }
  return new Uint8Array(buffer, 0, rowCount * step * elementBytes(datatype));
}
