import { afterEach, expect, test, vi } from "vitest";
import { SpanOutput } from "../../../../src/edge/trace/traced-work.ts";
import type { SpanRecord } from "../../../../src/telemetry/traces/span-record.ts";

const HOUR_MS = 3_600_000;
/** What may pass between two looks at clocks on a machine with other work. */
const PASSES_MS = 1_000;

afterEach(() => {
  vi.restoreAllMocks();
});

function spanUntil(endMs: number): SpanRecord {
  return {
    ...{ traceId: "a".repeat(32), spanId: "b".repeat(15).concat("0"), traceState: "", parentId: "" },
    ...{ isParentRemote: false, name: "batch", kind: "internal", startMs: endMs, endMs },
    ...{ attributes: {}, links: [], droppedLinks: 0, error: "", stages: [] },
  };
}

test("times of spans follow a clock that is put right while the server runs", () => {
  const taken: SpanRecord[] = [];
  const output = new SpanOutput({ take: (span) => taken.push(span) });
  const at = performance.now();
  output.take(spanUntil(output.timeOf(at)));
  const before = output.timeOf(at);
  expect(Math.abs(before - Date.now())).toBeLessThan(PASSES_MS);
  const now = Date.now;
  vi.spyOn(Date, "now").mockImplementation(() => now() + HOUR_MS);
  output.take(spanUntil(output.timeOf(at + 200)));
  expect(Math.abs(output.timeOf(at) - before - HOUR_MS)).toBeLessThan(PASSES_MS);
  expect(taken).toHaveLength(2);
});
