import fc from "fast-check";
import { expect, test } from "vitest";
import { firstBytes } from "../../../../src/edge/listen/connection-start.ts";

const MAX = 1000;
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

test.each([
  ["GET / HTTP/1.1\r\n", "http1"],
  ["\r\nPOST /predict HTTP/1.0\r\n", "http1"],
  ["PRINT / HTTP/1.1\r\n", "http1"],
  [preface, "http2"],
  ["PRI * HTTP/2.0\r\n", "http2"],
  ["PRI * HTTP/1.1\r\n", "http1"],
  ["", "more"],
  ["GET / HT", "more"],
  [`GET /${"a".repeat(MAX)}`, "http1"],
  ["GET / HTTP/3.0\r\n", "unknown"],
  ["GET /\r\n", "unknown"],
  ["hello\r\n", "unknown"],
  ["\x16\x03\x01\x02\x00\x01", "tls"],
  ["\x16", "tls"],
  [" GET / HTTP/1.1\r\n", "unknown"],
  ["A".repeat(33), "unknown"],
])("%j is %s", (text, kind) => {
  expect(firstBytes(Buffer.from(text, "latin1"), MAX)).toBe(kind);
});

test("a preface that comes byte by byte is never taken for anything else", () => {
  for (let length = 0; length <= preface.length; length++) {
    const kind = firstBytes(Buffer.from(preface.slice(0, length), "latin1"), MAX);
    expect(kind).toBe(length < 16 ? "more" : "http2");
  }
});

test("more bytes never change what was told", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.uint8Array({ maxLength: 64 }), (first, more) => {
      const kind = firstBytes(Buffer.from(first), MAX);
      if (kind === "more") return;
      expect(firstBytes(Buffer.concat([first, more]), MAX)).toBe(kind);
    }),
  );
});
