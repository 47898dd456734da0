import { expect, test } from "vitest";
import { fieldList } from "../../../../src/edge/call/field-list.ts";
import { TraceDecision } from "../../../../src/edge/trace/trace-context.ts";

const ID = "0af7651916cd43dd8448eb211c80319c";
const SAMPLED = `00-${ID}-b7ad6b7169203331-01`;
const LEFT_OUT = `00-${ID}-b7ad6b7169203331-00`;
/** Its four words are 0xffffffff, 0, 0 and 0. */
const HIGH = `00-ffffffff${"0".repeat(24)}-b7ad6b7169203331-01`;

function decide(
  fields: readonly (readonly [string, string])[],
  rule: { ratio?: number; isParentBased?: boolean; readsContext?: boolean } = {},
) {
  const whole = { ratio: 1, isParentBased: true, readsContext: true, ...rule };
  return new TraceDecision(whole).of(fieldList(fields.flat()));
}

test("a caller's decision holds where the sampler is based on parents, and its trace goes on", () => {
  const state = ["tracestate", "a=1,b=2"] as const;
  const origin = { traceId: ID, parentId: "b7ad6b7169203331", traceState: "a=1,b=2" };
  expect(decide([["traceparent", SAMPLED], state], { ratio: 0 })).toEqual(origin);
  expect(decide([["traceparent", LEFT_OUT], state])).toBeUndefined();
  expect(decide([["traceparent", LEFT_OUT], state], { isParentBased: false })).toEqual(origin);
  expect(decide([["traceparent", SAMPLED]], { ratio: 0, isParentBased: false })).toBeUndefined();
});

test("a share of trace ids is recorded as OpenTelemetry's sampler chooses them", () => {
  const rule = { ratio: 0.5, isParentBased: false };
  expect(decide([["traceparent", SAMPLED]], rule)?.traceId).toBe(
    // 0af76519 ^ 16cd43dd ^ 8448eb21 ^ 1c80319c = 84f2fc79, above half.
    undefined,
  );
  expect(decide([["traceparent", SAMPLED]], { ...rule, ratio: 0.53 })?.traceId).toBe(ID);
  expect(decide([["traceparent", HIGH]], { ...rule, ratio: 0.999 })).toBeUndefined();
});

test("traces that begin here are recorded by their share, with ids that the same sampler would choose", () => {
  const made = Array.from({ length: 4000 }, () => decide([], { ratio: 0.25 })).filter(
    (one) => one !== undefined,
  );
  expect(made.length).toBeGreaterThan(800);
  expect(made.length).toBeLessThan(1200);
  for (const { traceId, parentId } of made) {
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(parentId).toBe("");
    const field = `00-${traceId}-b7ad6b7169203331-01`;
    expect(decide([["traceparent", field]], { ratio: 0.25, isParentBased: false })?.traceId).toBe(traceId);
  }
  expect(new Set(made.map(({ traceId }) => traceId)).size).toBe(made.length);
  expect(decide([], { ratio: 0 })).toBeUndefined();
});

test("of the calls of one edge the share is recorded, some of them one after the other", () => {
  const decision = new TraceDecision({ ratio: 0.25, isParentBased: true, readsContext: true });
  const none = fieldList([]);
  const isRecorded = Array.from({ length: 40_000 }, () => decision.of(none) !== undefined);
  // Five times the deviation of as many draws, and of as many pairs of draws.
  expect(Math.abs(isRecorded.filter(Boolean).length - 10_000)).toBeLessThan(440);
  const pairs = isRecorded.filter((one, at) => one && isRecorded[at + 1]).length;
  expect(Math.abs(pairs - 2_500)).toBeLessThan(300);
});

test.each([
  ["not hexadecimal", [["traceparent", SAMPLED.replace("0af", "0xf")]]],
  ["zeros", [["traceparent", `00-${"0".repeat(32)}-b7ad6b7169203331-00`]]],
  [
    "two of them",
    [
      ["traceparent", SAMPLED],
      ["traceparent", SAMPLED],
    ],
  ],
] as const)("a traceparent that is malformed begins a new trace: %s", (_, fields) => {
  const origin = decide([...fields, ["tracestate", "a=1"]]);
  expect(origin).toMatchObject({ parentId: "", traceState: "" });
  expect(origin!.traceId).not.toBe(ID);
});

test("without tracecontext among the propagators callers' traces are not read", () => {
  expect(decide([["traceparent", SAMPLED]], { readsContext: false })?.parentId).toBe("");
});

test.each([
  [["a=1", "b=2, c=3"], "a=1,b=2,c=3"],
  [["tenant@sys=x/y:z"], "tenant@sys=x/y:z"],
  [["a=1,,b=2"], "a=1,b=2"],
  [["a=é"], ""],
  [["A=1"], ""],
  [[`a=${"x".repeat(600)}`], ""],
  [[Array.from({ length: 33 }, (_, i) => `k${i}=1`).join(",")], ""],
] as const)("a tracestate of %j goes on as %j", (fields, state) => {
  const list = fields.map((value) => ["tracestate", value] as const);
  expect(decide([["traceparent", SAMPLED], ...list])!.traceState).toBe(state);
});
