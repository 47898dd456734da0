import { expect, test } from "vitest";
import { followTail, labelValues, tailDims } from "../../../../src/worker/trees/tail.ts";

const scores = { type: "float32", data: Float32Array.of(0.1, -2) } as const;
const numbers = labelValues({ kind: "integers", values: [-4n, 9n] }, Int32Array.of(1, 0));
const texts = labelValues({ kind: "strings", values: ["no", "yes"] }, Int32Array.of(1, 0));
const cast = (elementType: number) => ({ steps: [{ kind: "cast", elementType } as const] });

test("labels are those of the places, as the model has them", () => {
  expect(numbers).toEqual({ type: "int64", data: BigInt64Array.of(9n, -4n) });
  expect(texts).toEqual({ type: "string", data: ["yes", "no"] });
});

test("arithmetic on scores rounds once, in the precision of the scores", () => {
  const steps = [
    { kind: "multiply", factor: 3 },
    { kind: "divide", divisor: 7 },
    { kind: "exponentiate" },
  ] as const;
  const { fround } = Math;
  const expected = [0.1, -2].map((score) => fround(Math.exp(fround(fround(fround(score) * 3) / 7))));
  expect(followTail(scores, { steps })).toEqual({ type: "float32", data: Float32Array.from(expected) });
});

test("casts go where no number changes its meaning", () => {
  expect(followTail(scores, cast(11))).toEqual({
    type: "float64",
    data: Float64Array.of(Math.fround(0.1), -2),
  });
  expect(followTail(numbers, cast(6))).toEqual({ type: "int32", data: Int32Array.of(9, -4) });
  expect(followTail(numbers, cast(8))).toEqual({ type: "string", data: ["9", "-4"] });
  expect(followTail(numbers, cast(1))).toEqual({ type: "float32", data: Float32Array.of(9, -4) });
  expect(followTail(texts, cast(8))).toEqual(texts);
});

test("a Reshape leaves the numbers, and says their axes", () => {
  const reshape = (...target: number[]) => ({ steps: [{ kind: "reshape", target } as const] });
  expect(followTail(scores, reshape(-1))).toEqual(scores);
  expect(tailDims([2, 1], reshape(-1))).toEqual([2]);
  expect(tailDims([2, 6], reshape(0, 3, -1))).toEqual([2, 3, 2]);
  expect(tailDims([0, 1], reshape(0, 1, 1))).toEqual([0, 1, 1]);
  expect(() => tailDims([2, 6], reshape(0, 5))).toThrow(
    "a Reshape of [2,6] to [0,5] stands behind the trees",
  );
  expect(() => tailDims([2, 5], reshape(4, -1))).toThrow("stands behind the trees");
});

test.each([
  ["scores to integers", scores, cast(7)],
  ["scores to texts", scores, cast(8)],
  ["texts to integers", texts, cast(7)],
  ["labels multiplied", numbers, { steps: [{ kind: "multiply", factor: 2 } as const] }],
])("%s stay with ONNX Runtime", (_, value, output) => {
  expect(() => followTail(value, output)).toThrow(/behind the trees|labels are reckoned with/);
});
