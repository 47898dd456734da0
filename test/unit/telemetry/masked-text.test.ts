import { expect, test } from "vitest";
import { maskedCause, maskedText } from "../../../src/telemetry/masked-text.ts";

test.each([
  [
    "running Gather node. Name:'/emb/Gather' idx=4711 must be within [-10,9]",
    "running Gather node. Name:'/emb/Gather' idx=# must be within [-10,9]",
  ],
  [
    "model m version 3, x FP32[1,4]: Input shape:{1,4}, requested shape:{3}",
    "model m version 3, x FP32[1,4]: Input shape:{1,4}, requested shape:{3}",
  ],
  ['could not convert "4711-secret" to float', 'could not convert "…" to float'],
  ["The number 47.11 cannot be converted to a BigInt", "The number # cannot be converted to a BigInt"],
  [`Unexpected token 's', "{"a": secr"... is not valid JSON`, "a text is not valid JSON"],
  ["value -4.711e+5 is too large", "value # is too large"],
])("of %j values are masked, names and shapes stay", (text, masked) => {
  expect(maskedText(text)).toBe(masked);
});

test("of an error what it says is masked, and where it was thrown stays, causes too", () => {
  const error = new TypeError('no "4711" here', { cause: new RangeError("47.11") });
  const text = maskedCause(error);
  expect(text).not.toMatch(/4711|47\.11/);
  expect(text).toMatch(/^TypeError: no "…" here\n +at .*masked-text\.test\.ts:\d+/);
  expect(text).toContain("caused by RangeError: #");
});

test("a cause is cut", () => {
  expect(maskedCause("x".repeat(100_000)).length).toBeLessThanOrEqual(4000);
  expect(maskedCause({ toString: () => "thrown" })).toBe("thrown");
});
