import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { median } from "../../../bench/statistics.ts";
import { PredictRequestSchema, ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { ModelInferRequestSchema } from "../../../gen/inference/grpc_service_pb.ts";
import { framed } from "../../../src/wire/grpc-frame.ts";
import { type ChildServer, startChildServer } from "../../support/clients/child-process.ts";
import { UnaryPeer, type UnaryScript } from "../../support/clients/unary-exchange.ts";

const ITEMS = 600;
const ROUNDS = 12;
/** An item's own objects take kilobytes; what the collector keeps for itself takes some bytes of each. */
const KEPT_BYTES = 300;

let server: ChildServer;
beforeAll(async () => {
  server = await startChildServer({});
});
afterAll(() => server.close());

/** What the old objects grew by with each item, in the middle of many rounds: a full collection makes one round's negative. */
async function growth(round: () => Promise<void>): Promise<number> {
  const growths: number[] = [];
  let before = 0;
  for (let i = 0; i < ROUNDS; i++) {
    await round();
    const now = await server.oldBytes();
    growths.push((now - before) / ITEMS);
    before = now;
  }
  return median(growths.slice(6));
}

/** Calls at a time. */
const LANES = 8;

/** Sends `ITEMS` calls, each peer one at a time. */
async function calls(peers: readonly UnaryPeer[], one: (peer: UnaryPeer) => Promise<unknown>): Promise<void> {
  let left = ITEMS;
  const lane = async (peer: UnaryPeer) => {
    while (left-- > 0) await one(peer);
  };
  await Promise.all(peers.map(lane));
}

/** A call in each form that is read by hand. */
const FEATURES = [5.1, 3.5, 1.4, 0.2];
const ROW = [{ name: "features", shape: [1, 4], datatype: "FP32", data: FEATURES }];
const FORMS: readonly [name: string, script: UnaryScript][] = [
  [
    "gRPC",
    grpc("assay.v1.ScoringService/Predict", PredictRequestSchema, { modelName: "iris", features: FEATURES }),
  ],
  [
    "ModelInfer",
    grpc("inference.GRPCInferenceService/ModelInfer", ModelInferRequestSchema, {
      modelName: "iris",
      inputs: [{ name: "features", shape: [1n, 4n], datatype: "FP32" }],
      rawInputContents: [new Uint8Array(Float32Array.from(FEATURES).buffer)],
    }),
  ],
  ["Connect JSON", json("/assay.v1.ScoringService/Predict", { modelName: "iris", features: FEATURES })],
  [
    "Connect JSON with inputs",
    json("/assay.v1.ScoringService/Predict", {
      modelName: "iris",
      inputs: [{ name: "features", datatype: "FP32", shape: [1, 4], contents: { fp32Contents: FEATURES } }],
    }),
  ],
  ["/predict", json("/predict/iris", { features: FEATURES })],
  ["Open Inference over REST", json("/v2/models/iris/infer", { inputs: ROW })],
  ["KServe v1", json("/v1/models/iris:predict", { instances: [FEATURES] })],
];

function grpc<Desc extends DescMessage>(
  path: string,
  schema: Desc,
  init: MessageInitShape<Desc>,
): UnaryScript {
  const headers = { "content-type": "application/grpc", te: "trailers" };
  return {
    version: 2,
    path: `/${path}`,
    headers,
    body: framed(0, toBinary(schema, create(schema, init))),
    cuts: [],
  };
}

function json(path: string, value: unknown): UnaryScript {
  const body = Buffer.from(JSON.stringify(value));
  const headers = { "content-type": "application/json", "content-length": String(body.length) };
  return { version: 1, path, headers, body, cuts: [] };
}

test.each(FORMS)("calls that were answered are freed by a young collection: %s", async (_name, script) => {
  const port = Number(new URL(server.url).port);
  const peers = Array.from({ length: LANES }, () => new UnaryPeer(port));
  try {
    const kept = await growth(() =>
      calls(peers, async (peer) => {
        const { status, trailers } = await peer.exchange(script);
        expect([status, trailers["grpc-status"] ?? "0"]).toEqual([200, "0"]);
      }),
    );

    expect(kept).toBeLessThan(KEPT_BYTES);
  } finally {
    for (const peer of peers) peer.close();
  }
});

test("items of a stream that were answered are freed by a young collection", async () => {
  const rawContents = new Uint8Array(Float32Array.of(5.1, 3.5, 1.4, 0.2).buffer);
  const inputs = [{ name: "features", datatype: "FP32", shape: [1n, 4n], rawContents }];
  const request = { modelName: "iris", inputs };
  async function* items() {
    for (let i = 0; i < ITEMS; i++) yield { itemId: BigInt(i + 1), request };
  }
  const client = createClient(ScoringService, createGrpcTransport({ baseUrl: server.url }));
  const kept = await growth(async () => {
    let answers = 0;
    for await (const { result } of client.predictStream(items())) {
      expect(result.case).toBe("response");
      answers++;
    }
    expect(answers).toBe(ITEMS);
  });
  expect(kept).toBeLessThan(KEPT_BYTES);
});
