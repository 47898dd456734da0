import { toBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import {
  BadRequest_FieldViolationSchema,
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../../../../gen/google/rpc/error_details_pb.ts";
import {
  CALL_CUT,
  cutViolations,
  ITEM_CUT,
  publicMessage,
  retryAfterSeconds,
  toConnectError,
  toItemStatus,
} from "../../../../src/edge/call/error-details.ts";
import { AssayError, type Violation } from "../../../../src/errors.ts";

function violations(count: number, description = "wrong"): Violation[] {
  return Array.from({ length: count }, (_, i) => ({
    field: `features[${i}]`,
    description,
    rule: "value.nan",
  }));
}

test("a call carries 20 violations at most, an item all that fit 64 KiB", () => {
  expect(cutViolations(violations(50), CALL_CUT)).toHaveLength(20);
  expect(cutViolations(violations(50), ITEM_CUT)).toHaveLength(50);
});

test.each([
  [CALL_CUT, 4096],
  [ITEM_CUT, 65_536],
])("the encoded violations stay under the limit in bytes, and the first are kept", (cut, maxBytes) => {
  const kept = cutViolations(violations(200, "x".repeat(500)), cut);
  const bytes = kept.reduce((sum, each) => sum + toBinary(BadRequest_FieldViolationSchema, each).length, 0);
  expect(bytes).toBeLessThanOrEqual(maxBytes);
  expect(bytes).toBeGreaterThan(maxBytes * 0.8);
  expect(kept[0]!.field).toBe("features[0]");
});

test("one violation is kept whatever its length, and shortened", () => {
  const kept = cutViolations(violations(1, "x".repeat(100_000)), CALL_CUT);
  expect(kept).toHaveLength(1);
  expect(kept[0]!.description).toHaveLength(1000);
});

test("the trailers of the largest error stay under the 8 KiB that clients take", () => {
  const error = new AssayError(Reason.INVALID_REQUEST, "m".repeat(5000), {
    violations: violations(1000, "x".repeat(990)),
  });
  const details = toConnectError(error, "grpc").details as { desc: never; value: never }[];
  const bytes = details.reduce((sum, { desc, value }) => sum + toBinary(desc, value).length, 0);
  expect((bytes + publicMessage(error).length) * (4 / 3) + publicMessage(error).length).toBeLessThan(8192);
});

test("an error has its reason, the number of all violations, and RetryInfo where trying again helps", () => {
  const error = new AssayError(Reason.QUEUE_FULL, "full", {
    retryAfterMs: 1250,
    violations: violations(2),
    violationCount: 77,
  });
  const { code, details } = toItemStatus(error);
  expect(code).toBe(Code.ResourceExhausted);
  expect(anyUnpack(details[0]!, ErrorInfoSchema)).toMatchObject({
    domain: "assay",
    reason: "QUEUE_FULL",
    metadata: { violation_count: "77" },
  });
  expect(anyUnpack(details[1]!, BadRequestSchema)!.fieldViolations).toHaveLength(2);
  expect(anyUnpack(details[2]!, RetryInfoSchema)!.retryDelay).toMatchObject({
    seconds: 1n,
    nanos: 250_000_000,
  });
});

test("Connect errors carry Retry-After in whole seconds, gRPC errors do not", () => {
  const error = new AssayError(Reason.QUEUE_FULL, "full", { retryAfterMs: 1250 });
  expect(toConnectError(error, "connect").metadata.get("retry-after")).toBe("2");
  expect(toConnectError(error, "grpc").metadata.get("retry-after")).toBeNull();
  expect(retryAfterSeconds(1)).toBe("1");
});

test("clients that try again by code are told not to where the message is too large", () => {
  const pushback = (reason: Reason, protocol: string) =>
    toConnectError(new AssayError(reason, "no"), protocol).metadata.get("grpc-retry-pushback-ms");
  expect(pushback(Reason.MESSAGE_TOO_LARGE, "grpc")).toBe("-1");
  expect(pushback(Reason.MESSAGE_TOO_LARGE, "connect")).toBeNull();
  expect(pushback(Reason.QUEUE_FULL, "grpc")).toBeNull();
});
