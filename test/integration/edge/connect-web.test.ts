import { Code, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import type { Edge } from "../../../src/edge/edge.ts";
import { startEdge } from "../../support/servers/fake-services.ts";

let edge: Edge;
let baseUrl: string;
beforeAll(async () => {
  const started = await startEdge();
  edge = started.edge;
  baseUrl = `http://127.0.0.1:${started.port}`;
});
afterAll(() => edge.close());

// As a page makes them: no registry, no options.
describe.each([
  ["Connect with JSON, its default", () => createConnectTransport({ baseUrl })],
  ["Connect with binary messages", () => createConnectTransport({ baseUrl, useBinaryFormat: true })],
  ["gRPC-Web with JSON", () => createGrpcWebTransport({ baseUrl, useBinaryFormat: false })],
  ["gRPC-Web", () => createGrpcWebTransport({ baseUrl })],
])("connect-web over %s", (_, transport) => {
  test("reads a stream of rows with bad ones whole", async () => {
    const client = createClient(ScoringService, transport());
    const items = [1, 2, 3, 4].map((id) => ({
      itemId: BigInt(id),
      request: { modelName: ["sum", "invalid", "full", "sum"][id - 1]!, features: [id] },
    }));
    const seen: unknown[] = [];
    for await (const { itemId, result } of client.predictRows({ items })) {
      seen.push([itemId, result.case === "status" ? result.value.code : result.value?.scores]);
    }
    expect(seen).toEqual([
      [1n, [1]],
      [2n, Code.InvalidArgument],
      [3n, Code.ResourceExhausted],
      [4n, [4]],
    ]);
  });

  test("reads the details of a unary error", async () => {
    const client = createClient(ScoringService, transport());
    const refused = client.predict({ modelName: "invalid", features: [1] });
    const error = await refused.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: Code.InvalidArgument });
    expect(
      (error as { findDetails: (desc: unknown) => unknown[] }).findDetails(ErrorInfoSchema),
    ).toMatchObject([{ reason: "INVALID_REQUEST" }]);
  });
});

test("a bad item in JSON tells its reason, its violations and when to come again, in fields of its own", async () => {
  const client = createClient(ScoringService, createConnectTransport({ baseUrl }));
  const items = ["invalid", "full"].map((modelName) => ({ request: { modelName, features: [1, 2] } }));
  const errors = [];
  for await (const { error } of client.predictRows({ items })) errors.push(error);
  expect(errors).toMatchObject([
    {
      reason: "INVALID_REQUEST",
      violationCount: 2,
      violations: [
        { field: "features[0]", description: "NaN is refused by this model" },
        { field: "features[1]" },
      ],
    },
    { reason: "QUEUE_FULL", violationCount: 0, retryDelay: { seconds: 0n, nanos: 250_000_000 } },
  ]);
});
