import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { expect, test } from "vitest";
import {
  type PredictStreamRequest,
  PredictStreamRequestSchema,
  ScoringService,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import { ErrorInfoSchema, RetryInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { startAppServer } from "../../support/servers/app-server.ts";

const MODELS = fileURLToPath(new URL("../../../models", import.meta.url));
const WAYS: [string, "assay" | "node", (baseUrl: string) => Transport][] = [
  ["gRPC over assay", "assay", (baseUrl) => createGrpcTransport({ baseUrl })],
  ["gRPC over node:http2", "node", (baseUrl) => createGrpcTransport({ baseUrl })],
  ["Connect over assay", "assay", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "2" })],
];

test.each(WAYS)(
  "%s: a stream is answered what it sent, then ends UNAVAILABLE with RetryInfo",
  async (_, http2Engine, make) => {
    const { app, url } = await startAppServer(MODELS, {}, { http2Engine });
    const client = createClient(ScoringService, make(url));
    const requests = new PassThrough({ objectMode: true });
    const responses = client.predictStream(requests)[Symbol.asyncIterator]();
    for (let i = 1; i <= 20; i++) requests.write(item(BigInt(i)));
    expect((await responses.next()).value).toMatchObject({ itemId: 1n });
    const drained = app.drain();
    const answered = [1n];
    const error = await (async () => {
      try {
        for (;;) {
          const { done, value } = await responses.next();
          if (done) return undefined;
          expect(value.result.case).toBe("response");
          answered.push(value.itemId);
        }
      } catch (thrown) {
        return thrown as ConnectError;
      }
    })();
    expect(answered).toEqual(Array.from({ length: answered.length }, (_, i) => BigInt(i + 1)));
    expect(error).toBeInstanceOf(ConnectError);
    expect(error!.code).toBe(Code.Unavailable);
    expect(error!.findDetails(ErrorInfoSchema)[0]).toMatchObject({ reason: "SHUTTING_DOWN" });
    expect(error!.findDetails(RetryInfoSchema)[0]?.retryDelay).toBeDefined();
    requests.end();
    await drained;
  },
);

function item(itemId: bigint): PredictStreamRequest {
  return create(PredictStreamRequestSchema, {
    itemId,
    request: { modelName: "iris", features: [5.1, 3.5, 1.4, 0.2] },
  });
}
