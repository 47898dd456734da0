import { create } from "@bufbuild/protobuf";
import { type PredictRequest, PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { type Tensor, TensorSchema } from "../../../gen/assay/v1/tensor_pb.ts";

const LENGTH_BYTES = 4;

/** The same request with only these rows of it, in this order. Its tensors have raw contents and axis 0 counts rows. */
export function takeRows(request: PredictRequest, rows: ArrayLike<number>): PredictRequest {
  return create(PredictRequestSchema, {
    modelName: request.modelName,
    modelVersion: request.modelVersion,
    outputNames: request.outputNames,
    inputs: request.inputs.map((tensor) => takeTensorRows(tensor, rows)),
  });
}

function takeTensorRows(tensor: Tensor, rows: ArrayLike<number>): Tensor {
  const [rowCount, ...tail] = tensor.shape.map(Number);
  const { name, datatype, rawContents } = tensor;
  const ends = rowEnds(tensor, rowCount!, tail);
  let length = 0;
  for (let i = 0; i < rows.length; i++) length += ends[rows[i]! + 1]! - ends[rows[i]!]!;
  const taken = new Uint8Array(length);
  let at = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rawContents.subarray(ends[rows[i]!]!, ends[rows[i]! + 1]!);
    taken.set(row, at);
    at += row.length;
  }
  const shape = [BigInt(rows.length), ...tail.map(BigInt)];
  return create(TensorSchema, { name, datatype, shape, rawContents: taken });
}

/** Where each row begins in the raw contents, and where the last one ends. */
function rowEnds({ datatype, rawContents }: Tensor, rowCount: number, tail: readonly number[]): Float64Array {
  const ends = new Float64Array(rowCount + 1);
  if (datatype !== "BYTES") {
    for (let row = 0; row <= rowCount; row++) ends[row] = (rawContents.length / rowCount) * row;
    return ends;
  }
  const view = new DataView(rawContents.buffer, rawContents.byteOffset, rawContents.byteLength);
  const width = tail.reduce((product, length) => product * length, 1);
  let at = 0;
  for (let row = 0; row < rowCount; row++) {
    for (let i = 0; i < width; i++) at += LENGTH_BYTES + view.getUint32(at, true);
    ends[row + 1] = at;
  }
  return ends;
}
