import { expect, test } from "vitest";
import { readTraceParent } from "../../../../src/edge/trace/trace-parent.ts";

const trace = "0af7651916cd43dd8448eb211c80319c";
const span = "b7ad6b7169203331";

test("a traceparent says the trace, the caller's span and whether it is sampled", () => {
  expect(readTraceParent(`00-${trace}-${span}-01`)).toEqual({
    traceId: trace,
    parentId: span,
    isSampled: true,
  });
  expect(readTraceParent(`00-${trace}-${span}-02`)?.isSampled).toBe(false);
});

test("of a version that is still to come the known part is read", () => {
  expect(readTraceParent(`01-${trace}-${span}-01-more`)?.traceId).toBe(trace);
});

test.each([
  undefined,
  "",
  `ff-${trace}-${span}-01`,
  `00-${trace}-${span}-01-more`,
  `00-${trace.toUpperCase()}-${span}-01`,
  `00-${"0".repeat(32)}-${span}-01`,
  `00-${trace}-${"0".repeat(16)}-01`,
  `00-${trace}-${span}`,
  `00-${trace}-${span}-01\n`,
])("of %j nothing is used", (field) => {
  expect(readTraceParent(field)).toBeUndefined();
});
