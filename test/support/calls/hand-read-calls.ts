import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { ModelInferRequestSchema } from "../../../gen/inference/grpc_service_pb.ts";
import { framed } from "../../../src/wire/grpc-frame.ts";
import type { UnaryScript } from "../clients/unary-exchange.ts";

const FEATURES = [5.1, 3.5, 1.4, 0.2];
const ROW = [{ name: "features", shape: [1, 4], datatype: "FP32", data: FEATURES }];
/** A call in each form that is read by hand, by its name. */
export const HAND_READ_CALLS: readonly [name: string, script: UnaryScript][] = [
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
