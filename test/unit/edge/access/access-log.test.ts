import { Code } from "@connectrpc/connect";
import { expect, test, vi } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import type { LoggedCall } from "../../../../src/edge/access/access-line.ts";
import { AccessLog, type AccessSettings } from "../../../../src/edge/access/access-log.ts";
import { fieldList } from "../../../../src/edge/call/field-list.ts";
import { AssayError } from "../../../../src/errors.ts";
import type { ServerStream } from "../../../../src/http2/stream.ts";
import { limitHits } from "../../../../src/limits.ts";
import { createCall } from "../../../../src/service/call.ts";

const stream = { headers: fieldList([]), remoteAddress: "::1" } as unknown as ServerStream;
const invalid = new AssayError(Reason.INVALID_REQUEST, "secret", {
  violations: ["a", "a", "b"].map((rule) => ({ field: "secret", description: "secret", rule })),
  violationCount: 30,
});

function open(mode: AccessSettings["mode"], slowCallMs = 1000) {
  const lines: [level: string, message: string, fields: Record<string, unknown>][] = [];
  const write = (level: string) => (fields: object, message: string) => {
    lines.push([level, message, { ...fields }]);
  };
  const log = {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    isLevelEnabled: () => true,
  };
  return {
    access: new AccessLog(log, { mode, slowCallMs }),
    lines,
    said: () => lines.map(([, said]) => said),
  };
}

function called(more: Partial<LoggedCall> = {}): LoggedCall {
  const call = createCall({ deadlineAt: 1, lane: "bulk", protocol: "grpc" });
  const rest = { requestBytes: 0, responseBytes: 0, httpStatus: 0, code: undefined };
  return { id: "i", call, stream, pattern: "/p", ...rest, ...more };
}

test.each([
  ["all", ["call answered", "call answered slowly", "call failed", "call cancelled", "call failed"]],
  ["errors", ["call answered slowly", "call failed", "call failed"]],
  ["off", ["call failed"]],
] as const)("with %s these calls have a line: %j", (mode, expected) => {
  const { access, said } = open(mode);
  access.ended(called(), 1, undefined, false);
  access.ended(called(), 1000, undefined, false);
  access.ended(called(), 1, invalid, false);
  access.ended(called(), 1, new AssayError(Reason.CANCELLED, "gone"), false);
  access.ended(called(), 1, new AssayError(Reason.INTERNAL, "bug", { cause: new Error("why") }), false);
  expect(said()).toEqual(expected);
});

test("what lasts as long as its caller likes is never slow, and 0 makes no call slow", () => {
  const { access, lines } = open("errors");
  access.ended(called(), 5000, undefined, true);
  open("errors", 0).access.ended(called(), 5000, undefined, false);
  expect(lines).toEqual([]);
});

test("a stream has one line at its end with its items, rows and failed items, where any failed", () => {
  const { access, lines } = open("errors");
  const logged = called();
  Object.assign(logged.call, { items: 12, failedItems: 2, rows: 40, modelName: "m", modelVersion: "1" });
  access.ended(logged, 5000, undefined, true);
  expect(lines).toMatchObject([
    ["warn", "items failed", { items: 12, failedItems: 2, rows: 40, model: "m" }],
  ]);
});

test("of what a caller did wrong the line has the rules and how often they were broken, and none of the words", () => {
  const { access, lines } = open("errors");
  access.ended(called(), 1, invalid, false);
  const fields = { reason: "INVALID_REQUEST", violations: 30, rules: ["a", "b"], status: "INVALID_ARGUMENT" };
  expect(lines).toMatchObject([["warn", "call failed", fields]]);
  expect(JSON.stringify(lines)).not.toContain("secret");
});

test("an error that Connect's handlers found has its code", () => {
  const { access, lines } = open("errors");
  access.ended(called({ code: Code.Canceled }), 1, undefined, false);
  expect(lines).toMatchObject([["warn", "call failed", { status: "CANCELLED" }]]);
});

test("a hundred failed calls a second have a line, the rest is counted; all has no such bound", () => {
  vi.useFakeTimers();
  try {
    for (const [mode, lineCount] of [
      ["errors", 101],
      ["all", 250],
    ] as const) {
      const { access, said, lines } = open(mode);
      const hits = limitHits()["access-lines"];
      for (let i = 0; i < 250; i++) access.ended(called(), 1, invalid, false);
      expect(said()).toHaveLength(lineCount);
      expect(limitHits()["access-lines"] - hits).toBe(mode === "all" ? 0 : 150);
      vi.advanceTimersByTime(11_000);
      const told = lines.flatMap(([, , { calls }]) => (typeof calls === "number" ? [calls] : []));
      expect(told.reduce((sum, calls) => sum + calls, 0)).toBe(mode === "all" ? 0 : 150);
    }
  } finally {
    vi.useRealTimers();
  }
});
