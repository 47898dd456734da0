import { expect, test } from "vitest";
import { tensorOf } from "../../../src/worker/session/session.ts";

test("halves are held as their bits, also where a tensor of another model comes before the thread's first session", () => {
  tensorOf({ name: "x", datatype: "FP32", shape: [1], data: Float32Array.of(1) });
  const half = tensorOf({ name: "h", datatype: "FP16", shape: [2], data: Uint16Array.of(0x3c00, 0x4000) });
  expect(half.data).toEqual(Uint16Array.of(0x3c00, 0x4000));
});
