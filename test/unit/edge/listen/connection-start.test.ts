import { expect, test } from "vitest";
import { connectionRefusal, wrongEncryption } from "../../../../src/edge/listen/connection-start.ts";

test("HTTP/1.1 is a whole 503 response that names the limit", () => {
  const text = connectionRefusal("http1", "too many (max-connections)").toString();
  const [head, body] = text.split("\r\n\r\n");
  expect(head).toMatch(/^HTTP\/1\.1 503 /);
  expect(head).toContain(`content-length: ${Buffer.byteLength(body!)}`);
  expect(body).toContain("(max-connections)");
});

test("HTTP/2 is SETTINGS and GOAWAY with ENHANCE_YOUR_CALM, whose debug data names the limit", () => {
  const bytes = connectionRefusal("http2", "too many (max-connections)");
  expect(bytes.subarray(0, 9)).toEqual(Buffer.of(0, 0, 0, 4, 0, 0, 0, 0, 0));
  expect(bytes[9 + 3]).toBe(7);
  expect(bytes.readUIntBE(9, 3)).toBe(bytes.length - 18);
  expect(bytes.readUInt32BE(22)).toBe(11);
  expect(bytes.subarray(26).toString()).toContain("(max-connections)");
});

test("whoever speaks TLS where there is none, or none where there is, is told what to use, in HTTP", () => {
  expect(wrongEncryption("tls").answer.toString()).toMatch(/^HTTP\/1\.1 400 [\s\S]*use http:\/\//);
  expect(wrongEncryption("http1").answer.toString()).toMatch(/^HTTP\/1\.1 400 [\s\S]*use https:\/\//);
  const http2 = wrongEncryption("http2").answer;
  expect(http2.readUInt32BE(22)).toBe(12);
  expect(http2.subarray(26).toString()).toContain("use https://");
});
