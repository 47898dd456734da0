import { expect, test } from "vitest";
import { rawContents } from "../../../src/tensor/tensor-contents.ts";

test("texts as raw octets have their length in octets before each, whatever their script and length", () => {
  const data = [
    "",
    "a",
    "é",
    "日本",
    "😀x",
    "\ud800",
    "y".repeat(24),
    "y".repeat(25),
    "ä".repeat(300),
    "end",
  ];
  const expected = data.flatMap((text) => {
    const octets = Buffer.from(text);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(octets.length);
    return [length, octets];
  });
  const tensor = { name: "x", datatype: "BYTES", shape: [data.length], data } as const;
  expect(Buffer.from(rawContents(tensor))).toEqual(Buffer.concat(expected));
  expect(rawContents({ ...tensor, shape: [0], data: [] })).toEqual(new Uint8Array(0));
});
