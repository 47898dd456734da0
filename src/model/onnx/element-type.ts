import { TensorProto_DataType } from "../../../gen/onnx/onnx-ml_pb.ts";
import { DATATYPE_NAMES, type Datatype, elementBytes, rowOf } from "../../tensor/datatype.ts";

const SERVED: ReadonlyMap<number, Datatype> = new Map(
  DATATYPE_NAMES.map((datatype) => [rowOf(datatype).elementType, datatype]),
);

/** The datatype that inputs and outputs of an ONNX element type have, or undefined where Assay has none. */
export function datatypeOf(elementType: number): Datatype | undefined {
  return SERVED.get(elementType);
}

/** The ONNX element type of a datatype. */
export function elementTypeOf(datatype: Datatype): TensorProto_DataType {
  return rowOf(datatype).elementType;
}

/** The name of an element type in ONNX: `BFLOAT16`; `element type 99` for numbers without one. */
export function elementTypeName(elementType: number): string {
  for (const [name, value] of Object.entries(TensorProto_DataType)) if (value === elementType) return name;
  return `element type ${elementType}`;
}

/** Bits that an element takes in a file; 0 for strings and unknown types. */
export function elementBits(elementType: number): number {
  const datatype = datatypeOf(elementType);
  if (datatype !== undefined) return elementBytes(datatype) * 8;
  const name = elementTypeName(elementType);
  if (name === "COMPLEX64") return 64;
  if (name === "COMPLEX128") return 128;
  if (name.startsWith("FLOAT8")) return 8;
  if (/^(U?INT|FLOAT)4/.test(name)) return 4;
  return /^U?INT2$/.test(name) ? 2 : 0;
}
