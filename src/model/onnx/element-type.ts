import { TensorProto_DataType } from "../../../gen/onnx/onnx-ml_pb.ts";
import { type Datatype, ELEMENT_BYTES } from "../../tensor/datatype.ts";

const SERVED: ReadonlyMap<number, Datatype> = new Map([
  [TensorProto_DataType.FLOAT, "FP32"],
  [TensorProto_DataType.UINT8, "UINT8"],
  [TensorProto_DataType.INT8, "INT8"],
  [TensorProto_DataType.UINT16, "UINT16"],
  [TensorProto_DataType.INT16, "INT16"],
  [TensorProto_DataType.INT32, "INT32"],
  [TensorProto_DataType.INT64, "INT64"],
  [TensorProto_DataType.STRING, "BYTES"],
  [TensorProto_DataType.BOOL, "BOOL"],
  [TensorProto_DataType.FLOAT16, "FP16"],
  [TensorProto_DataType.DOUBLE, "FP64"],
  [TensorProto_DataType.UINT32, "UINT32"],
  [TensorProto_DataType.UINT64, "UINT64"],
]);

/** The datatype that inputs and outputs of an ONNX element type have, or undefined where Assay has none. */
export function datatypeOf(elementType: number): Datatype | undefined {
  return SERVED.get(elementType);
}

/** The ONNX element type of a datatype. */
export function elementTypeOf(datatype: Datatype): number {
  for (const [elementType, name] of SERVED) if (name === datatype) return elementType;
  return TensorProto_DataType.UNDEFINED;
}

/** The name of an element type in ONNX: `BFLOAT16`; `element type 99` for numbers without one. */
export function elementTypeName(elementType: number): string {
  for (const [name, value] of Object.entries(TensorProto_DataType)) if (value === elementType) return name;
  return `element type ${elementType}`;
}

/** Bits that an element takes in a file; 0 for strings and unknown types. */
export function elementBits(elementType: number): number {
  const datatype = datatypeOf(elementType);
  if (datatype !== undefined) return ELEMENT_BYTES[datatype] * 8;
  const name = elementTypeName(elementType);
  if (name === "COMPLEX64") return 64;
  if (name === "COMPLEX128") return 128;
  if (name === "BFLOAT16") return 16;
  if (name.startsWith("FLOAT8")) return 8;
  if (/^(U?INT|FLOAT)4/.test(name)) return 4;
  return /^U?INT2$/.test(name) ? 2 : 0;
}
