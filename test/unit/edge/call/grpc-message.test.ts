import { expect, test } from "vitest";
import { plainGrpcMessage } from "../../../../src/edge/call/response-fields.ts";

test.each([
  ["features: 2 came; 4 expected", "features: 2 came; 4 expected"],
  ['"größe"\n', '"gr%C3%B6%C3%9Fe"%0A'],
  ["100 %", "100 %25"],
])("%j becomes %j", (text, plain) => {
  expect(plainGrpcMessage(encodeURIComponent(text))).toBe(plain);
  expect(decodeURIComponent(plain)).toBe(text);
});

test("what is not percent-encoded stays as it is", () => {
  expect(plainGrpcMessage("50% of it")).toBe("50% of it");
});

test("a long message is cut, so that trailers stay small", () => {
  const cut = plainGrpcMessage("x".repeat(16_000));
  expect(cut.startsWith("x".repeat(999))).toBe(true);
  expect(cut.length).toBeLessThan(1020);
});
