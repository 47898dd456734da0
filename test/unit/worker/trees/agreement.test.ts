import { expect, test } from "vitest";
import { disagreement } from "../../../../src/worker/trees/agreement.ts";

const scores = (...data: number[]) => ({ type: "float32", dims: [2, data.length / 2], data });
const labels = (...data: bigint[]) => ({ type: "int64", dims: [2], data });

test("scores agree within 1e-6 and a millionth of the score, whatever is no number as itself", () => {
  const want = { y: scores(1, 1_000, Number.NaN, Infinity) };
  expect(disagreement(want, { y: scores(1.0000019, 1_000.001, Number.NaN, Infinity) }, "y")).toBeUndefined();
  expect(disagreement(want, { y: scores(1.0000021, 1_000, Number.NaN, Infinity) }, "y")).toBe(
    'output "y" of a row is 1, not 1.0000021',
  );
  expect(disagreement(want, { y: scores(1, 1_000, 0, Infinity) }, "y")).toMatch(/is NaN, not 0/);
  expect(disagreement(want, { y: scores(1, 1_000, Number.NaN, -Infinity) }, "y")).toMatch(/is Infinity/);
});

test("labels may differ where the two highest scores are as near as scores may be, and nowhere else", () => {
  const want = { y: scores(0.5, 0.5000001, 0.4, 0.6), l: labels(1n, 1n) };
  expect(disagreement(want, { ...want, l: labels(0n, 1n) }, "y")).toBeUndefined();
  expect(disagreement(want, { ...want, l: labels(0n, 0n) }, "y")).toBe('output "l" of a row is 1, not 0');
  expect(disagreement(want, { ...want, l: labels(0n, 1n) }, undefined)).toBe(
    'output "l" of a row is 1, not 0',
  );
});

test("outputs of another name, type or shape do not agree", () => {
  const want = { y: scores(1, 2) };
  expect(disagreement(want, { z: scores(1, 2) }, undefined)).toBe('output "z" is not there');
  expect(disagreement(want, { y: { ...scores(1, 2), type: "float64" } }, undefined)).toBe(
    'output "y" is float32, not float64',
  );
  expect(disagreement(want, { y: { ...scores(1, 2), dims: [2] } }, undefined)).toBe(
    'output "y" has the shape [2,1], not [2]',
  );
});
