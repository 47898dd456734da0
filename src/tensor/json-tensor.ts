import {
  DATATYPE_NAMES,
  type Datatype,
  elementBytes,
  elementOf,
  isDatatype,
  isFloat,
  type NumericArray,
  type NumericDatatype,
  numericView,
} from "./datatype.ts";
import { elementCount, type TensorData } from "./tensor-data.ts";

/**
 * Reads a tensor in Open Inference JSON: `datatype`, `shape` and `data`, flat or nested. In float tensors null means NaN.
 * Throws RangeError that says which part is wrong.
 */
export function tensorFromJson(name: string, value: unknown): TensorData {
  if (typeof value !== "object" || value === null) throw new RangeError("expected an object");
  const { datatype, shape, data } = value as Record<string, unknown>;
  if (typeof datatype !== "string" || !isDatatype(datatype)) {
    throw new RangeError(
      `datatype is ${JSON.stringify(datatype)}, expected one of ${DATATYPE_NAMES.join(", ")}`,
    );
  }
  if (!Array.isArray(shape) || !shape.every((length) => Number.isSafeInteger(length) && length >= 0)) {
    throw new RangeError(`shape is ${JSON.stringify(shape)}, expected a list of whole numbers`);
  }
  if (!Array.isArray(data)) throw new RangeError("data is missing, expected a list of values");
  const flat = data.some(Array.isArray) ? (data.flat(shape.length) as unknown[]) : (data as unknown[]);
  const count = elementCount(shape as number[]);
  if (flat.length !== count) {
    throw new RangeError(`data has ${flat.length} values, the shape [${shape.join(",")}] takes ${count}`);
  }
  const type = datatype as Datatype;
  return {
    name,
    datatype: type,
    shape: shape as number[],
    data: type === "BYTES" ? flat.map(readText) : readNumbers(type, flat),
  };
}

function readText(value: unknown, index: number): string {
  if (typeof value !== "string")
    throw new RangeError(`data[${index}] is ${JSON.stringify(value)}, expected text`);
  return value;
}

function readNumbers(datatype: NumericDatatype, values: readonly unknown[]): NumericArray {
  const buffer = new ArrayBuffer(values.length * elementBytes(datatype));
  const array = numericView(datatype, buffer, 0, values.length);
  for (const [index, value] of values.entries()) {
    const wrong = () =>
      new RangeError(`data[${index}] is ${JSON.stringify(value)}, expected a value of ${datatype}`);
    if (array instanceof BigInt64Array || array instanceof BigUint64Array) {
      const whole = Number.isSafeInteger(value) || (typeof value === "string" && /^-?\d{1,20}$/.test(value));
      if (!whole) throw wrong();
      array[index] = BigInt(value as number | string);
      if (array[index] !== BigInt(value as number | string)) throw wrong();
    } else if (isFloat(datatype)) {
      const number = readFloat(value);
      if (number === undefined) throw wrong();
      array[index] = elementOf(datatype, number);
    } else {
      const number = datatype === "BOOL" && typeof value === "boolean" ? Number(value) : value;
      if (!Number.isSafeInteger(number) || (datatype === "BOOL" && number !== 0 && number !== 1))
        throw wrong();
      array[index] = number as number;
      if (array[index] !== number) throw wrong();
    }
  }
  return array;
}

function readFloat(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (value === null || value === "NaN") return Number.NaN;
  if (value === "Infinity") return Number.POSITIVE_INFINITY;
  return value === "-Infinity" ? Number.NEGATIVE_INFINITY : undefined;
}
