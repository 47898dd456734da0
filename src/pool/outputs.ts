import { numericView } from "../tensor/datatype.ts";
import { elementCount, type TensorData } from "../tensor/tensor-data.ts";
import { readHeader } from "../worker/frame.ts";
import { readStrings } from "../worker/strings.ts";

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
