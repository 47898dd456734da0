import { connect } from "node:http2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Edge } from "../../../src/edge/edge.ts";
import { rawConnection } from "../../support/clients/raw-connection.ts";
import { type FakeScoring, startEdge } from "../../support/servers/fake-services.ts";

const PREDICT = "/assay.v1.ScoringService/Predict";
const STREAM = "/assay.v1.ScoringService/PredictStream";

interface Answer {
  status: number;
  grpcStatus: string | undefined;
  message: string;
  body: string;
}

test.each([
  ["an unknown path", "/nothing", "content-type: application/json", 404],
  ["an unknown content type", PREDICT, "content-type: text/csv", 415],
  ["too large a body", PREDICT, "content-type: application/json", 429],
  ["too large a plain body", "/predict", "content-type: application/json", 413],
])(
  "over HTTP/1.1 %s is answered early, and the connection serves the next call",
  async (_, path, field, status) => {
    const { edge, port } = await startEdge({ limits: { maxMessageBytes: 50_000 } });
    const raw = await rawConnection(port);
    const body = "x".repeat(200_000);
    raw.write(`POST ${path} HTTP/1.1\r\nhost: a\r\n${field}\r\ntransfer-encoding: chunked\r\n\r\n`);
    raw.write(`${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
    await raw.until((text) => text.startsWith(`HTTP/1.1 ${status} `));
    raw.write("GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    expect((await raw.closed()).toString()).toContain('{"status":"live"}');
    await edge.close();
  },
);

describe.each(["assay", "node"] as const)("over %s", (http2Engine) => {
  let edge: Edge;
  let url: string;
  let scoring: FakeScoring;
  beforeAll(async () => {
    const started = await startEdge({ http2Engine, limits: { bodyTimeoutMs: 500 } });
    ({ edge, scoring } = started);
    url = `http://127.0.0.1:${started.port}`;
  });
  afterAll(() => edge.close());

  /** Sends one request as it is, over HTTP/2. */
  function send(path: string, fields: Record<string, string>, body: Buffer | undefined): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const session = connect(url);
      session.once("error", reject);
      const stream = session.request({ ":method": "POST", ":path": path, ...fields });
      const answer: Answer = { status: 0, grpcStatus: undefined, message: "", body: "" };
      const read = (headers: Record<string, unknown>) => {
        answer.status = Number(headers[":status"] ?? answer.status);
        answer.grpcStatus = (headers["grpc-status"] as string | undefined) ?? answer.grpcStatus;
        answer.message = (headers["grpc-message"] as string | undefined) ?? answer.message;
      };
      stream.on("response", read);
      stream.on("trailers", read);
      stream.setEncoding("latin1").on("data", (text: string) => {
        answer.body += text;
      });
      stream.on("error", () => {});
      stream.once("close", () => session.close(() => resolve(answer)));
      if (body !== undefined) stream.end(body);
    });
  }

  const grpc = { "content-type": "application/grpc+proto", te: "trailers" };
  const connectProto = { "content-type": "application/proto" };
  const connectJson = { "content-type": "application/json" };

  function frame(payload: Buffer, length = payload.length, flags = 0): Buffer {
    const bytes = Buffer.alloc(5 + payload.length);
    bytes[0] = flags;
    bytes.writeUInt32BE(length, 1);
    bytes.set(payload, 5);
    return bytes;
  }
  const noise = Buffer.from("ff9a0380ffffffff1102", "hex");
  const invalidUtf8 = Buffer.from("0a02c328", "hex");

  test.each<[string, string, Record<string, string>, Buffer, Partial<Record<keyof Answer, unknown>>]>([
    [
      "a frame that is cut off",
      PREDICT,
      grpc,
      frame(Buffer.alloc(3), 30),
      { grpcStatus: "3", message: expect.stringMatching(/incomplete/) },
    ],
    [
      "a frame whose length is 4 GiB",
      PREDICT,
      grpc,
      frame(Buffer.alloc(3), 0xffffffff),
      { grpcStatus: "8", message: expect.stringMatching(/max-message-bytes/) },
    ],
    ["half a frame header", PREDICT, grpc, Buffer.from([0, 0]), { grpcStatus: "3" }],
    ["no message", PREDICT, grpc, Buffer.alloc(0), { grpcStatus: "12" }],
    [
      "random bytes for a message",
      PREDICT,
      grpc,
      frame(noise),
      { grpcStatus: "3", message: expect.stringMatching(/no protobuf of assay/) },
    ],
    ["invalid UTF-8", PREDICT, grpc, frame(invalidUtf8), { grpcStatus: "3" }],
    [
      "a compressed frame without an encoding",
      PREDICT,
      grpc,
      frame(noise, noise.length, 1),
      { grpcStatus: "13", message: expect.stringMatching(/compress/) },
    ],
    [
      "bytes that are not gzip",
      PREDICT,
      { ...grpc, "grpc-encoding": "gzip" },
      frame(noise, noise.length, 1),
      { grpcStatus: "3", message: expect.stringMatching(/not valid gzip/) },
    ],
    [
      "an unknown encoding",
      PREDICT,
      { ...grpc, "grpc-encoding": "zstd" },
      frame(noise),
      { grpcStatus: "12", message: expect.stringMatching(/zstd/) },
    ],
    [
      "an unknown method",
      "/assay.v1.ScoringService/Nothing",
      grpc,
      frame(noise),
      { status: 200, grpcStatus: "12", message: expect.stringMatching(/Nothing/) },
    ],
    ["an unknown service", "/none.v1.Service/Predict", grpc, frame(noise), { status: 200, grpcStatus: "12" }],
    [
      "a timeout that is none",
      PREDICT,
      { ...grpc, "grpc-timeout": "soon" },
      frame(noise),
      { grpcStatus: "3", message: expect.stringMatching(/timeout/) },
    ],
    ["random bytes in a stream", STREAM, grpc, frame(noise), { grpcStatus: "3" }],
    [
      "random bytes in Connect",
      PREDICT,
      connectProto,
      noise,
      { status: 400, body: expect.stringMatching(/no protobuf of assay/) },
    ],
    [
      "broken JSON in Connect",
      PREDICT,
      connectJson,
      Buffer.from("{"),
      { status: 400, body: expect.stringMatching(/JSON/) },
    ],
    [
      "a wrong type in Connect's JSON",
      PREDICT,
      connectJson,
      Buffer.from('{"features":["a"]}'),
      { status: 400, body: expect.stringMatching(/features/) },
    ],
    [
      "an unknown content type",
      PREDICT,
      { "content-type": "text/csv" },
      Buffer.from("1,2"),
      { status: 415, body: expect.stringMatching(/application\/json/) },
    ],
    [
      "an unknown content encoding",
      PREDICT,
      { ...connectJson, "content-encoding": "zstd" },
      noise,
      { status: 501, body: expect.stringMatching(/zstd/) },
    ],
    [
      "an unknown path",
      "/predictions",
      connectJson,
      Buffer.from("{}"),
      { status: 404, body: expect.stringMatching(/POST \/predict/) },
    ],
    [
      "a wrong method",
      "/livez",
      connectJson,
      Buffer.from("{}"),
      { status: 405, body: expect.stringMatching(/GET/) },
    ],
    [
      "invalid UTF-8 in JSON",
      "/predict",
      connectJson,
      Buffer.from([0x7b, 0xff, 0x7d]),
      { status: 422, body: expect.stringMatching(/json_invalid/) },
    ],
    [
      "no body",
      "/predict",
      connectJson,
      Buffer.alloc(0),
      { status: 422, body: expect.stringMatching(/missing/) },
    ],
    [
      "a list for a body",
      "/predict",
      connectJson,
      Buffer.from("[1]"),
      { status: 422, body: expect.stringMatching(/model_attributes_type/) },
    ],
    [
      "an unknown encoding of a plain body",
      "/predict",
      { "content-encoding": "zstd" },
      noise,
      { status: 415, body: expect.stringMatching(/zstd.*takes one of gzip, deflate, br, or none/) },
    ],
    ["a path that is no path", "/predict/%ff", connectJson, Buffer.from('{"features":[1]}'), { status: 200 }],
  ])("%s is refused clearly, and the next call works", async (_, path, fields, body, expected) => {
    expect(await send(path, fields, body)).toMatchObject(expected);
    expect(await send("/predict", connectJson, Buffer.from('{"features":[1,2]}'))).toMatchObject({
      status: 200,
    });
  });

  test("a caller that sends no body and never ends is answered in time", async () => {
    expect(await send(PREDICT, grpc, undefined)).toMatchObject({
      grpcStatus: "4",
      message: expect.stringContaining("(body-timeout-ms)"),
    });
  });

  test("1,000 resets leave no call behind, and the next call works", async () => {
    const session = connect(url);
    session.on("error", () => {});
    const ended = new Promise<void>((resolve) => session.once("close", () => resolve()));
    for (let i = 0; i < 1000 && !session.destroyed; i++) {
      const stream = session.request({ ":method": "POST", ":path": "/predict/hang" });
      stream.on("error", () => {});
      stream.write('{"features":[1]}');
      stream.close(8);
    }
    session.close();
    await ended;
    expect(scoring.hanging.size).toBe(0);
    expect(await send("/predict", connectJson, Buffer.from('{"features":[1,2]}'))).toMatchObject({
      status: 200,
    });
  });
});
