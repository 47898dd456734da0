import { DuckDBDecimalType, type DuckDBType, DuckDBTypeId, type DuckDBVector } from "@duckdb/node-api";
import {
  Binary,
  Bool,
  type Data,
  type DataType,
  DateDay,
  Decimal,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  makeData,
  TimeMicrosecond,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  TimestampSecond,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
} from "apache-arrow";
import { rowBytes, validityBits } from "../duckdb/vector-memory.ts";

/** Collects the rows of one column until they are taken as a record batch. */
export interface ArrowColumn {
  readonly type: DataType;
  /** Of texts, so that a batch of long ones can be cut short. */
  readonly textBytes: number;
  append(vector: DuckDBVector, count: number): void;
  /** The rows so far, and begins anew. */
  take(): Data;
}

/** DuckDB types of a fixed width, as Arrow lays them out byte for byte. */
const FIXED: ReadonlyMap<DuckDBTypeId, () => DataType> = new Map<DuckDBTypeId, () => DataType>([
  [DuckDBTypeId.TINYINT, () => new Int8()],
  [DuckDBTypeId.SMALLINT, () => new Int16()],
  [DuckDBTypeId.INTEGER, () => new Int32()],
  [DuckDBTypeId.BIGINT, () => new Int64()],
  [DuckDBTypeId.UTINYINT, () => new Uint8()],
  [DuckDBTypeId.USMALLINT, () => new Uint16()],
  [DuckDBTypeId.UINTEGER, () => new Uint32()],
  [DuckDBTypeId.UBIGINT, () => new Uint64()],
  [DuckDBTypeId.FLOAT, () => new Float32()],
  [DuckDBTypeId.DOUBLE, () => new Float64()],
  [DuckDBTypeId.DATE, () => new DateDay()],
  [DuckDBTypeId.TIME, () => new TimeMicrosecond()],
  [DuckDBTypeId.TIMESTAMP_S, () => new TimestampSecond()],
  [DuckDBTypeId.TIMESTAMP_MS, () => new TimestampMillisecond()],
  [DuckDBTypeId.TIMESTAMP, () => new TimestampMicrosecond()],
  [DuckDBTypeId.TIMESTAMP_NS, () => new TimestampNanosecond()],
  [DuckDBTypeId.TIMESTAMP_TZ, () => new TimestampMicrosecond("UTC")],
]);

/** The DuckDB types that have a column here; any other is to be cast to VARCHAR before. */
export const ARROW_TYPES: ReadonlySet<DuckDBTypeId> = new Set([
  ...FIXED.keys(),
  DuckDBTypeId.BOOLEAN,
  DuckDBTypeId.DECIMAL,
  DuckDBTypeId.VARCHAR,
  DuckDBTypeId.BLOB,
]);

/** The column for a type of ARROW_TYPES, with room for `capacity` rows. */
export function arrowColumn(type: DuckDBType, capacity: number): ArrowColumn {
  if (type instanceof DuckDBDecimalType) return decimalColumn(type, capacity);
  const fixed = FIXED.get(type.typeId);
  if (fixed !== undefined) return fixedColumn(fixed(), capacity);
  if (type.typeId === DuckDBTypeId.BOOLEAN) return boolColumn(capacity);
  if (type.typeId === DuckDBTypeId.VARCHAR) return textColumn(new Utf8(), capacity);
  if (type.typeId === DuckDBTypeId.BLOB) return textColumn(new Binary(), capacity);
  throw new RangeError(`no Arrow column for ${type}`);
}

/** The rows' null bits, lowest first as both sides have them. */
class NullBits {
  readonly #capacity: number;
  #bits: Uint8Array;
  nullCount = 0;
  length = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#bits = new Uint8Array(Math.ceil(capacity / 8));
  }

  /** Adds `count` rows; calls `onNull` for each null with its row in the batch. */
  append(validity: Uint8Array | undefined, count: number, onNull: (row: number) => void): void {
    const bits = this.#bits;
    for (let row = 0, to = this.length; row < count; row++, to++) {
      if (validity === undefined || (validity[row >> 3]! >> (row & 7)) & 1) bits[to >> 3]! |= 1 << (to & 7);
      else {
        this.nullCount++;
        onNull(to);
      }
    }
    this.length += count;
  }

  take(): { length: number; nullCount: number; nullBitmap: Uint8Array | null } {
    const { length, nullCount } = this;
    const taken = { length, nullCount, nullBitmap: nullCount === 0 ? null : this.#bits };
    this.#bits = new Uint8Array(Math.ceil(this.#capacity / 8));
    this.nullCount = 0;
    this.length = 0;
    return taken;
  }
}

function fixedColumn(type: DataType, capacity: number): ArrowColumn {
  const { BYTES_PER_ELEMENT: width } = type.ArrayType as { BYTES_PER_ELEMENT: number };
  return bytesColumn(type, width, capacity, (target, at, vector, count) => {
    target.set(rowBytes(vector)!.subarray(0, count * width), at * width);
  });
}

/** Arrow's decimals are 16 bytes wide, DuckDB's as narrow as the digits allow. */
function decimalColumn({ width: digits, scale }: DuckDBDecimalType, capacity: number): ArrowColumn {
  return bytesColumn(new Decimal(scale, digits, 128), 16, capacity, (target, at, vector, count) => {
    const source = rowBytes(vector)!;
    const width = source.byteLength / vector.itemCount;
    for (let row = 0; row < count; row++) {
      const from = row * width;
      const to = (at + row) * 16;
      target.set(source.subarray(from, from + width), to);
      if (source[from + width - 1]! & 0x80) target.fill(0xff, to + width, to + 16);
    }
  });
}

function bytesColumn(
  type: DataType,
  width: number,
  capacity: number,
  copy: (target: Uint8Array, at: number, vector: DuckDBVector, count: number) => void,
): ArrowColumn {
  const nulls = new NullBits(capacity);
  let bytes = new Uint8Array(capacity * width);
  return {
    type,
    textBytes: 0,
    append(vector, count) {
      copy(bytes, nulls.length, vector, count);
      // What lies under a null is whatever was in memory; it is not written out.
      nulls.append(validityBits(vector), count, (row) => bytes.fill(0, row * width, (row + 1) * width));
    },
    take() {
      const { length } = nulls;
      const data = new type.ArrayType(bytes.buffer, 0, (length * width) / type.ArrayType.BYTES_PER_ELEMENT);
      bytes = new Uint8Array(capacity * width);
      return makeData({ type, ...nulls.take(), data } as never);
    },
  };
}

function boolColumn(capacity: number): ArrowColumn {
  const nulls = new NullBits(capacity);
  let bits = new Uint8Array(Math.ceil(capacity / 8));
  return {
    type: new Bool(),
    textBytes: 0,
    append(vector, count) {
      const bytes = rowBytes(vector)!;
      for (let row = 0, to = nulls.length; row < count; row++, to++) {
        if (bytes[row] !== 0) bits[to >> 3]! |= 1 << (to & 7);
      }
      nulls.append(validityBits(vector), count, (row) => {
        bits[row >> 3]! &= ~(1 << (row & 7));
      });
    },
    take() {
      const data = bits;
      bits = new Uint8Array(Math.ceil(capacity / 8));
      return makeData({ type: new Bool(), ...nulls.take(), data } as never);
    },
  };
}

/** Texts and blobs: DuckDB keeps those of up to 12 bytes inside their 16-byte header, after the length. */
function textColumn(type: Utf8 | Binary, capacity: number): ArrowColumn {
  const nulls = new NullBits(capacity);
  let offsets = new Int32Array(capacity + 1);
  let bytes = Buffer.alloc(capacity * 8);
  let end = 0;

  function reserve(more: number): void {
    if (end + more <= bytes.byteLength) return;
    const larger = Buffer.alloc(Math.max(end + more, bytes.byteLength * 2));
    bytes.copy(larger, 0, 0, end);
    bytes = larger;
  }

  return {
    type,
    get textBytes() {
      return end;
    },
    append(vector, count) {
      const headers = rowBytes(vector)!;
      const view = new DataView(headers.buffer, headers.byteOffset, headers.byteLength);
      const validity = validityBits(vector);
      const at = nulls.length;
      for (let row = 0; row < count; row++) {
        if (validity === undefined || (validity[row >> 3]! >> (row & 7)) & 1) {
          const length = view.getUint32(row * 16, true);
          reserve(length);
          if (length <= 12) {
            for (let i = row * 16 + 4, to = end; to < end + length; i++, to++) bytes[to] = headers[i]!;
          } else {
            const item = vector.getItem(row) as unknown as string | { readonly bytes: Uint8Array };
            if (typeof item === "string") bytes.write(item, end, length, "utf8");
            else bytes.set(item.bytes, end);
          }
          end += length;
        }
        offsets[at + row + 1] = end;
      }
      nulls.append(validity, count, () => {});
    },
    take() {
      const data = bytes.subarray(0, end);
      const valueOffsets = offsets.subarray(0, nulls.length + 1);
      offsets = new Int32Array(capacity + 1);
      bytes = Buffer.alloc(capacity * 8);
      end = 0;
      return makeData({ type, ...nulls.take(), valueOffsets, data } as never);
    },
  };
}
