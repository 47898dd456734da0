import type { TensorContents } from "../../gen/assay/v1/tensor_pb.ts";
import type { TensorProto_DataType } from "../../gen/onnx/onnx-ml_pb.ts";
import { bfloatToNumber, halfToNumber, numberToBfloat, numberToHalf } from "./float-bits.ts";

/** The array that holds the elements of a numeric datatype: BOOL 0 or 1, FP16 and BF16 their bits. */
export type NumericArray =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/** The lists of TensorContents, by their names in messages. */
export type ContentsField = Exclude<keyof TensorContents, `$${string}`>;

/** Makes a view of elements. */
type ViewOf = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => NumericArray;

/** Floats that are held as their bits, because JavaScript has no array of them. */
interface FloatBits {
  toNumber(bits: number): number;
  /** Rounded to the nearest, ties to even. */
  fromNumber(value: number): number;
}

/** All that is special about one datatype; everything else is the same for all. */
interface DatatypeRow {
  readonly kind: "flag" | "integer" | "float" | "text";
  /** Bytes that an element takes in raw contents and in shared memory; texts vary and have 0. */
  readonly elementBytes: number;
  /** Undefined for texts. */
  readonly View: ViewOf | undefined;
  /** Where its values stand in a message that holds them as a list; undefined where only raw contents do. */
  readonly contents: ContentsField | undefined;
  /** Its number in ONNX files. */
  readonly elementType: TensorProto_DataType;
  /** Its name in onnxruntime-node; undefined where that has no such tensors. */
  readonly sessionType: string | undefined;
  /** Of integers: the smallest and the largest value. */
  readonly range?: readonly [bigint, bigint];
  /** Of floats: the largest magnitude that stays finite. */
  readonly largest?: number;
  readonly bits?: FloatBits;
}

const HALF_BITS: FloatBits = { toNumber: halfToNumber, fromNumber: numberToHalf };
const BRAIN_BITS: FloatBits = { toNumber: bfloatToNumber, fromNumber: numberToBfloat };

function integer(
  bits: 8 | 16 | 32 | 64,
  isSigned: boolean,
  View: ViewOf,
  contents: ContentsField,
  elementType: TensorProto_DataType,
): DatatypeRow {
  const magnitude = 2n ** BigInt(isSigned ? bits - 1 : bits);
  return {
    kind: "integer",
    elementBytes: bits / 8,
    View,
    contents,
    elementType,
    sessionType: `${isSigned ? "" : "u"}int${bits}`,
    range: [isSigned ? -magnitude : 0n, magnitude - 1n],
  };
}

/** By name: the schema itself is large, and a worker needs only these numbers. */
type InFiles = typeof TensorProto_DataType;

/** Every element type that is served, by its name in the Open Inference Protocol; BYTES is a UTF-8 text an element. */
export const DATATYPES = {
  BOOL: {
    kind: "flag",
    elementBytes: 1,
    View: Uint8Array,
    contents: "boolContents",
    elementType: 9 satisfies InFiles["BOOL"],
    sessionType: "bool",
  },
  UINT8: integer(8, false, Uint8Array, "uintContents", 2 satisfies InFiles["UINT8"]),
  UINT16: integer(16, false, Uint16Array, "uintContents", 4 satisfies InFiles["UINT16"]),
  UINT32: integer(32, false, Uint32Array, "uintContents", 12 satisfies InFiles["UINT32"]),
  UINT64: integer(64, false, BigUint64Array, "uint64Contents", 13 satisfies InFiles["UINT64"]),
  INT8: integer(8, true, Int8Array, "intContents", 3 satisfies InFiles["INT8"]),
  INT16: integer(16, true, Int16Array, "intContents", 5 satisfies InFiles["INT16"]),
  INT32: integer(32, true, Int32Array, "intContents", 6 satisfies InFiles["INT32"]),
  INT64: integer(64, true, BigInt64Array, "int64Contents", 7 satisfies InFiles["INT64"]),
  FP16: {
    kind: "float",
    elementBytes: 2,
    View: Uint16Array,
    contents: undefined,
    elementType: 10 satisfies InFiles["FLOAT16"],
    sessionType: "float16",
    largest: 65504,
    bits: HALF_BITS,
  },
  BF16: {
    kind: "float",
    elementBytes: 2,
    View: Uint16Array,
    contents: undefined,
    elementType: 16 satisfies InFiles["BFLOAT16"],
    sessionType: undefined,
    largest: 3.3895313892515355e38,
    bits: BRAIN_BITS,
  },
  FP32: {
    kind: "float",
    elementBytes: 4,
    View: Float32Array,
    contents: "fp32Contents",
    elementType: 1 satisfies InFiles["FLOAT"],
    sessionType: "float32",
    // The last double before half a step beyond the largest single, from where on numbers are rounded to infinity.
    largest: 3.4028235677973362e38,
  },
  FP64: {
    kind: "float",
    elementBytes: 8,
    View: Float64Array,
    contents: "fp64Contents",
    elementType: 11 satisfies InFiles["DOUBLE"],
    sessionType: "float64",
    largest: Number.MAX_VALUE,
  },
  BYTES: {
    kind: "text",
    elementBytes: 0,
    View: undefined,
    contents: "bytesContents",
    elementType: 8 satisfies InFiles["STRING"],
    sessionType: "string",
  },
} as const satisfies Readonly<Record<string, DatatypeRow>>;

/** Element types in the Open Inference Protocol's names. */
export type Datatype = keyof typeof DATATYPES;

/** Datatypes whose elements are numbers, flags among them. */
export type NumericDatatype = Exclude<Datatype, "BYTES">;

/** Datatypes whose elements have an exponent. */
export type FloatDatatype = {
  [D in Datatype]: (typeof DATATYPES)[D] extends { readonly kind: "float" } ? D : never;
}[Datatype];

/** All datatypes, in an order that does not change while a process lives. */
export const DATATYPE_NAMES = Object.keys(DATATYPES) as readonly Datatype[];

/** A datatype's row. */
export function rowOf(datatype: Datatype): DatatypeRow {
  return DATATYPES[datatype];
}

/** Tells whether a text names a datatype. */
export function isDatatype(name: string): name is Datatype {
  return Object.hasOwn(DATATYPES, name);
}

/** Bytes that an element takes in raw contents and in shared memory; BYTES varies and is 0 here. */
export function elementBytes(datatype: Datatype): number {
  return rowOf(datatype).elementBytes;
}

/** Tells whether the elements have an exponent. */
export function isFloat(datatype: Datatype): datatype is FloatDatatype {
  return rowOf(datatype).kind === "float";
}

/** A view of `length` elements of a numeric `datatype` at a byte offset that is a multiple of the element's size. */
export function numericView(
  datatype: NumericDatatype,
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
): NumericArray {
  return new (rowOf(datatype).View!)(buffer, byteOffset, length);
}

/** The number that an element of a float or 32-bit datatype means, as its array holds it. */
export function numberOf(datatype: Datatype, element: number): number {
  const { bits } = rowOf(datatype);
  return bits === undefined ? element : bits.toNumber(element);
}

/** The element that an array of the datatype holds for a number: the number, or its bits. */
export function elementOf(datatype: Datatype, value: number): number {
  const { bits } = rowOf(datatype);
  return bits === undefined ? value : bits.fromNumber(value);
}

/** Elements as numbers: where they lie, unless they have to be converted. 64-bit integers lose what lies beyond 2^53. */
export function numbersOf(
  datatype: Datatype,
  elements: ArrayLike<number> | ArrayLike<bigint>,
): ArrayLike<number> {
  const { bits } = rowOf(datatype);
  if (bits !== undefined) {
    const numbers = new Array<number>(elements.length);
    for (let i = 0; i < numbers.length; i++) numbers[i] = bits.toNumber(elements[i] as number);
    return numbers;
  }
  if (elements instanceof BigInt64Array || elements instanceof BigUint64Array)
    return Array.from(elements, Number);
  return elements as ArrayLike<number>;
}
