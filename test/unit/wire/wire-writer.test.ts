import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  fieldBytes,
  fieldHead,
  optionalBytes,
  varint64Bytes,
  varintBytes,
  WireWriter,
} from "../../../src/wire/wire-writer.ts";

function written(write: (writer: WireWriter) => void): Buffer {
  const writer = new WireWriter(Buffer.alloc(400));
  write(writer);
  return writer.cut();
}

test("numbers are written as protobuf-es writes them, in as many octets as were measured, negative ones in ten", () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const bytes = written((writer) => writer.varint(value));
      expect(bytes.equals(new BinaryWriter().int64(value).finish())).toBe(true);
      expect(varintBytes(value)).toBe(bytes.length);
    }),
  );
});

test("numbers of 64 bits are written as protobuf-es writes them, signed or not", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (value) => {
      const bytes = written((writer) => writer.varint64(value));
      expect(bytes.equals(new BinaryWriter().uint64(value).finish())).toBe(true);
      expect(varint64Bytes(value)).toBe(bytes.length);
      const signed = BigInt.asIntN(64, value);
      expect(written((writer) => writer.varint64(signed)).equals(bytes)).toBe(true);
    }),
  );
});

test("fields are written as protobuf-es writes them, and cut where asked", () => {
  const text = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: "grapheme", maxLength: 20 }));
  fc.assert(
    fc.property(
      text,
      fc.array(fc.double(), { maxLength: 9 }),
      fc.uint8Array({ maxLength: 9 }),
      (one, doubles, more) => {
        const expected = new BinaryWriter();
        expected.tag(2, WireType.LengthDelimited).string(one);
        expected.tag(4, WireType.LengthDelimited).fork();
        for (const value of doubles) expected.double(value);
        expected.join().tag(5, WireType.LengthDelimited).bytes(more);
        const byteCount = Buffer.byteLength(one);
        const writer = new WireWriter(Buffer.alloc(400));
        writer.text(0x12, one, byteCount);
        writer.doubles(0x22, doubles);
        const first = writer.cut();
        writer.field(0x2a, more);
        const second = writer.cut();
        expect(second).toHaveLength(fieldBytes(more.length));
        expect(first).toHaveLength(fieldBytes(byteCount) + fieldBytes(8 * doubles.length));
        expect(Buffer.concat([first, second]).equals(expected.finish())).toBe(true);
      },
    ),
  );
});

test("an empty field is left out where it may be, and else takes its tag and its length", () => {
  expect([optionalBytes(0), fieldBytes(0), optionalBytes(3), fieldBytes(200)]).toEqual([0, 2, 5, 203]);
});

test("the head of a field is its tag and its length, whatever its number", () => {
  expect([...fieldHead(3, 300)]).toEqual([0x1a, 0xac, 0x02]);
  expect([...fieldHead(16, 1)]).toEqual([0x82, 0x01, 1]);
});
