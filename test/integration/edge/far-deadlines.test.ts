import { connect } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { Edge } from "../../../src/edge/edge.ts";
import { framed } from "../../support/clients/wire-octets.ts";
import { type FakeScoring, LIMITS, startEdge } from "../../support/servers/fake-services.ts";

const WATCH = "/grpc.health.v1.Health/Watch";
const PREDICT = "/assay.v1.ScoringService/Predict";
const STREAM = "/assay.v1.ScoringService/PredictStream";
const FAR = ["597H", "1000H", "99999999H", "99999999M", "2147484S"];

let edge: Edge;
let port: number;
let scoring: FakeScoring;
beforeAll(async () => {
  ({ edge, port, scoring } = await startEdge());
});
afterAll(() => edge.close());

/** Opens a call and gives what came first: a message, or the status that ended it. */
async function first(path: string, timeout: string, body: Buffer, whole = true) {
  const session = connect(`http://127.0.0.1:${port}`);
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    "grpc-timeout": timeout,
  });
  stream.on("error", () => {});
  stream.write(body);
  if (whole) stream.end();
  const came = await new Promise((resolve) => {
    stream.once("data", () => resolve("message"));
    stream.once("trailers", (fields) => resolve(fields["grpc-status"]));
    stream.once("response", (fields) => {
      if (fields["grpc-status"] !== undefined) resolve(fields["grpc-status"]);
    });
  });
  return { came, stream, session };
}

describe.each(FAR)("a deadline of %s, beyond Node's timers", (timeout) => {
  test("lets a unary call be answered", async () => {
    const bytes = toBinary(PredictRequestSchema, create(PredictRequestSchema, { features: [1] }));
    const { came, session } = await first(PREDICT, timeout, framed(0, bytes));
    expect(came).toBe("message");
    session.destroy();
  });

  test("lets a health watch stay open", async () => {
    const { came, stream, session } = await first(WATCH, timeout, framed(0, Buffer.alloc(0)));
    expect(came).toBe("message");
    await new Promise((resolve) => session.ping(resolve));
    expect(stream.closed).toBe(false);
    session.destroy();
  });

  test("lets a bidi stream stay open", async () => {
    const { came, stream, session } = await first(STREAM, timeout, framed(0, Buffer.of(8, 7)), false);
    expect(came).toBe("message");
    await new Promise((resolve) => session.ping(resolve));
    expect(stream.closed).toBe(false);
    session.destroy();
  });
});

test.each(["2147483647", "2147483648", "9999999999"])(
  "connect-timeout-ms: %s lets calls be answered",
  async (timeout) => {
    const headers = { "content-type": "application/json", "connect-timeout-ms": timeout };
    const url = `http://127.0.0.1:${port}${PREDICT}`;
    const response = await fetch(url, { method: "POST", headers, body: '{"features":[1,2]}' });
    expect(await response.json()).toMatchObject({ scores: [3] });
    expect(scoring.calls.at(-1)!.deadlineAt - performance.now()).toBeLessThanOrEqual(LIMITS.callTimeoutMs);
  },
);

test("a timeout that is malformed is still refused", async () => {
  const { came, session } = await first(PREDICT, "1000h", framed(0, Buffer.alloc(0)));
  expect(came).toBe("3");
  session.destroy();
});
