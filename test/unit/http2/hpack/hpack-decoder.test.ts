import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConnectionError } from "../../../../src/http2/frame/error-code.ts";
import { HpackDecoder } from "../../../../src/http2/hpack/hpack-decoder.ts";

type Fields = [name: string, value: string][];

function decode(decoder: HpackDecoder, hex: string, maxListBytes = 1 << 20): Fields {
  const bytes = Buffer.from(hex.replaceAll(" ", ""), "hex");
  const { names, values } = decoder.decode(bytes, 0, bytes.length, maxListBytes);
  return names.map((name, i) => [name, values[i]!]);
}

const REQUEST_1: Fields = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/"],
  [":authority", "www.example.com"],
];
const REQUEST_3: Fields = [
  [":method", "GET"],
  [":scheme", "https"],
  [":path", "/index.html"],
  [":authority", "www.example.com"],
  ["custom-key", "custom-value"],
];
const RESPONSE_1: Fields = [
  [":status", "302"],
  ["cache-control", "private"],
  ["date", "Mon, 21 Oct 2013 20:13:21 GMT"],
  ["location", "https://www.example.com"],
];
const RESPONSE_2: Fields = [[":status", "307"], ...RESPONSE_1.slice(1)];
const COOKIE = "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
const RESPONSE_3: Fields = [
  [":status", "200"],
  ["cache-control", "private"],
  ["date", "Mon, 21 Oct 2013 20:13:22 GMT"],
  ["location", "https://www.example.com"],
  ["content-encoding", "gzip"],
  ["set-cookie", COOKIE],
];

describe("RFC 7541 appendix C", () => {
  test.each<[string, string, Fields]>([
    [
      "C.2.1",
      "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
      [["custom-key", "custom-header"]],
    ],
    ["C.2.2", "040c 2f73 616d 706c 652f 7061 7468", [[":path", "/sample/path"]]],
    ["C.2.3", "1008 7061 7373 776f 7264 0673 6563 7265 74", [["password", "secret"]]],
    ["C.2.4", "82", [[":method", "GET"]]],
  ])("%s", (_, hex, fields) => {
    expect(decode(new HpackDecoder(4096), hex)).toEqual(fields);
  });

  test.each<[string, number, [string, Fields][]]>([
    [
      "C.3 requests without Huffman",
      4096,
      [
        ["8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", REQUEST_1],
        ["8286 84be 5808 6e6f 2d63 6163 6865", [...REQUEST_1, ["cache-control", "no-cache"]]],
        ["8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65", REQUEST_3],
      ],
    ],
    [
      "C.4 requests with Huffman",
      4096,
      [
        ["8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", REQUEST_1],
        ["8286 84be 5886 a8eb 1064 9cbf", [...REQUEST_1, ["cache-control", "no-cache"]]],
        ["8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", REQUEST_3],
      ],
    ],
    [
      "C.5 responses without Huffman, in a table of 256 octets",
      256,
      [
        [
          "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32" +
            "3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
          RESPONSE_1,
        ],
        ["4803 3330 37c1 c0bf", RESPONSE_2],
        [
          "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970" +
            "7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61" +
            "6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
          RESPONSE_3,
        ],
      ],
    ],
    [
      "C.6 responses with Huffman, in a table of 256 octets",
      256,
      [
        [
          "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad" +
            "1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
          RESPONSE_1,
        ],
        ["4883 640e ffc1 c0bf", RESPONSE_2],
        [
          "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2" +
            "e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
          RESPONSE_3,
        ],
      ],
    ],
  ])("%s", (_, tableBytes, blocks) => {
    const decoder = new HpackDecoder(tableBytes);
    for (const [hex, fields] of blocks) expect(decode(decoder, hex)).toEqual(fields);
  });
});

describe.each(["python-hpack", "nghttp2"])("blocks made by %s", (encoder) => {
  const file = new URL(`../../../fixtures/hpack/${encoder}.json`, import.meta.url);
  const stories: { name: string; blocks: { hex: string; fields: Fields }[] }[] = JSON.parse(
    readFileSync(file, "utf8"),
  );
  test.each(stories)("$name decodes to its fields", ({ blocks }) => {
    const decoder = new HpackDecoder(4096);
    for (const { hex, fields } of blocks) expect(decode(decoder, hex)).toEqual(fields);
  });
});

test.each([
  ["index 0", "80"],
  ["an index beyond both tables", "be"],
  ["a name index beyond both tables", "7f10 0161"],
  ["a string longer than the block", "0005 61"],
  ["a value that is missing", "0001 61"],
  ["an integer that never ends", "ff80 8080 8080 8080 80"],
  ["an integer that is cut off", "ff"],
  ["a table size update above the setting", "3fe2 1f"],
  ["a table size update after a field", "8220"],
  ["Huffman padding of eight bits", "0081 ff81 ff"],
])("%s is a COMPRESSION_ERROR", (_, hex) => {
  expect(() => decode(new HpackDecoder(4096), hex)).toThrow(
    expect.objectContaining({ code: 9, name: "ConnectionError" }),
  );
});

test("arbitrary octets give fields or a ConnectionError, never anything else", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 }), (blocks) => {
      const decoder = new HpackDecoder(4096);
      try {
        for (const block of blocks) decode(decoder, Buffer.from(block).toString("hex"));
      } catch (error) {
        expect(error).toBeInstanceOf(ConnectionError);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("an HPACK bomb is cut at the list limit while the table stays right", () => {
  const decoder = new HpackDecoder(4096);
  const value = "ab".repeat(2_000);
  decode(decoder, `40 01 61 7f a1 1e ${"61".repeat(4_000)}`);
  const bomb = Buffer.alloc(10_000, 0xbe);
  const fields = decoder.decode(bomb, 0, bomb.length, 16_384);
  expect(fields.truncated).toBe(true);
  expect(fields.names.length).toBe(Math.floor(16_384 / (1 + value.length + 32)));
  expect(fields.listBytes).toBe(10_000 * (1 + 4_000 + 32));
  expect(decode(decoder, "be")).toEqual([["a", "a".repeat(4_000)]]);
});

test("the generation goes up exactly when the table changes", () => {
  const decoder = new HpackDecoder(4096);
  decode(decoder, "8286 0001 6101 62");
  expect(decoder.generation).toBe(0);
  decode(decoder, "4001 6101 62");
  expect(decoder.generation).toBe(1);
  decode(decoder, "be");
  expect(decoder.generation).toBe(1);
  decode(decoder, "20");
  expect(decoder.generation).toBe(2);
});
