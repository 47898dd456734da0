import { expect, test } from "vitest";
import { parseConnectTimeout, parseGrpcTimeout } from "../../../../src/edge/call/timeout-header.ts";

test.each([
  ["1H", 3_600_000],
  ["2M", 120_000],
  ["3S", 3000],
  ["200m", 200],
  ["1500u", 1.5],
  ["99999999n", 99.999999],
  ["0S", 0],
])("grpc-timeout %s is %d ms", (text, timeoutMs) => {
  expect(parseGrpcTimeout(text)).toBeCloseTo(timeoutMs, 9);
});

test.each(["", "1", "S", "-1S", "1.5S", "123456789S", "1s", " 1S"])(
  "grpc-timeout %j is malformed",
  (text) => {
    expect(parseGrpcTimeout(text)).toBeUndefined();
  },
);

test("connect-timeout-ms takes up to ten digits", () => {
  expect(parseConnectTimeout("1500")).toBe(1500);
  for (const text of ["", "1.5", "-1", "12345678901", "1s"])
    expect(parseConnectTimeout(text)).toBeUndefined();
});
