import { expect, test } from "vitest";
import {
  listBytes,
  numberBytes,
  numberOf,
  structBytes,
  THRIFT,
  type ThriftField,
  ThriftReader,
} from "../../../../../src/table/write/parts/thrift-copy.ts";

const NUMBERS = [0n, 1n, -1n, 63n, 64n, -64n, -65n, 2n ** 31n, 2n ** 40n + 5n, 2n ** 63n - 1n, -(2n ** 63n)];

test("numbers of up to 64 bits are read as they were written", () => {
  for (const number of NUMBERS) expect(numberOf({ bytes: numberBytes(number) })).toBe(number);
});

test("a struct of every type is copied byte by byte, whatever the steps between its fields", () => {
  const inner = structBytes([{ id: 1, type: THRIFT.i32, bytes: numberBytes(7n) }]);
  const many = Array.from({ length: 20 }, () => inner);
  const fields: ThriftField[] = [
    { id: 1, type: THRIFT.true, bytes: new Uint8Array() },
    { id: 2, type: THRIFT.byte, bytes: Uint8Array.of(200) },
    { id: 3, type: THRIFT.i16, bytes: numberBytes(-3n) },
    { id: 19, type: THRIFT.i64, bytes: numberBytes(2n ** 40n) },
    { id: 20, type: THRIFT.double, bytes: new Uint8Array(8).fill(9) },
    { id: 21, type: THRIFT.binary, bytes: Uint8Array.of(2, 0, 255) },
    { id: 22, type: THRIFT.list, bytes: listBytes([inner, inner]) },
    { id: 23, type: THRIFT.set, bytes: listBytes(many) },
    // Two pairs of a byte and a struct.
    { id: 24, type: THRIFT.map, bytes: Uint8Array.of(2, 0x3c, 1, ...inner, 2, ...inner) },
    { id: 25, type: THRIFT.map, bytes: Uint8Array.of(0) },
    { id: 300, type: THRIFT.struct, bytes: inner },
    { id: 301, type: THRIFT.false, bytes: new Uint8Array() },
  ];
  const bytes = structBytes(fields);
  const read = new ThriftReader(bytes).fields();
  expect(read.map(({ id, type }) => [id, type])).toEqual(fields.map(({ id, type }) => [id, type]));
  expect(read.map((field) => Buffer.from(field.bytes).toString("hex"))).toEqual(
    fields.map((field) => Buffer.from(field.bytes).toString("hex")),
  );
  expect(Buffer.from(structBytes(read)).equals(bytes)).toBe(true);
  expect(new ThriftReader(fields[7]!.bytes).structs()).toHaveLength(20);
});

test("bytes that end early, or have no such type, are refused", () => {
  const bytes = structBytes([{ id: 1, type: THRIFT.binary, bytes: Uint8Array.of(2, 1, 1) }]);
  for (let end = 0; end < bytes.length; end++)
    expect(() => new ThriftReader(bytes.subarray(0, end)).fields(), `${end} bytes`).toThrow("ends early");
  expect(() => new ThriftReader(Uint8Array.of(0x1d)).fields()).toThrow("no type 13");
  expect(() => new ThriftReader(Uint8Array.of(0x15, 0)).structs()).toThrow("elements of type 5");
  expect(() => new ThriftReader(new Uint8Array(11).fill(0x80)).varint()).toThrow("more than 64 bits");
});
