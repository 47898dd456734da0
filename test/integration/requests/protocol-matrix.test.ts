import { PassThrough } from "node:stream";
import { create, createRegistry } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  PredictRequestSchema,
  type PredictStreamRequest,
  PredictStreamRequestSchema,
  type PredictStreamResponse,
  ScoringService,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../../../gen/google/rpc/error_details_pb.ts";
import type { Status } from "../../../gen/google/rpc/status_pb.ts";
import type { Edge } from "../../../src/edge/edge.ts";
import { startEdge } from "../../support/servers/fake-services.ts";

const edges = new Map<string, { edge: Edge; port: number }>();
beforeAll(async () => {
  for (const http2Engine of ["assay", "node"] as const)
    edges.set(http2Engine, await startEdge({ http2Engine }));
});
afterAll(async () => {
  for (const { edge } of edges.values()) await edge.close();
});

const detailTypes = createRegistry(BadRequestSchema, ErrorInfoSchema, RetryInfoSchema);
const transports = {
  grpc: createGrpcTransport,
  "grpc-web": createGrpcWebTransport,
  connect: createConnectTransport,
};
// gRPC is defined over HTTP/2 only, and the client knows no other.
const cases = Object.keys(transports).flatMap((protocol) =>
  (protocol === "grpc" ? (["2"] as const) : (["1.1", "2"] as const)).flatMap((httpVersion) =>
    [true, false].flatMap((useBinaryFormat) =>
      [false, true].flatMap((compressed) =>
        (httpVersion === "1.1" ? ["node"] : ["assay", "node"]).map((engine) => ({
          protocol,
          httpVersion,
          engine,
          useBinaryFormat,
          compressed,
        })),
      ),
    ),
  ),
);

describe.each(cases)(
  "$protocol, HTTP/$httpVersion ($engine), binary $useBinaryFormat, gzip $compressed",
  (how) => {
    function transport(): Transport {
      const make = transports[how.protocol as keyof typeof transports] as typeof createConnectTransport;
      return make({
        baseUrl: `http://127.0.0.1:${edges.get(how.engine)!.port}`,
        httpVersion: how.httpVersion,
        useBinaryFormat: how.useBinaryFormat,
        ...(how.compressed ? { sendCompression: compressionGzip, compressMinBytes: 0 } : {}),
        acceptCompression: how.compressed ? [compressionGzip] : [],
      });
    }
    const client = () => createClient(ScoringService, transport());

    test("a unary call is answered with the same message", async () => {
      const response = await client().predict({ features: [1, 2, 3.5], requestId: "a" });
      expect(response).toMatchObject({
        modelName: "sum",
        modelVersion: "1",
        requestId: "a",
        scores: [6.5],
        labels: ["é"],
      });
    });

    test("violations are the same: 20 in order, and the count of all", async () => {
      const error = await failure(
        client().predict({ modelName: "invalid", features: new Array(30).fill(0) }),
      );
      expect(error.code).toBe(Code.InvalidArgument);
      expect(error.rawMessage).toBe("features[0]: NaN (and 29 more)");
      expect(error.findDetails(ErrorInfoSchema)).toMatchObject([
        { domain: "assay", reason: "INVALID_REQUEST", metadata: { violation_count: "30" } },
      ]);
      const violations = error.findDetails(BadRequestSchema)[0]!.fieldViolations;
      expect(violations.map(({ field }) => field)).toEqual(
        Array.from({ length: 20 }, (_, i) => `features[${i}]`),
      );
      expect(violations[0]).toMatchObject({
        description: "NaN is refused by this model",
        reason: "value.nan",
      });
    });

    test("a full queue is RESOURCE_EXHAUSTED with RetryInfo", async () => {
      const error = await failure(client().predict({ modelName: "full", features: [1] }));
      expect(error.code).toBe(Code.ResourceExhausted);
      expect(error.findDetails(RetryInfoSchema)[0]?.retryDelay).toMatchObject({
        seconds: 0n,
        nanos: 250_000_000,
      });
    });

    test("a server stream answers each item, the bad one with its status", async () => {
      const items = [item(1n, "sum", [1, 2]), item(2n, "invalid", [1, 2]), item(3n, "sum", [4])];
      const responses = await collect(client().predictRows({ items }));
      expect(responses.map(({ itemId, result }) => [itemId, result.case])).toEqual([
        [1n, "response"],
        [2n, "status"],
        [3n, "response"],
      ]);
      expectInvalid(responses[1]!, 2, how.useBinaryFormat);
    });

    if (how.httpVersion === "2")
      test("a bidi stream answers each item before the next is sent", async () => {
        const requests = new PassThrough({ objectMode: true });
        const responses = client().predictStream(requests)[Symbol.asyncIterator]();
        for (let i = 1; i <= 3; i++) {
          requests.write(item(BigInt(i), "sum", [i, i]));
          const { value } = await responses.next();
          expect(value).toMatchObject({
            itemId: BigInt(i),
            result: { case: "response", value: { scores: [2 * i] } },
          });
        }
        requests.write(item(4n, "invalid", [1, 2, 3]));
        expectInvalid((await responses.next()).value, 3, how.useBinaryFormat);
        requests.write(item(5n, "sum", [5]));
        expect((await responses.next()).value).toMatchObject({ itemId: 5n, result: { case: "response" } });
        requests.end();
        expect((await responses.next()).done).toBe(true);
      });

    if (how.httpVersion === "1.1")
      test("a bidi stream over HTTP/1.1 is refused", async () => {
        const requests = new PassThrough({ objectMode: true });
        requests.end();
        const error = await failure(collect(client().predictStream(requests)));
        expect(error).toBeInstanceOf(ConnectError);
        // Connect's own client sends it, and the server answers 505.
        expect(error.message).toMatch(/505|bidi|HTTP version/i);
      });
  },
);

function item(itemId: bigint, modelName: string, features: number[]): PredictStreamRequest {
  return create(PredictStreamRequestSchema, {
    itemId,
    request: create(PredictRequestSchema, { modelName, features }),
  });
}

/**
 * The status of a bad item: code, message, and the same details that a unary call carries in its error; in JSON in fields of their own,
 * because a client without a registry cannot read details.
 */
function expectInvalid({ result, error }: PredictStreamResponse, count: number, isBinary: boolean): void {
  const status = result.value as Status;
  expect(status).toMatchObject({
    code: Code.InvalidArgument,
    message: `features[0]: NaN (and ${count - 1} more)`,
  });
  const details = status.details.map((detail) => anyUnpack(detail, detailTypes));
  const fieldViolations = Array.from({ length: count }, (_, i) => ({
    field: `features[${i}]`,
    description: "NaN is refused by this model",
    reason: "value.nan",
  }));
  if (!isBinary) {
    expect(details).toEqual([]);
    expect(error).toMatchObject({
      reason: "INVALID_REQUEST",
      violationCount: count,
      violations: fieldViolations,
    });
    return;
  }
  expect(error).toBeUndefined();
  expect(details).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        domain: "assay",
        reason: "INVALID_REQUEST",
        metadata: { violation_count: `${count}` },
      }),
      expect.objectContaining({
        fieldViolations: fieldViolations.map((one) => expect.objectContaining(one)),
      }),
    ]),
  );
}

async function failure(work: Promise<unknown>): Promise<ConnectError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ConnectError);
  return error as ConnectError;
}

async function collect<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const result: T[] = [];
  for await (const message of messages) result.push(message);
  return result;
}
