import fc from "fast-check";
import { expect, test } from "vitest";
import { HpackDecoder } from "../../../../src/http2/hpack/hpack-decoder.ts";
import {
  encodedBlock,
  encodedStatus,
  encodeFields,
  encodeInteger,
} from "../../../../src/http2/hpack/hpack-encoder.ts";
import { headerBlock } from "../../../../src/http2/stream.ts";

function decode(bytes: Buffer): [string, string][] {
  const decoder = new HpackDecoder(4096);
  const { names, values } = decoder.decode(bytes, 0, bytes.length, 1 << 24);
  expect(decoder.generation).toBe(0);
  return names.map((name, i) => [name, values[i]!]);
}

const name = fc
  .stringMatching(/^[a-z0-9!#$%&'*+.^_`|~-]{1,30}$/)
  .filter((n) => !/^(connection|keep-alive|proxy-connection|transfer-encoding|upgrade)$/.test(n));
const value = fc.uint8Array({ maxLength: 200 }).map((bytes) =>
  Buffer.from(bytes)
    .toString("latin1")
    .replace(/[\0\r\n]/g, " "),
);

test("encoded fields decode to themselves, in order, and leave the table alone", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 20 }), (fields) => {
      expect(decode(encodeFields(fields))).toEqual(fields);
    }),
  );
});

test.each([
  [10, 5, "0a"],
  [1337, 5, "1f9a0a"],
  [42, 8, "2a"],
])("the integer %i with a prefix of %i bits is %s (RFC 7541 C.1)", (integer, bits, hex) => {
  const target = Buffer.alloc(8);
  expect(target.subarray(0, encodeInteger(integer, bits, 0, target, 0)).toString("hex")).toBe(hex);
});

test("static entries take one octet", () => {
  expect(
    encodeFields([
      [":status", "200"],
      ["accept-encoding", "gzip, deflate"],
    ]).toString("hex"),
  ).toBe("8890");
});

test("fields that speak of an HTTP/1.1 connection are left out", () => {
  expect(
    decode(
      encodeFields([
        ["connection", "close"],
        ["transfer-encoding", "chunked"],
        ["server", "assay"],
      ]),
    ),
  ).toEqual([["server", "assay"]]);
});

test.each([
  ["an upper-case name", "Content-Type", "x"],
  ["an empty name", "", "x"],
  ["a line break in a value", "a", "x\r\nset-cookie: y"],
  ["a character beyond one octet", "a", "\u20ac"],
])("%s is refused", (_, fieldName, fieldValue) => {
  expect(() => encodeFields([[fieldName, fieldValue]])).toThrow(TypeError);
});

test("a block is encoded once", () => {
  const block = headerBlock([["content-type", "application/grpc"]]);
  expect(encodedBlock(block)).toBe(encodedBlock(block));
  expect(decode(Buffer.from(encodedBlock(block)))).toEqual([["content-type", "application/grpc"]]);
});

test("a block with a base is the base's fields and its own, of which only these are encoded for it", () => {
  const base = headerBlock([["content-type", "application/grpc"]]);
  const block = headerBlock([["x-request-id", "a-1"]], base);
  expect(block.fields).toEqual([
    ["content-type", "application/grpc"],
    ["x-request-id", "a-1"],
  ]);
  expect(decode(Buffer.from(encodedBlock(block)))).toEqual(block.fields);
  expect(encodedBlock(base).length).toBeLessThan(encodedBlock(block).length);
});

test("a status is a field of its own, and 101 does not exist in HTTP/2", () => {
  expect(decode(encodedStatus(200))).toEqual([[":status", "200"]]);
  expect(decode(encodedStatus(418))).toEqual([[":status", "418"]]);
  for (const status of [101, 99, 600, 200.5]) expect(() => encodedStatus(status)).toThrow(RangeError);
});

test("what follows a base decodes to itself, and what could split a message is refused there too", () => {
  const base = headerBlock([["content-type", "application/grpc"]]);
  fc.assert(
    fc.property(fc.array(fc.tuple(name, value), { maxLength: 20 }), (fields) => {
      expect(decode(Buffer.from(encodedBlock(headerBlock(fields, base))))).toEqual([
        ...base.fields,
        ...fields,
      ]);
    }),
  );
  for (const field of [
    ["x-id", "a\r\nb"],
    ["x-id", "\u0100"],
    ["X-Id", "a"],
  ] as const) {
    expect(() => encodedBlock(headerBlock([field], base))).toThrow(TypeError);
  }
  const block = headerBlock([["connection", "close"]], base);
  expect(decode(Buffer.from(encodedBlock(block)))).toEqual(base.fields);
});
