import {
  BIGINT,
  BLOB,
  BOOLEAN,
  blobValue,
  DATE,
  DECIMAL,
  DOUBLE,
  type DuckDBType,
  type DuckDBValue,
  type DuckDBVector,
  dateValue,
  decimalValue,
  FLOAT,
  INTEGER,
  LIST,
  MAP,
  SMALLINT,
  STRUCT,
  TIME,
  TIMESTAMP,
  TIMESTAMP_MS,
  TIMESTAMP_NS,
  TIMESTAMP_S,
  TIMESTAMPTZ,
  TINYINT,
  timestampMillisValue,
  timestampNanosValue,
  timestampSecondsValue,
  timestampTZValue,
  timestampValue,
  timeValue,
  UBIGINT,
  UINTEGER,
  USMALLINT,
  UTINYINT,
  VARCHAR,
} from "@duckdb/node-api";
import { type DataType, type Decimal, type Int, TimeUnit, Type, type Vector } from "apache-arrow";

/** Makes a DuckDB vector of an Arrow column. */
export interface ArrowColumn {
  readonly type: DuckDBType;
  /** Undefined for nested types, which are listed and cannot be read. */
  readonly value: ((value: unknown) => DuckDBValue) | undefined;
  /** Whether the values lie in memory as DuckDB has them. */
  readonly sameMemory: boolean;
}

const SIGNED: Readonly<Record<number, DuckDBType>> = { 8: TINYINT, 16: SMALLINT, 32: INTEGER, 64: BIGINT };
const UNSIGNED: Readonly<Record<number, DuckDBType>> = {
  8: UTINYINT,
  16: USMALLINT,
  32: UINTEGER,
  64: UBIGINT,
};
const NANOSECONDS_IN: Readonly<Record<number, bigint>> = {
  [TimeUnit.SECOND]: 1_000_000_000n,
  [TimeUnit.MILLISECOND]: 1_000_000n,
  [TimeUnit.MICROSECOND]: 1000n,
  [TimeUnit.NANOSECOND]: 1n,
};

const same = (value: unknown) => value as DuckDBValue;
const text = (value: unknown) => String(value);
const blob = (value: unknown) => blobValue(value as Uint8Array);

function column(type: DuckDBType, value?: (value: unknown) => DuckDBValue, sameMemory = false): ArrowColumn {
  return { type, value, sameMemory };
}

/**
 * The column for an Arrow type. Dictionaries become their values, half floats FLOAT, a column of nulls VARCHAR, decimals
 * of more than 38 digits DOUBLE, times of day microseconds.
 */
export function arrowColumn(type: DataType): ArrowColumn {
  const { typeId } = type;
  switch (typeId) {
    case Type.Int: {
      const { isSigned, bitWidth } = type as Int;
      return column((isSigned ? SIGNED : UNSIGNED)[bitWidth]!, same, true);
    }
    case Type.Float: {
      const { precision } = type as DataType & { precision: number };
      return precision === 2 ? column(DOUBLE, same, true) : column(FLOAT, same, precision === 1);
    }
    case Type.Bool:
      return column(BOOLEAN, same);
    case Type.Null:
    case Type.Utf8:
    case Type.LargeUtf8:
    case Type.Utf8View:
      return column(VARCHAR, text);
    case Type.Binary:
    case Type.LargeBinary:
    case Type.BinaryView:
    case Type.FixedSizeBinary:
      return column(BLOB, blob);
    case Type.Decimal:
      return decimalColumn(type as Decimal);
    case Type.Date:
      return column(DATE, (value) => dateValue(Math.floor(Number(value) / 86_400_000)));
    case Type.Dictionary:
      return arrowColumn((type as DataType & { dictionary: DataType }).dictionary);
    default:
      return temporalColumn(type) ?? nestedColumn(type);
  }
}

function decimalColumn({ precision, scale }: Decimal): ArrowColumn {
  if (precision > 38) return column(DOUBLE, (value) => Number(`${unscaled(value as Uint32Array)}e${-scale}`));
  return column(DECIMAL(precision, scale), (value) =>
    decimalValue(unscaled(value as Uint32Array), precision, scale),
  );
}

/** Arrow's decimals are little-endian 32-bit words, in two's complement. */
function unscaled(words: Uint32Array): bigint {
  let value = 0n;
  for (let index = words.length - 1; index >= 0; index--) value = (value << 32n) | BigInt(words[index]!);
  return BigInt.asIntN(words.length * 32, value);
}

function temporalColumn(type: DataType): ArrowColumn | undefined {
  const { unit, timezone } = type as DataType & { unit: number; timezone?: string | null };
  const nanoseconds = NANOSECONDS_IN[unit];
  if (nanoseconds === undefined) return undefined;
  if (type.typeId === Type.Time) {
    return column(TIME, (value) => timeValue((BigInt(value as number) * nanoseconds) / 1000n));
  }
  if (type.typeId !== Type.Timestamp) return undefined;
  if (timezone) {
    return column(TIMESTAMPTZ, (value) =>
      timestampTZValue(floorDivide((value as bigint) * nanoseconds, 1000n)),
    );
  }
  switch (unit) {
    case TimeUnit.SECOND:
      return column(TIMESTAMP_S, (value) => timestampSecondsValue(value as bigint));
    case TimeUnit.MILLISECOND:
      return column(TIMESTAMP_MS, (value) => timestampMillisValue(value as bigint));
    case TimeUnit.MICROSECOND:
      return column(TIMESTAMP, (value) => timestampValue(value as bigint));
    default:
      return column(TIMESTAMP_NS, (value) => timestampNanosValue(value as bigint));
  }
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

function nestedColumn(type: DataType): ArrowColumn {
  const fields = (type.children ?? []).map((child) => ({
    name: child.name,
    type: arrowColumn(child.type).type,
  }));
  if (type.typeId === Type.Map) {
    const entries = (type.children[0]?.type as DataType | undefined)?.children ?? [];
    const [key, value] = entries.map((entry) => arrowColumn(entry.type).type);
    return column(MAP(key ?? VARCHAR, value ?? VARCHAR));
  }
  const isList = [Type.List, Type.LargeList, Type.FixedSizeList].includes(type.typeId);
  if (isList) return column(LIST(fields[0]?.type ?? VARCHAR));
  return column(STRUCT(Object.fromEntries(fields.map((field) => [field.name, field.type]))));
}

/**
 * Copies rows of an Arrow vector into a DuckDB vector of that many rows. They are in DuckDB's memory then: `to` itself
 * does not show the bytes of texts and blobs, a vector taken of the chunk anew does.
 */
export function copyRows(
  from: Vector,
  start: number,
  to: DuckDBVector,
  read: ArrowColumn,
  asDouble: boolean,
): void {
  const rows = to.itemCount;
  const data = from.data[0];
  if (read.sameMemory && !asDouble && from.data.length === 1 && data?.nullCount === 0) {
    const values = data.values as Float64Array;
    const { items } = to as unknown as { items?: Float64Array };
    if (items !== undefined && items.constructor === values.constructor) {
      items.set(values.subarray(start, start + rows));
      to.flush();
      return;
    }
  }
  const convert = read.value!;
  const item = itemReader(from);
  for (let row = 0; row < rows; row++) {
    // A dictionary may hold a null, which rows that are valid then name.
    const raw = from.isValid(start + row) ? item(start + row) : null;
    const value = raw === null ? null : convert(raw);
    to.setItem(row, asDouble && value !== null ? toDouble(value) : value);
  }
  to.flush();
}

/**
 * Reads a valid row; times in their own unit, of which `get` would make JavaScript milliseconds, and values of dictionaries whose
 * positions have 64 bits, which `get` cannot look up.
 */
function itemReader(from: Vector): (row: number) => unknown {
  const { dictionary, values } = from.data[0] ?? {};
  const isWide = values instanceof BigInt64Array || values instanceof BigUint64Array;
  if (dictionary != null && (isWide || isTime(dictionary.type)) && from.data.length === 1) {
    const named = itemReader(dictionary);
    return (row) => {
      const position = Number(values[row]);
      return dictionary.isValid(position) ? named(position) : null;
    };
  }
  if (!isTime(from.type)) return (row) => from.get(row);
  if (from.data.length === 1) return (row) => values[row];
  // A dictionary to which later batches have added.
  return (row) => {
    let at = row;
    for (const part of from.data) {
      if (at < part.length) return part.values[at];
      at -= part.length;
    }
    return null;
  };
}

function isTime({ typeId }: DataType): boolean {
  return typeId === Type.Timestamp || typeId === Type.Time;
}

function toDouble(value: DuckDBValue): number {
  return Number(typeof value === "object" ? String(value) : value);
}
