import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { limitOf } from "../../../../src/edge/call/error-table.ts";
import { limitFamily, limitOfGoaway } from "../../../../src/edge/metrics/limit-metrics.ts";
import { AssayError } from "../../../../src/errors.ts";
import { createCounters } from "../../../../src/http2/connection/counters.ts";
import { DEFENCES } from "../../../../src/http2/connection/defence.ts";

test("each of the HTTP/2 engine's defences is a limit of its own", () => {
  const limits = DEFENCES.map(({ reason }) => limitOfGoaway(reason));
  expect(limits).not.toContain(undefined);
  expect(new Set(limits).size).toBe(DEFENCES.length);
  expect(limitOfGoaway("a padded HEADERS frame has no pad length (6.2)")).toBe(undefined);
});

test("what the HTTP/2 engine counts is added to what this thread did", () => {
  const hits = (name: string, http2 = createCounters()) => {
    const { samples } = limitFamily(http2) as unknown as { samples: readonly [{ limit: string }, number][] };
    return samples.find(([labels]) => labels.limit === name)![1];
  };
  const counters = createCounters();
  counters.streamsRefused = 3;
  counters.bodiesCutOff = 2;
  counters.goaways.set("no answer to PING", 4);
  counters.goaways.set("windows too small for the responses (CVE-2019-9511)", 5);
  for (const [name, count] of [
    ["max-concurrent-streams", 3],
    ["discarded-body", 2],
    ["http2-keepalive", 4],
    ["http2-small-windows", 5],
  ] as const)
    expect(hits(name, counters) - hits(name)).toBe(count);
});

test.each([
  [new AssayError(Reason.OUTPUT_TOO_LARGE, ""), "run-bytes"],
  [new AssayError(Reason.RUN_TIMEOUT, ""), "run-timeout-ms"],
  [new AssayError(Reason.QUEUE_FULL, "", { limit: "max-queue-bytes" }), "max-queue-bytes"],
  [
    new AssayError(Reason.INVALID_REQUEST, "", {
      violations: [
        { field: "a", description: "", rule: "required" },
        { field: "b", description: "", rule: "repeated.max_items" },
      ],
    }),
    "list-items",
  ],
  [new AssayError(Reason.INVALID_REQUEST, ""), undefined],
  [new AssayError(Reason.DEADLINE_EXCEEDED, ""), undefined],
])("the limit of an error: %s", (error, limit) => {
  expect(limitOf(error)).toBe(limit);
});
