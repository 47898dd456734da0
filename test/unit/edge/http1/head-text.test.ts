import { expect, test } from "vitest";
import { CLOSE_FIELDS, headText, keepAliveFields } from "../../../../src/edge/http1/head-text.ts";
import { headerBlock } from "../../../../src/http2/stream.ts";

const BASE = headerBlock([["content-type", "application/json"]]);
const DATE = /date: (.*)\r\n/;

test("a head has the block's fields, its own, the date and what becomes of the connection", () => {
  const { text, isChunked } = headText(
    200,
    headerBlock([["content-length", "2"]], BASE),
    keepAliveFields(65_000),
  );
  expect(text.replace(DATE, "date: D\r\n")).toBe(
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\ndate: D\r\nconnection: keep-alive\r\nkeep-alive: timeout=65\r\n\r\n",
  );
  expect(Math.abs(Date.parse(DATE.exec(text)![1]!) - Date.now())).toBeLessThan(2000);
  expect(isChunked).toBe(false);
});

test("without a length the body is chunked", () => {
  const { text, isChunked } = headText(404, BASE, CLOSE_FIELDS);
  expect(text).toMatch(
    /^HTTP\/1\.1 404 Not Found\r\n.*connection: close\r\ntransfer-encoding: chunked\r\n\r\n$/s,
  );
  expect(isChunked).toBe(true);
});

test.each(["a\r\nset-cookie: b", "a\nb", "a\0b", "\u20ac"])(
  "a value that could end its line is not sent: %j",
  (value) => {
    expect(() => headText(200, headerBlock([["x", value]]), "")).toThrow("field x has octets");
    expect(() => headText(200, headerBlock([], headerBlock([["x", value]])), "")).toThrow(
      "field x has octets",
    );
  },
);
