import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { PredictResponseSchema } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { binaryCheck, jsonCheck, UNCHECKED } from "../../../../src/load/protocol/answer-check.ts";
import type { CallAnswer, CallForm } from "../../../../src/load/protocol/call-form.ts";
import { connectForm } from "../../../../src/load/protocol/connect.ts";
import { grpcForm } from "../../../../src/load/protocol/grpc.ts";
import { grpcWebForm } from "../../../../src/load/protocol/grpc-web.ts";
import { predictForm } from "../../../../src/load/protocol/predict.ts";
import { framed } from "../../../../src/wire/grpc-frame.ts";

const NO_BYTES = new Uint8Array(0);
const grpc = grpcForm(NO_BYTES, UNCHECKED);
const web = grpcWebForm(NO_BYTES, UNCHECKED);
const connect = connectForm("application/json", NO_BYTES, UNCHECKED);
const predict = predictForm(NO_BYTES, UNCHECKED);

function answer(
  status: number,
  body: string | Uint8Array,
  head: Record<string, string> = {},
  trailers: Record<string, string> = {},
): CallAnswer {
  return { status, body: Buffer.from(body), field: (name) => head[name], trailer: (name) => trailers[name] };
}

function webAnswer(...frames: Uint8Array[]): CallAnswer {
  return answer(200, Buffer.concat(frames), { "content-type": "application/grpc-web+proto" });
}

test("OK in gRPC is a whole message and the status 0", () => {
  const ok = { "grpc-status": "0" };
  expect(grpc.failure(answer(200, framed(0, Buffer.from("ab")), {}, ok))).toBeUndefined();
  const odd: [Uint8Array, string][] = [
    [NO_BYTES, "OK came without a message"],
    [framed(1, NO_BYTES), "a compressed message"],
    [framed(0, Buffer.from("abc")).subarray(0, 7), "cut off"],
  ];
  for (const [body, message] of odd)
    expect(grpc.failure(answer(200, body, {}, ok))).toMatchObject({
      code: "INTERNAL",
      message: expect.stringContaining(message),
    });
});

test("a status of gRPC stands behind the body, or in the head where there is none", () => {
  const status = { "grpc-status": "8", "grpc-message": "too%20much" };
  const failure = { code: "RESOURCE_EXHAUSTED", reason: "", message: "too much" };
  expect(grpc.failure(answer(200, "", {}, status))).toEqual(failure);
  expect(grpc.failure(answer(200, "", status))).toEqual(failure);
  expect(grpc.failure(answer(200, "", {}, { "grpc-status": "x" }))).toMatchObject({ code: "INTERNAL" });
});

test("gRPC-Web has its status in a frame of the body", () => {
  const message = framed(0, Buffer.from("ab"));
  const trailer = (text: string) => framed(0x80, Buffer.from(text));
  expect(web.failure(webAnswer(message, trailer("grpc-status: 0\r\n")))).toBeUndefined();
  expect(web.failure(webAnswer(trailer("grpc-status: 0\r\n")))).toMatchObject({ code: "INTERNAL" });
  expect(web.failure(webAnswer(message))).toMatchObject({
    message: expect.stringContaining("without trailers"),
  });
  expect(web.failure(webAnswer(message.subarray(0, 6)))).toMatchObject({
    message: expect.stringContaining("cut off"),
  });
  expect(web.failure(webAnswer(trailer("Grpc-Status:5\r\ngrpc-message: no%20model\r\n")))).toEqual({
    code: "NOT_FOUND",
    reason: "",
    message: "no model",
  });
});

test("an error of Connect is told by its code, one l or two, with details or without", () => {
  const error = (body: object) => connect.failure(answer(499, JSON.stringify(body)));
  expect(error({ code: "canceled", message: "gone" })).toEqual({
    code: "CANCELLED",
    reason: "",
    message: "gone",
  });
  expect(error({ code: "internal", details: [{ type: "google.rpc.ErrorInfo", value: "" }] })).toMatchObject({
    code: "INTERNAL",
    reason: "",
  });
  expect(error({ message: "no code" })).toMatchObject({ code: "HTTP 499" });
});

test("an error of /predict is a sentence with its reason, or a list", () => {
  const error = (body: object) => predict.failure(answer(429, JSON.stringify(body)));
  expect(error({ detail: "full", reason: "QUEUE_FULL" })).toEqual({
    code: "HTTP 429",
    reason: "QUEUE_FULL",
    message: "full",
  });
  expect(error({ detail: [{ loc: ["body", "x"], msg: "Field required" }] })).toEqual({
    code: "HTTP 429",
    reason: "INVALID_REQUEST",
    message: "body.x: Field required",
  });
});

test("answers of other servers and of proxies are told as such, with what they say", () => {
  const page = answer(502, "<html>\nbad gateway", { "content-type": "text/html" });
  for (const form of [grpc, web, connect, predict] satisfies CallForm[]) {
    expect(form.failure(page)).toMatchObject({
      code: "HTTP 502",
      reason: "",
      message: expect.stringContaining("It says: <html> bad gateway"),
    });
    expect(form.failure(answer(200, "hello", { "content-type": "text/plain" }))).toMatchObject({
      code: "HTTP 200",
    });
  }
});

test("a message is checked by a score for each row, or by outputs of a model that has no score", () => {
  const encoded = (fields: MessageInitShape<typeof PredictResponseSchema>) =>
    toBinary(PredictResponseSchema, create(PredictResponseSchema, fields));
  const check = binaryCheck(2);
  expect(check(encoded({ scores: [1, 2] }))).toBeUndefined();
  expect(check(encoded({ outputs: [{ name: "y" }] }))).toBeUndefined();
  expect(check(encoded({ scores: [1] }))?.message).toContain("1 score came for 2 rows");
  expect(check(encoded({}))?.message).toContain("0 scores came for 2 rows");
  expect(check(Buffer.from("no protobuf"))?.code).toBe("INTERNAL");
  expect(jsonCheck(1)(Buffer.from('{"scores": [1]}'))).toBeUndefined();
  expect(jsonCheck(1)(Buffer.from("{"))?.code).toBe("INTERNAL");
});
