import { create, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { StatusSchema } from "../../../gen/google/rpc/status_pb.ts";
import { toItemStatus } from "../../../src/edge/call/error-details.ts";
import { errorRow } from "../../../src/edge/call/error-table.ts";
import { AssayError } from "../../../src/errors.ts";
import { percentDecoded, statusError, statusOf } from "../../../src/wire/grpc-status.ts";

const REASONS: Reason[] = Object.values(Reason).filter((reason) => reason !== Reason.REASON_UNSPECIFIED);

test.each(REASONS)("reason %i comes back as the server sent it", (reason) => {
  const violations = [{ field: "inputs[0].raw_contents[3]", description: "is NaN", rule: "signature.nan" }];
  const sent = new AssayError(reason, "what came; what was expected", { violations, violationCount: 40 });
  const came = statusError(toItemStatus(sent));
  expect(came).toBeInstanceOf(AssayError);
  expect(came).toMatchObject({ reason, message: sent.message, violations, violationCount: 40 });
  expect(came.retryAfterMs).toBe(errorRow(reason).retryAfterMs);
});

test("a delay of the error's own is kept to the millisecond", () => {
  const sent = new AssayError(Reason.QUEUE_FULL, "full", { retryAfterMs: 12_345 });
  expect(statusError(toItemStatus(sent)).retryAfterMs).toBe(12_345);
});

test.each([
  [3, Reason.INVALID_REQUEST],
  [4, Reason.DEADLINE_EXCEEDED],
  [5, Reason.MODEL_NOT_FOUND],
  [8, Reason.QUEUE_FULL],
  [12, Reason.UNIMPLEMENTED],
  [13, Reason.INTERNAL],
  [14, Reason.SERVER_UNREACHABLE],
  [16, Reason.CONFIG_INVALID],
  [99, Reason.INTERNAL],
])("a status %i without ErrorInfo has the nearest reason", (code, reason) => {
  const error = statusError(create(StatusSchema, { code }));
  expect(error.reason).toBe(reason);
  expect(error.message).toBe(`the server answered with gRPC status ${code}`);
});

test.each([
  "grpc: received message larger than max (5242880 vs. 4194304)",
  "Received message exceeds the maximum configured message size 4194304",
  "Sent message larger than max (10 vs. 5)",
])("RESOURCE_EXHAUSTED for a message that will never fit is no full queue: %s", (message) => {
  expect(statusError(create(StatusSchema, { code: 8, message })).reason).toBe(Reason.MESSAGE_TOO_LARGE);
});

test("a status is read from trailers, with details where there are some", () => {
  const status = toItemStatus(new AssayError(Reason.QUEUE_FULL, "die Schlange ist voll: 100 %"));
  const trailers = {
    "grpc-status": "8",
    "grpc-message": "die Schlange ist voll: 100 %25",
    "grpc-status-details-bin": Buffer.from(toBinary(StatusSchema, status))
      .toString("base64")
      .replace(/=+$/, ""),
  };
  expect(toBinary(StatusSchema, statusOf(trailers)!)).toEqual(toBinary(StatusSchema, status));
  expect(statusOf({ ...trailers, "grpc-status-details-bin": "AAAA" })).toMatchObject({
    code: 8,
    details: [],
  });
  expect(statusOf({})).toBeUndefined();
  expect(statusOf({ "grpc-status": "x" })).toBeUndefined();
});

test("grpc-message is percent-decoded, and stays as it is where it is no valid encoding", () => {
  expect(percentDecoded("sch%C3%B6n 100%25")).toBe("schön 100%");
  expect(percentDecoded("100%")).toBe("100%");
  expect(percentDecoded("%FF")).toBe("%FF");
});
