import fc from "fast-check";
import { expect, test } from "vitest";
import { ConnectionError } from "../../../../src/http2/frame/error-code.ts";
import { huffmanDecode, huffmanEncode, huffmanLength } from "../../../../src/http2/hpack/huffman.ts";

function encode(bytes: Uint8Array): Buffer {
  const target = Buffer.alloc(bytes.length * 4 + 4);
  return target.subarray(0, huffmanEncode(bytes, target, 0));
}

function decode(bytes: Uint8Array): Buffer {
  const target = Buffer.alloc(bytes.length * 2 + 1);
  return target.subarray(0, huffmanDecode(bytes, 0, bytes.length, target));
}

test.each([
  ["www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"],
  ["no-cache", "a8eb10649cbf"],
  ["custom-key", "25a849e95ba97d7f"],
  ["custom-value", "25a849e95bb8e8b4bf"],
  ["302", "6402"],
  ["private", "aec3771a4b"],
  ["Mon, 21 Oct 2013 20:13:21 GMT", "d07abe941054d444a8200595040b8166e082a62d1bff"],
  ["https://www.example.com", "9d29ad171863c78f0b97c8e9ae82ae43d3"],
])("%s has the code of RFC 7541 appendix C", (text, hex) => {
  expect(encode(Buffer.from(text)).toString("hex")).toBe(hex);
  expect(decode(Buffer.from(hex, "hex")).toString()).toBe(text);
});

test("what is encoded decodes to the same octets, in the length that was foretold", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const coded = encode(bytes);
      expect(coded.length).toBe(huffmanLength(bytes));
      expect(decode(coded)).toEqual(Buffer.from(bytes));
    }),
  );
});

test.each([
  ["padding of eight bits", "ff"],
  ["padding of more than seven bits after a symbol", "1fff"],
  ["padding with zeros", `${"00".repeat(0)}18`],
  ["the EOS symbol", "ffffffff"],
])("%s is refused", (_, hex) => {
  expect(() => decode(Buffer.from(hex, "hex"))).toThrow(ConnectionError);
});
