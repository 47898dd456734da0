import { expect, test } from "vitest";
import { AccessLog } from "../../../../src/edge/access/access-log.ts";
import { CallDeadlines } from "../../../../src/edge/call/call-deadlines.ts";
import { fieldList } from "../../../../src/edge/call/field-list.ts";
import { createMessageMemory } from "../../../../src/edge/grpc/message-memory.ts";
import { createMemoryBudget } from "../../../../src/edge/memory/memory-budget.ts";
import { CallCounters } from "../../../../src/edge/metrics/call-counters.ts";
import { type HandOver, serveUnary, type UnaryContext } from "../../../../src/edge/unary/unary-call.ts";
import type { UnaryForm, UnaryProtocol } from "../../../../src/edge/unary/unary-form.ts";
import type { CancelReason, ServerStream } from "../../../../src/http2/stream.ts";
import { LIMITS } from "../../../support/servers/fake-services.ts";

interface Opened {
  readonly said: string[];
  readonly logged: string[];
  readonly heldBytes: () => number;
  data(text: string, end: boolean): void;
  cancel(reason: CancelReason): void;
}

/** A call whose codec gives the body back, over a protocol that says what it was told. */
function open(
  more: {
    protocol?: Partial<UnaryProtocol>;
    run?: UnaryForm["run"];
    handOver?: HandOver;
    limits?: object;
  } = {},
): Opened {
  const said: string[] = [];
  const logged: string[] = [];
  const write = (fields: object, message: string) => {
    logged.push(`${message}${"reason" in fields ? ` ${fields.reason}` : ""}`);
  };
  const stream = {
    headers: fieldList([]),
    remoteAddress: "",
    consume() {},
    reset: (code: number) => said.push(`reset ${code}`),
  } as unknown as ServerStream;
  const memory = createMemoryBudget(1_000_000);
  const form: UnaryForm = {
    protocol: {
      name: "test",
      isFramed: true,
      prefixBytes: 0,
      fields: undefined,
      accepts: () => true,
      respond: (_call, bytes) => void said.push(`answer ${Buffer.from(bytes)}`),
      fail(call, error) {
        said.push(`error ${call.edgeCall.asAssayError(error).message}`);
      },
      ...more.protocol,
    },
    codec: { decode: (bytes) => String(bytes), encode: (response) => Buffer.from(String(response)) },
    run: more.run ?? ((request) => Promise.resolve(request)),
  };
  const log = { debug: write, info: write, warn: write, error: write, isLevelEnabled: () => true };
  const context = {
    limits: { ...LIMITS, ...more.limits },
    corsOrigins: [],
    log,
    memory,
    deadlines: new CallDeadlines(),
    counters: new CallCounters((path) => path),
    access: new AccessLog(log, { mode: "all", slowCallMs: 0 }),
    messageMemory: createMessageMemory(),
  } as unknown as UnaryContext;
  const head = { timeoutMs: undefined, acceptEncoding: undefined };
  const handOver = more.handOver ?? (() => said.push("handed over"));
  serveUnary(stream, form, { path: "/a", params: {}, head, compression: undefined, handOver }, context);
  return {
    said,
    logged,
    heldBytes: () => memory.heldBytes,
    data: (text, end) => stream.onData(Buffer.from(text, "latin1"), end),
    cancel: (reason) => stream.onCancel(reason),
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("a message is answered once its end has come, however it is cut, and its memory is given back", async () => {
  const call = open();
  for (const octet of "\0\0\0\0\x02hi") call.data(octet, false);
  expect(call.heldBytes()).toBe(7);
  await turn();
  expect(call.said).toEqual([]);
  call.data("", true);
  await turn();
  expect(call.said).toEqual(["answer hi"]);
  expect(call.logged).toEqual(["call answered"]);
  expect(call.heldBytes()).toBe(0);
});

test.each([
  ["a frame with a flag", ["\x01\0\0\0\x02hi"]],
  ["a second message", ["\0\0\0\0\x02hi", "\0"]],
  ["octets behind the message", ["\0\0\0\0\x02hi\0"]],
])("%s is for others", (_, pieces) => {
  const call = open();
  for (const piece of pieces) call.data(piece, false);
  expect(call.said).toEqual(["handed over"]);
  expect(call.heldBytes()).toBe(0);
});

test("a body that ends without a whole message is for others", () => {
  for (const body of ["", "\0\0\0", "\0\0\0\0\x02h"]) {
    const call = open();
    call.data(body, true);
    expect(call.said).toEqual(["handed over"]);
  }
});

test("a message that is announced too large is refused before it comes", () => {
  const call = open({ limits: { maxMessageBytes: 100 } });
  call.data("\0\0\0\x01\0", false);
  expect(call.said).toEqual([expect.stringContaining("256 bytes is larger than 100 bytes")]);
  expect(call.logged).toEqual(["call failed MESSAGE_TOO_LARGE"]);
});

test("a caller that goes ends its call, and a late answer is dropped", async () => {
  let answer: (response: unknown) => void = () => {};
  const run = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  const call = open({ run });
  call.data("\0\0\0\0\x02hi", true);
  call.cancel({ kind: "reset", code: 8 });
  answer("late");
  await turn();
  expect(call.said).toEqual(["error the caller went away"]);
  expect(call.logged).toEqual(["call cancelled CANCELLED"]);
  expect(call.heldBytes()).toBe(0);
});

test("an answer or an error that cannot be sent resets the stream, is logged, and leaves nothing behind", async () => {
  const broken = () => {
    throw new Error("a bug");
  };
  const refused = () => Promise.reject(new Error("no"));
  for (const more of [
    { protocol: { respond: broken } },
    { protocol: { fail: broken }, run: refused },
    { protocol: { fail: () => Promise.reject(new Error("a bug")) }, run: refused },
  ]) {
    const call = open(more);
    call.data("\0\0\0\0\x02hi", true);
    await turn();
    expect(call.said).toEqual(["reset 2"]);
    expect(call.logged).toEqual(["call failed INTERNAL"]);
    expect(call.heldBytes()).toBe(0);
  }
  const call = open({ handOver: broken });
  call.data("\x01\0\0\0\0", false);
  expect(call.said).toEqual(["reset 2"]);
  expect(call.logged).toEqual(["call failed INTERNAL"]);
});
