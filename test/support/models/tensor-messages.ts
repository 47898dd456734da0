import { create } from "@bufbuild/protobuf";
import { type Tensor, TensorSchema } from "../../../gen/assay/v1/tensor_pb.ts";
import { type Datatype, elementBytes, numericView, rowOf } from "../../../src/tensor/datatype.ts";
import { rawContents, typedContents } from "../../../src/tensor/tensor-contents.ts";
import { elementCount, type TensorData } from "../../../src/tensor/tensor-data.ts";

/** A tensor as a request has it; FP16 and BF16 have only the raw form. */
export function toMessage(tensor: TensorData, raw = false): Tensor {
  const { name, datatype } = tensor;
  const shape = tensor.shape.map(BigInt);
  return raw || rowOf(datatype).contents === undefined
    ? create(TensorSchema, { name, datatype, shape, rawContents: rawContents(tensor) })
    : create(TensorSchema, { name, datatype, shape, contents: typedContents(tensor) });
}

/** A tensor of a response; throws where its values do not fill its shape. */
export function fromMessage(tensor: Tensor): TensorData {
  const { name } = tensor;
  const datatype = tensor.datatype as Datatype;
  const shape = tensor.shape.map(Number);
  const count = elementCount(shape);
  const data = tensor.rawContents.length > 0 ? readRaw(tensor, datatype, count) : readTyped(tensor, datatype);
  if (data.length !== count)
    throw new Error(`${name}: ${data.length} values for the shape [${shape.join(",")}]`);
  return { name, datatype, shape, data };
}

function readRaw(tensor: Tensor, datatype: Datatype, count: number): TensorData["data"] {
  const bytes = new Uint8Array(tensor.rawContents);
  if (datatype !== "BYTES")
    return numericView(datatype, bytes.buffer, 0, bytes.length / elementBytes(datatype));
  const view = new DataView(bytes.buffer);
  const values: string[] = [];
  for (let at = 0; values.length < count; ) {
    const length = view.getUint32(at, true);
    values.push(new TextDecoder().decode(bytes.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return values;
}

function readTyped(tensor: Tensor, datatype: Datatype): TensorData["data"] {
  const contents = tensor.contents!;
  const values = [
    contents.boolContents.map(Number),
    contents.intContents,
    contents.int64Contents,
    contents.uintContents,
    contents.uint64Contents,
    contents.fp32Contents,
    contents.fp64Contents,
  ].flat() as (number | bigint)[];
  if (datatype === "BYTES") return contents.bytesContents.map((bytes) => new TextDecoder().decode(bytes));
  const data = numericView(
    datatype,
    new ArrayBuffer(values.length * elementBytes(datatype)),
    0,
    values.length,
  );
  for (const [index, value] of values.entries()) (data as Float64Array)[index] = value as number;
  return data;
}
