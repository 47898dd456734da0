import { expect, test, vi } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { AccessLog, type AccessSettings, DEFAULT_ACCESS } from "../../../../src/edge/access/access-log.ts";
import { CallDeadlines } from "../../../../src/edge/call/call-deadlines.ts";
import { beginCall, type EdgeCall, type EdgeCallOptions } from "../../../../src/edge/call/edge-call.ts";
import { fieldList } from "../../../../src/edge/call/field-list.ts";
import { CallCounters } from "../../../../src/edge/metrics/call-counters.ts";
import { AssayError } from "../../../../src/errors.ts";
import type { ServerStream } from "../../../../src/http2/stream.ts";

function begin(
  options: Partial<EdgeCallOptions> = {},
  fields: string[] = [],
  access: AccessSettings = { mode: "all", slowCallMs: 0 },
) {
  const lines: { level: string; fields: Record<string, unknown> }[] = [];
  const write = (level: string) => (fields: object) => {
    lines.push({ level, fields: { ...fields } });
  };
  const log = {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    isLevelEnabled: () => true,
  };
  const stream = { headers: fieldList(fields), remoteAddress: "::ffff:10.1.2.3" } as unknown as ServerStream;
  const edgeCall = beginCall(stream, {
    procedure: "/a/B",
    protocol: "grpc",
    lane: "interactive",
    sendsDetails: true,
    timeoutMs: undefined,
    callTimeoutMs: 60_000,
    shared: {
      deadlines: new CallDeadlines(),
      counters: new CallCounters(() => "/a/B"),
      access: new AccessLog(log, access),
      tracer: undefined,
    },
    ...options,
  });
  return { edgeCall, lines };
}

test("the deadline is the earlier of the caller's and the server's", () => {
  const now = performance.now();
  const { edgeCall: short } = begin({ timeoutMs: 100, callTimeoutMs: 1000 });
  const { edgeCall: long } = begin({ timeoutMs: 5000, callTimeoutMs: 1000 });
  const { edgeCall: free } = begin({ callTimeoutMs: Number.POSITIVE_INFINITY });
  expect(short.call.deadlineAt - now).toBeLessThan(200);
  expect(long.call.deadlineAt - now).toBeLessThan(1100);
  expect(free.call.deadlineAt).toBe(Number.POSITIVE_INFINITY);
  for (const edgeCall of [short, long, free]) edgeCall.end();
});

test("at the deadline whoever waits is answered, and the stage that holds the call is told", async () => {
  vi.useFakeTimers();
  try {
    const { edgeCall } = begin({ timeoutMs: 100 });
    let told = false;
    edgeCall.call.onCancel = () => {
      told = true;
    };
    const answer = edgeCall.guard(new Promise(() => {}));
    vi.advanceTimersByTime(100);
    await expect(answer).rejects.toMatchObject({
      reason: Reason.DEADLINE_EXCEEDED,
      message: "no answer within 100 ms (the caller's timeout)",
    });
    expect(told).toBe(true);
    edgeCall.end();
  } finally {
    vi.useRealTimers();
  }
});

test("the first failure stands, and work that begins after it is refused", async () => {
  const { edgeCall } = begin();
  edgeCall.cancel({ kind: "connection-lost" });
  edgeCall.fail(new AssayError(Reason.INTERNAL, "later"));
  await expect(edgeCall.guard(Promise.resolve(1))).rejects.toMatchObject({ reason: Reason.CANCELLED });
  edgeCall.end();
});

test("a caller's id is kept where it is one, and made otherwise", () => {
  expect(begin({}, ["x-request-id", "abc-1"]).edgeCall.id).toBe("abc-1");
  const made = begin({}, ["x-request-id", "not an id"]).edgeCall.id;
  expect(made).toMatch(/^[0-9a-f]{12}-[0-9a-z]+$/);
  expect(begin().edgeCall.id).not.toBe(made);
});

test("a bug becomes INTERNAL with the id, and is logged once with its cause", () => {
  const { edgeCall, lines } = begin();
  const error = edgeCall.asAssayError(new TypeError("x is undefined"));
  expect(error).toMatchObject({ reason: Reason.INTERNAL });
  expect(error.message).toContain(edgeCall.id);
  expect(error.message).not.toContain("undefined");
  edgeCall.end();
  edgeCall.end();
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ level: "error", fields: { requestId: edgeCall.id, reason: "INTERNAL" } });
  expect(String(lines[0]!.fields.cause)).toContain("x is undefined");
});

test("a refusal that is the caller's own doing is a warning with its reason and not its words", () => {
  const { edgeCall, lines } = begin();
  edgeCall.asAssayError(new AssayError(Reason.INVALID_REQUEST, "wrong"));
  edgeCall.end();
  expect(lines).toMatchObject([{ level: "warn", fields: { reason: "INVALID_REQUEST", procedure: "/a/B" } }]);
  expect(JSON.stringify(lines)).not.toContain("wrong");
});

test("a line of the log has the ids, the caller, the model, the sizes, the stages and the end", () => {
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const { edgeCall, lines } = begin({}, [
    "x-request-id",
    "r-1",
    "traceparent",
    `00-${traceId}-b7ad6b7169203331-01`,
  ]);
  const { call } = edgeCall;
  Object.assign(call, { modelName: "m", modelVersion: "3", messageId: "x".repeat(300), rows: 7 });
  Object.assign(call, { enqueuedAt: 10, startedAt: 12.5, endedAt: 13.25 });
  edgeCall.requestBytes = 100;
  edgeCall.responseBytes = 20;
  edgeCall.end();
  expect(lines).toEqual([
    {
      level: "info",
      fields: {
        requestId: "r-1",
        trace_id: traceId,
        procedure: "/a/B",
        protocol: "grpc",
        peer: "10.1.2.3",
        model: "m",
        version: "3",
        messageId: "x".repeat(128),
        rows: 7,
        requestBytes: 100,
        responseBytes: 20,
        durationMs: expect.any(Number),
        queueMs: 2.5,
        runMs: 0.75,
        status: "OK",
      },
    },
  ]);
});

test("by default calls that are answered in time, and callers that go, have no line", () => {
  for (const end of [() => {}, (call: EdgeCall) => call.cancel({ kind: "connection-lost" })]) {
    const { edgeCall, lines } = begin({}, [], DEFAULT_ACCESS);
    end(edgeCall);
    edgeCall.end();
    expect(lines).toEqual([]);
  }
});

test("a deadline beyond Node's timers holds, and does not ring before its time", () => {
  vi.useFakeTimers();
  try {
    const DAY_MS = 86_400_000;
    const { edgeCall } = begin({ timeoutMs: 60 * DAY_MS, callTimeoutMs: Number.POSITIVE_INFINITY });
    vi.advanceTimersByTime(60 * DAY_MS - 1);
    expect(edgeCall.failure).toBeUndefined();
    vi.advanceTimersByTime(1);
    expect(edgeCall.failure).toMatchObject({ reason: Reason.DEADLINE_EXCEEDED });
    edgeCall.end();
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test("a call whose deadline another clock has seen first fails as at its own, once", () => {
  const { edgeCall, lines } = begin({ timeoutMs: 5000 });
  edgeCall.expire();
  edgeCall.expire();
  expect(edgeCall.failure).toMatchObject({
    reason: Reason.DEADLINE_EXCEEDED,
    message: "no answer within 5000 ms (the caller's timeout)",
  });
  edgeCall.end();
  expect(lines).toHaveLength(1);
});
