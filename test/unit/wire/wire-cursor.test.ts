import { BinaryReader, BinaryWriter, type WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KnownTexts } from "../../../src/wire/known-texts.ts";
import { WireCursor } from "../../../src/wire/wire-cursor.ts";

function cursorOf(bytes: Uint8Array): WireCursor {
  const cursor = new WireCursor();
  cursor.begin(bytes);
  return cursor;
}

/** What protobuf-es makes of it; undefined where it throws. */
function reference<T>(bytes: Uint8Array, read: (reader: BinaryReader) => T): T | undefined {
  const reader = new BinaryReader(bytes);
  try {
    const value = read(reader);
    return reader.pos > bytes.length ? undefined : value;
  } catch {
    return undefined;
  }
}

const anyOctets = fc.array(fc.oneof(fc.nat(255), fc.constantFrom(0, 0x80, 0x8a, 0xff)), { maxLength: 12 });

describe("numbers", () => {
  test("up to 2^53 are what protobuf-es writes", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        const bytes = new BinaryWriter().uint64(value).finish();
        const cursor = cursorOf(bytes);
        expect([cursor.varint(bytes.length), cursor.at, cursor.fault]).toEqual([value, bytes.length, ""]);
      }),
    );
  });

  test.each([
    ["ends in the middle of a field", [0x80]],
    ["ends in the middle of a field", []],
    ["has a number of more than 53 bits", [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
    ["has a number of more than 53 bits", [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]],
  ])("that cannot be read are told: it %s", (fault, octets) => {
    const cursor = cursorOf(Uint8Array.from(octets));
    const value = cursor.varint(octets.length);
    expect(cursor.fault).toBe(fault);
    // What comes back stands behind each end, as the place does.
    expect(Math.min(value, cursor.at)).toBeGreaterThan(octets.length);
  });
});

test("a tag that is read is protobuf-es's, of whatever octets", () => {
  fc.assert(
    fc.property(anyOctets, (octets) => {
      const bytes = Uint8Array.from(octets);
      const cursor = cursorOf(bytes);
      const tag = cursor.tag(bytes.length);
      if (cursor.fault !== "" || (tag & 7) > 5) return;
      expect([tag >>> 3, tag & 7, cursor.at]).toEqual(
        reference(bytes, (reader) => [...reader.tag(), reader.pos]),
      );
    }),
    { numRuns: 3000 },
  );
});

test.each([
  ["a field with the number 0", [0x07]],
  ["a field whose number is too high", [0x8a, 0x80, 0x80, 0x80, 0x80, 0x00]],
  ["a field whose number is too high", [0x8a, 0x80, 0x80, 0x80, 0x10]],
])("%s is told", (what, octets) => {
  const cursor = cursorOf(Uint8Array.from(octets));
  cursor.tag(octets.length);
  expect(cursor.fault).toBe(`has ${what}`);
});

test("what is skipped ends where protobuf-es ends it, groups in groups too", () => {
  fc.assert(
    fc.property(anyOctets, fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7), (octets, wireType) => {
      const bytes = Uint8Array.from(octets);
      const cursor = cursorOf(bytes);
      cursor.skip(wireType, bytes.length);
      const end = reference(bytes, (reader) => {
        reader.skip(wireType as WireType);
        return reader.pos;
      });
      if (end === undefined) return;
      // A varint, or a length, that is longer than it need be is none that a writer makes.
      if (cursor.fault === "") expect(cursor.at).toBe(end);
    }),
    { numRuns: 3000 },
  );
  const group = Uint8Array.of(0x0b, 0x08, 1, 0x0c, 0x12, 1, 9, 0x0c, 7);
  const cursor = cursorOf(group);
  cursor.skip(3, group.length);
  expect([cursor.at, cursor.fault]).toEqual([8, ""]);
});

test("a group that does not end, or goes too deep, is told and ends the walk", () => {
  const open = new Uint8Array(300).fill(0x0b);
  const deep = cursorOf(open);
  deep.skip(3, open.length);
  expect(deep.fault).toBe("nests deeper than 100 messages");
  const short = cursorOf(open);
  short.skip(3, 10);
  expect(short.fault).toBe("ends in the middle of a field");
});

test("the first fault stays, and nothing is read after it", () => {
  const cursor = cursorOf(Uint8Array.of(0x0a, 9, 1));
  cursor.tag(3);
  const end = cursor.fieldEnd(3);
  expect(cursor.fault).toBe("ends in the middle of a field");
  expect(cursor.view(end)).toHaveLength(0);
  expect(cursor.doubles(end)).toEqual([]);
  expect(cursor.text(end, new KnownTexts(4))).toBe("");
  const floats: number[] = [];
  cursor.floats(end, floats, 10);
  cursor.skip(2, 3);
  expect([floats, cursor.fault]).toEqual([[], "ends in the middle of a field"]);
  cursor.begin(Uint8Array.of(8));
  expect([cursor.tag(1), cursor.fault]).toEqual([8, ""]);
});

test("packed numbers are read to their end, up to as many as are taken, and no part of one", () => {
  const floats = new Uint8Array(Float32Array.of(1.5, -0, 3e-40).buffer);
  const values: number[] = [7];
  const cursor = cursorOf(floats);
  cursor.floats(floats.length, values, 4);
  expect([values, cursor.at]).toEqual([[7, 1.5, -0, Math.fround(3e-40)], 12]);
  cursor.begin(floats);
  cursor.floats(floats.length, values, 6);
  expect([values.length, cursor.fault]).toEqual([4, "has more than 6 numbers"]);
  cursor.begin(floats);
  cursor.floats(11, values, 99);
  expect([values.length, cursor.fault]).toEqual([4, "has packed numbers that are no multiple of 4 bytes"]);
});

describe("texts", () => {
  test("are what their octets say, kept or not, whatever came before in their place", () => {
    const known = new KnownTexts(2);
    const text = fc.oneof(
      fc.constantFrom("<=50K", ">50K", "größer", "\ufeff", ""),
      // Of all code points; fast-check's own unit for them takes seconds to make.
      fc
        .array(fc.nat({ max: 0x10_ffff }), { maxLength: 10 })
        .map((points) => String.fromCodePoint(...points)),
    );
    fc.assert(
      fc.property(fc.array(text, { maxLength: 20 }), (texts) => {
        for (const one of texts) {
          const bytes = Buffer.from(`x${one.toWellFormed()}y`);
          expect(known.text(bytes, 1, bytes.length - 1)).toBe(one.toWellFormed());
        }
      }),
    );
  });

  test("that are no UTF-8 are told", () => {
    const cursor = cursorOf(Uint8Array.of(0x61, 0xff));
    cursor.text(2, new KnownTexts(4));
    expect(cursor.fault).toBe("has a text that is no UTF-8");
  });

  test("in a row are read together, and what follows is left", () => {
    const bytes = Buffer.concat([
      Buffer.from([0x2a, 1, 97, 0x2a, 0, 0x2a, 2, 98, 99, 0x2a, 0x81, 0]),
      Buffer.from("d"),
    ]);
    const cursor = cursorOf(bytes);
    const texts: string[] = [];
    expect(cursor.tag(bytes.length)).toBe(0x2a);
    cursor.texts(0x2a, bytes.length, new KnownTexts(4), texts);
    expect([texts, cursor.at]).toEqual([["a", "", "bc"], 9]);
    cursor.tag(bytes.length);
    cursor.texts(0x2a, bytes.length, new KnownTexts(4), texts);
    expect([texts.at(-1), cursor.at, cursor.fault]).toEqual(["d", bytes.length, ""]);
    const cut = cursorOf(Buffer.from([1, 97, 0x2a, 2, 98]));
    cut.texts(0x2a, 5, new KnownTexts(4), texts);
    expect(cut.fault).toBe("ends in the middle of a field");
  });
});
