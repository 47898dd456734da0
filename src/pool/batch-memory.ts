import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { elementBytes, type NumericArray, numericView } from "../tensor/datatype.ts";
import { copyOctets } from "../tensor/octet-copy.ts";
import { elementCount, type TensorData } from "../tensor/tensor-data.ts";
import { alignOffset, type FrameTensor, headerBytes, readHeader, writeHeader } from "../worker/frame.ts";
import type { SlotMemory } from "../worker/slot-memory.ts";
import {
  type EncodedStrings,
  joinStrings,
  lengthBytes,
  readStrings,
  writeStrings,
} from "../worker/strings.ts";
import type { Batch } from "./pool.ts";

/** The names that a worker knows its model's inputs and outputs by, in the order of their indices. */
export interface TensorNames {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
}

/**
 * Lays a batch as a frame in `memory`, whose buffer it replaces where it does not fit. Throws REQUEST_TOO_LARGE beyond `maxBytes`.
 */
export function writeBatch(batch: Batch, names: TensorNames, memory: SlotMemory, maxBytes: number): void {
  const extras = batch.outputNames.map((name) => indexOf(names.outputNames, name, "output"));
  const tensors: FrameTensor[] = [];
  let end = headerBytes(batch.inputs, extras.length);
  for (const { name, datatype, shape } of batch.inputs) {
    const byteLength = elementCount(shape) * elementBytes(datatype);
    const nameIndex = indexOf(names.inputNames, name, "input");
    tensors.push({ nameIndex, datatype, shape, byteOffset: end, byteLength });
    end = alignOffset(end + byteLength);
  }
  checkSize(end, maxBytes);
  memory.fit(end);
  const strings = writeElements(batch, tensors, memory.buffer);
  if (strings !== undefined) {
    const textStart = end;
    for (const [index, { values, encoded }] of strings) {
      const tensor = tensors[index]!;
      tensor.byteOffset = end;
      tensor.byteLength = encoded.byteLength;
      end = alignOffset(end + lengthBytes(values.length) + encoded.byteLength);
    }
    checkSize(end, maxBytes);
    const numeric = new Uint8Array(memory.buffer, 0, textStart);
    if (memory.fit(end)) copyOctets(numeric, new Uint8Array(memory.buffer, 0, textStart));
    for (const [index, { values, encoded }] of strings) {
      writeStrings(memory.buffer, tensors[index]!.byteOffset, values, encoded);
    }
  }
  writeHeader(memory.buffer, tensors, extras);
  memory.note(end);
}

interface StringInput {
  values: string[] | readonly string[];
  encoded: EncodedStrings;
}

const NO_TEXT: EncodedStrings = { pieces: [], byteLength: 0 };

/** Has the batch write numeric elements in place; gathers its strings, whose size is known only when all are there. */
function writeElements(
  batch: Batch,
  tensors: readonly FrameTensor[],
  memory: SharedArrayBuffer,
): Map<number, StringInput> | undefined {
  let strings: Map<number, StringInput> | undefined;
  for (let index = 0; index < tensors.length; index++) {
    if (tensors[index]!.datatype !== "BYTES") continue;
    strings ??= new Map();
    strings.set(index, { values: [], encoded: NO_TEXT });
  }
  batch.write({
    numeric(inputIndex): NumericArray {
      const { datatype, shape, byteOffset } = tensors[inputIndex]!;
      if (datatype === "BYTES") throw new TypeError(`input ${inputIndex} holds strings`);
      return numericView(datatype, memory, byteOffset, elementCount(shape));
    },
    appendStrings(inputIndex, values): void {
      const input = strings?.get(inputIndex);
      if (input === undefined) throw new TypeError(`input ${inputIndex} holds no strings`);
      const expected = elementCount(tensors[inputIndex]!.shape);
      // Those of one entry alone lie as they are to lie here.
      if (Array.isArray(values) && values.length === expected) input.values = values as readonly string[];
      else for (const value of values) (input.values as string[]).push(value);
    },
  });
  if (strings === undefined) return undefined;
  for (const [index, input] of strings) {
    const expected = elementCount(tensors[index]!.shape);
    if (input.values.length !== expected) {
      throw new RangeError(`input ${index} takes ${expected} strings, ${input.values.length} were written`);
    }
    input.encoded = joinStrings(input.values);
  }
  return strings;
}

function checkSize(byteCount: number, maxBytes: number): void {
  if (byteCount <= maxBytes) return;
  throw new AssayError(
    Reason.REQUEST_TOO_LARGE,
    `the inputs of one run take ${byteCount} bytes, more than the ${maxBytes} that are allowed; send fewer rows in one request or lower max_batch_size`,
    { limit: "run-bytes" },
  );
}

function indexOf(names: readonly string[], name: string, kind: string): number {
  const index = names.indexOf(name);
  if (index === -1) throw new RangeError(`the model has no ${kind} "${name}"; it has ${names.join(", ")}`);
  return index;
}

/** The outputs that a worker laid in `memory`: numeric data as views of it, strings decoded. */
export function readOutputs(memory: SharedArrayBuffer, outputNames: readonly string[]): TensorData[] {
  return readHeader(memory).tensors.map(({ nameIndex, datatype, shape, byteOffset, byteLength }) => {
    const count = elementCount(shape);
    const data =
      datatype === "BYTES"
        ? readStrings(memory, byteOffset, count, byteLength)
        : numericView(datatype, memory, byteOffset, count);
    return { name: outputNames[nameIndex]!, datatype, shape, data };
  });
}
