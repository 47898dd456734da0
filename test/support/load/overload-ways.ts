import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { expect } from "vitest";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { ErrorInfoSchema, RetryInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { GRPCInferenceService } from "../../../gen/inference/grpc_service_pb.ts";

/** A row of iris flowers. */
const FLOWER = [5.1, 3.5, 1.4, 0.2];

/** Scores a flower, and expects its answer or the refusal of a full queue. */
export type OverloadWay = (requestId: string) => Promise<"answered" | "refused">;

/** By a Connect client. */
export function overRpc(transport: Transport): OverloadWay {
  const client = createClient(ScoringService, transport);
  return async (requestId) => {
    try {
      const response = await client.predict({ modelName: "iris", features: FLOWER, requestId });
      expect(response).toMatchObject({ requestId, labels: ["setosa"] });
      return "answered";
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      expect([error.code, error.rawMessage]).toEqual([Code.ResourceExhausted, expect.any(String)]);
      expect(error.findDetails(ErrorInfoSchema)[0]?.reason).toBe("QUEUE_FULL");
      expect(error.findDetails(RetryInfoSchema)[0]?.retryDelay).toBeDefined();
      return "refused";
    }
  };
}

/** By plain HTTP. */
export function overHttp(url: string): OverloadWay {
  return async (requestId) => {
    const body = JSON.stringify({ features: FLOWER, request_id: requestId });
    const response = await fetch(`${url}/predict/iris`, { method: "POST", body });
    const text = await response.text();
    if (response.status === 200) {
      expect(JSON.parse(text)).toMatchObject({ request_id: requestId, labels: ["setosa"] });
      return "answered";
    }
    expect([response.status, text]).toEqual([429, expect.stringContaining("QUEUE_FULL")]);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    return "refused";
  };
}

/** By a client of Open Inference REST. */
export function overInferRest(url: string): OverloadWay {
  return async (id) => {
    const input = { name: "features", datatype: "FP32", shape: [1, 4], data: FLOWER };
    const body = JSON.stringify({ id, inputs: [input], outputs: [{ name: "label" }] });
    const response = await fetch(`${url}/v2/models/iris/infer`, { method: "POST", body });
    const text = await response.text();
    if (response.status === 200) {
      expect(JSON.parse(text)).toMatchObject({ id, outputs: [{ data: ["setosa"] }] });
      return "answered";
    }
    expect([response.status, text]).toEqual([
      429,
      expect.stringMatching(/^\{"error":"Exceeds maximum queue/),
    ]);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    return "refused";
  };
}

/** By a client of Open Inference over gRPC. */
export function overInferGrpc(transport: Transport): OverloadWay {
  const client = createClient(GRPCInferenceService, transport);
  const rawInputContents = [new Uint8Array(Float32Array.from(FLOWER).buffer)];
  const inputs = [{ name: "features", datatype: "FP32", shape: [1n, 4n] }];
  return async (id) => {
    try {
      expect(await client.modelInfer({ modelName: "iris", id, inputs, rawInputContents })).toMatchObject({
        id,
      });
      return "answered";
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      expect([error.code, error.rawMessage]).toEqual([
        Code.ResourceExhausted,
        expect.stringMatching(/^Exceeds maximum queue size: /),
      ]);
      return "refused";
    }
  };
}
