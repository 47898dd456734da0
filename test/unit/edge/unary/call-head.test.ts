import { expect, test } from "vitest";
import { messageCompressions } from "../../../../src/edge/call/compression.ts";
import { fieldList } from "../../../../src/edge/call/field-list.ts";
import { GRPC_FIELDS } from "../../../../src/edge/grpc/unary.ts";
import { AcceptedEncodings, readCallHead } from "../../../../src/edge/unary/call-head.ts";

const read = (...fields: string[]) => readCallHead(fieldList(fields), GRPC_FIELDS);

test("a plain call's head says its timeout and what answers it takes", () => {
  expect(read("content-type", "application/grpc", "user-agent", "x")).toEqual({
    timeoutMs: undefined,
    acceptEncoding: undefined,
  });
  expect(read("grpc-timeout", "3S", "grpc-accept-encoding", "gzip", "grpc-encoding", "identity")).toEqual({
    timeoutMs: 3000,
    acceptEncoding: "gzip",
  });
});

test("a head that says more, or says it wrong, is not plain", () => {
  expect(read("grpc-encoding", "gzip")).toBeUndefined();
  expect(read("grpc-timeout", "3")).toBeUndefined();
  expect(read("connect-timeout-ms", "3")).toBeUndefined();
  for (const [name, value] of [
    ["content-type", "application/grpc"],
    ["grpc-timeout", "3S"],
    ["grpc-encoding", "identity"],
    ["grpc-accept-encoding", "gzip"],
  ] as const) {
    expect(read(name, value)).toBeDefined();
    expect(read(name, value, name, value)).toBeUndefined();
  }
});

test("the first encoding that a caller takes and the server knows is chosen, whatever else callers say", () => {
  const encodings = new AcceptedEncodings(messageCompressions(1000));
  for (let i = 0; i < 200; i++) {
    expect(encodings.of(undefined)).toBeUndefined();
    expect(encodings.of("")).toBeUndefined();
    expect(encodings.of(`identity, x${i}`)).toBeUndefined();
    expect(encodings.of("identity,deflate, gzip")?.name).toBe("gzip");
    expect(encodings.of("br, gzip")?.name).toBe("br");
  }
});
