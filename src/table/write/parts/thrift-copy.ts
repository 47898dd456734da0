/**
 * Thrift's compact protocol, in which Parquet's footers are written, as far as it takes to copy a struct with some of its numbers
 * changed: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */

/** The types of values, as field headers number them. */
export const THRIFT = {
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
} as const;

/** A field of a struct: its value's bytes as they stand. */
export interface ThriftField {
  readonly id: number;
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** Reads values one after the other. Throws a RangeError where the bytes end early. */
export class ThriftReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new RangeError("a Thrift struct ends early");
    return byte;
  }

  /** An unsigned number of up to 64 bits. */
  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
      if (shift > 63n) throw new RangeError("a Thrift number has more than 64 bits");
    }
  }

  /** The fields of a struct, in their order. */
  fields(): ThriftField[] {
    const fields: ThriftField[] = [];
    let id = 0;
    for (;;) {
      const header = this.#byte();
      if (header === 0) return fields;
      const step = header >> 4;
      id = step === 0 ? Number(signed(this.varint())) : id + step;
      const type = header & 15;
      const from = this.#at;
      // In a field's header, the type of a truth value is its value.
      if (type > THRIFT.false) this.#skip(type);
      fields.push({ id, type, bytes: this.#bytes.subarray(from, this.#at) });
    }
  }

  /** The elements of a list of structs, each as its bytes. */
  structs(): Uint8Array[] {
    const { type, count } = this.#list();
    if (type !== THRIFT.struct) throw new RangeError(`a Thrift list has elements of type ${type}`);
    return Array.from({ length: count }, () => {
      const from = this.#at;
      this.#skip(THRIFT.struct);
      return this.#bytes.subarray(from, this.#at);
    });
  }

  #list(): { readonly type: number; readonly count: number } {
    const header = this.#byte();
    const count = header >> 4;
    return { type: header & 15, count: count === 15 ? Number(this.varint()) : count };
  }

  #skip(type: number): void {
    if (type <= THRIFT.byte) this.#byte();
    else if (type <= THRIFT.i64) this.varint();
    else if (type === THRIFT.double) this.#pass(8);
    else if (type === THRIFT.binary) this.#pass(Number(this.varint()));
    else if (type <= THRIFT.set) {
      const list = this.#list();
      for (let index = 0; index < list.count; index++) this.#skip(list.type);
    } else if (type === THRIFT.map) {
      const count = Number(this.varint());
      const types = count === 0 ? 0 : this.#byte();
      for (let index = 0; index < count; index++) {
        this.#skip(types >> 4);
        this.#skip(types & 15);
      }
    } else if (type === THRIFT.struct) this.fields();
    else throw new RangeError(`Thrift has no type ${type}`);
  }

  #pass(count: number): void {
    this.#at += count;
    if (this.#at > this.#bytes.length) throw new RangeError("a Thrift struct ends early");
  }
}

/** The number that a field of 16, 32 or 64 bits has. */
export function numberOf({ bytes }: Pick<ThriftField, "bytes">): bigint {
  return signed(new ThriftReader(bytes).varint());
}

/** The bytes of a struct of these fields, whose ids ascend. */
export function structBytes(fields: readonly ThriftField[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let before = 0;
  for (const { id, type, bytes } of fields) {
    const step = id - before;
    parts.push(step > 0 && step < 16 ? Uint8Array.of((step << 4) | type) : longHeader(id, type), bytes);
    before = id;
  }
  return Buffer.concat([...parts, Uint8Array.of(0)]);
}

/** The bytes of a list of structs. */
export function listBytes(structs: readonly Uint8Array[]): Uint8Array {
  const { length } = structs;
  const head =
    length < 15
      ? [(length << 4) | THRIFT.struct]
      : [(15 << 4) | THRIFT.struct, ...varintBytes(BigInt(length))];
  return Buffer.concat([Uint8Array.from(head), ...structs]);
}

/** The bytes of a number of 16, 32 or 64 bits. */
export function numberBytes(value: bigint): Uint8Array {
  return Uint8Array.from(varintBytes(BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))));
}

function longHeader(id: number, type: number): Uint8Array {
  return Buffer.concat([Uint8Array.of(type), numberBytes(BigInt(id))]);
}

function varintBytes(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return bytes;
}

function signed(value: bigint): bigint {
  return (value >> 1n) ^ -(value & 1n);
}
