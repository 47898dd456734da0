import { type TensorProto, TensorProto_DataType } from "../../../gen/onnx/onnx-ml_pb.ts";
import { elementBytes, type NumericArray, numericView, rowOf } from "../../tensor/datatype.ts";
import { elementCount, type TensorData } from "../../tensor/tensor-data.ts";
import { quoted, refusal } from "../refusal.ts";
import { datatypeOf, elementTypeName } from "./element-type.ts";

const utf8 = new TextDecoder();

/** The values of a stored tensor, copied; throws MODEL_INVALID where they do not fit its declaration or lie elsewhere. */
export function decodeTensor(tensor: TensorProto, name = tensor.name): TensorData {
  const datatype = datatypeOf(tensor.dataType);
  if (datatype === undefined) {
    throw refusal(`tensor ${quoted(name)} has the element type ${elementTypeName(tensor.dataType)}`);
  }
  const shape = tensor.dims.map(Number);
  const count = elementCount(shape);
  if (datatype === "BYTES") {
    const data = tensor.stringData.map((value) => utf8.decode(value));
    if (data.length !== count) throw misfit(name, shape, `${data.length} strings`);
    return { name, datatype, shape, data };
  }
  if (tensor.rawData.length > 0) {
    if (tensor.rawData.length !== count * elementBytes(datatype)) {
      throw misfit(name, shape, `${tensor.rawData.length} bytes of ${datatype}`);
    }
    const copy = new Uint8Array(tensor.rawData);
    return { name, datatype, shape, data: numericView(datatype, copy.buffer, 0, count) };
  }
  const values = typedValues(tensor);
  if (values.length !== count) throw misfit(name, shape, `${values.length} values`);
  const data = numericView(datatype, new ArrayBuffer(count * elementBytes(datatype)), 0, count);
  fill(data, values);
  return { name, datatype, shape, data };
}

/** The values of a small one-dimensional constant as text, for class labels; undefined for half floats and absent values. */
export function labelTexts(tensor: TensorProto): string[] | undefined {
  const datatype = datatypeOf(tensor.dataType);
  if (datatype === undefined || rowOf(datatype).bits !== undefined || tensor.externalData.length > 0)
    return undefined;
  try {
    return Array.from(decodeTensor(tensor).data as ArrayLike<string | number | bigint>, String);
  } catch {
    return undefined;
  }
}

function typedValues(tensor: TensorProto): readonly (number | bigint)[] {
  switch (tensor.dataType) {
    case TensorProto_DataType.FLOAT:
      return tensor.floatData;
    case TensorProto_DataType.DOUBLE:
      return tensor.doubleData;
    case TensorProto_DataType.INT64:
      return tensor.int64Data;
    case TensorProto_DataType.UINT32:
    case TensorProto_DataType.UINT64:
      return tensor.uint64Data;
    default:
      return tensor.int32Data;
  }
}

function fill(data: NumericArray, values: readonly (number | bigint)[]): void {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let i = 0; i < values.length; i++) data[i] = BigInt(values[i]!);
  } else {
    for (let i = 0; i < values.length; i++) data[i] = Number(values[i]!);
  }
}

function misfit(name: string, shape: readonly number[], came: string): Error {
  return refusal(`tensor ${quoted(name)} declares the shape [${shape.join(",")}] and holds ${came}`);
}
