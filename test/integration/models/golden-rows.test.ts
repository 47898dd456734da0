import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import {
  type PredictRequest,
  PredictRequestSchema,
  type PredictResponse,
  PredictResponseSchema,
  ScoringService,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import {
  expectGolden,
  type GoldenCase,
  goldenCases,
  goldenRequest,
  goldenRows,
  singleRows,
} from "../../support/models/golden-rows.ts";
import { fileServer } from "../../support/servers/tested-servers.ts";

const cases = goldenCases("models");
const server = await fileServer("models");

type Predict = (request: PredictRequest) => Promise<PredictResponse>;

function over(make: (url: string) => Transport): () => Predict {
  return () => {
    const client = createClient(ScoringService, make(server.url));
    return (request) => client.predict(request);
  };
}

const protocols: Record<string, () => Predict> = {
  "gRPC, HTTP/2": over((baseUrl) => createGrpcTransport({ baseUrl })),
  "gRPC-Web, HTTP/1.1": over((baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })),
  "Connect binary, HTTP/2": over((baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2" })),
  "Connect JSON, HTTP/1.1": over((baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false }),
  ),
  "Connect GET, HTTP/1.1": over((baseUrl) =>
    createConnectTransport({ baseUrl, httpVersion: "1.1", useHttpGet: true }),
  ),
  "bidi stream, gRPC": () => {
    const client = createClient(ScoringService, createGrpcTransport({ baseUrl: server.url }));
    return async (request) => {
      async function* items() {
        yield { itemId: 7n, request };
      }
      for await (const { itemId, result } of client.predictStream(items())) {
        expect(itemId).toBe(7n);
        if (result.case === "response") return result.value;
        throw new Error(JSON.stringify(result.value));
      }
      throw new Error("the stream ended without an answer");
    };
  },
  "plain /predict": () => async (request) => {
    const { modelName, ...rest } = toJson(PredictRequestSchema, request) as { modelName: string };
    const response = await fetch(`${server.url}/predict/${modelName}`, {
      method: "POST",
      body: JSON.stringify(rest),
    });
    const text = await response.text();
    if (response.status !== 200) throw new Error(text);
    return fromJson(PredictResponseSchema, JSON.parse(text) as JsonValue);
  },
  "PredictRows, gRPC-Web": () => {
    const baseUrl = server.url;
    const client = createClient(ScoringService, createGrpcWebTransport({ baseUrl, httpVersion: "1.1" }));
    return async (request) => {
      for await (const { result } of client.predictRows({ items: [{ itemId: 1n, request }] })) {
        if (result.case === "response") return result.value;
        throw new Error(JSON.stringify(result.value));
      }
      throw new Error("the stream ended without an answer");
    };
  },
};

function message(json: unknown): PredictRequest {
  return fromJson(PredictRequestSchema, json as JsonValue);
}

async function check(predict: Predict, golden: GoldenCase, raw: boolean): Promise<void> {
  const response = await predict(message(goldenRequest(golden, raw)));
  expectGolden(toJson(PredictResponseSchema, response), golden);
}

test("there are golden rows for four models", () => {
  expect(new Set(cases.map((golden) => golden.model))).toEqual(
    new Set(["census", "digits", "housing", "iris"]),
  );
});

describe.each(Object.keys(protocols))("%s", (name) => {
  test("each golden case comes back within its tolerance, typed and raw", async () => {
    const predict = protocols[name]!();
    for (const golden of cases) {
      await check(predict, golden, false);
      await check(predict, golden, true);
    }
  });

  test("each golden row sent alone comes back within its tolerance", async () => {
    const predict = protocols[name]!();
    for (const golden of cases.flatMap(singleRows)) await check(predict, golden, false);
  });

  test("64 concurrent callers of all models get their own rows", async () => {
    const predict = protocols[name]!();
    const callers = Array.from({ length: 64 }, async (_, caller) => {
      for (let i = 0; i < 4; i++) await check(predict, cases[(caller * 7 + i) % cases.length]!, i % 2 === 0);
    });
    await Promise.all(callers);
  });
});

test("rows by column name give what tensors give", async () => {
  const predict = protocols["gRPC, HTTP/2"]!();
  for (const golden of cases.filter((one) => one.model === "census")) {
    const response = await predict(message(goldenRows(golden)));
    expectGolden(toJson(PredictResponseSchema, response), golden);
  }
});

test("features give what tensors give", async () => {
  const predict = protocols["gRPC, HTTP/2"]!();
  const golden = cases.find((one) => one.model === "iris")!;
  const [features] = [golden.inputs[0]!.data.slice(0, golden.inputs[0]!.shape[1])];
  const one = { ...golden.inputs[0]!, shape: [1, 4], data: features! };
  const tensors = await predict(message(goldenRequest({ ...golden, inputs: [one] })));
  const plain = await predict(message({ modelName: "iris", features }));
  expect(plain.scores).toEqual(tensors.scores);
  expect(plain.labels).toEqual(tensors.labels);
});
