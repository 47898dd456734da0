/** What callers send never stands in the log, whichever protocol, field or mistake it comes by; nor in the metrics. */
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { expect, onTestFinished, test } from "vitest";
import { PredictRequestSchema, ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { TensorSchema } from "../../../gen/assay/v1/tensor_pb.ts";
import { GRPCInferenceService } from "../../../gen/inference/grpc_service_pb.ts";
import { createForwardedLog } from "../../../src/telemetry/log.ts";
import { fileFolder } from "../../support/folders.ts";
import { irisFolder, keyFile, keyLine, sendWith, transportsWith } from "../../support/keys/keyed-server.ts";
import { lookupModel, onnxModel } from "../../support/models/onnx-model.ts";
import { startAppServer } from "../../support/servers/app-server.ts";
import { fileServer } from "../../support/servers/tested-servers.ts";

const WORD = "xyzzy-planted";
const NUMBER = 918273;
const SECRET = /xyzzy|918273/i;

/** Fails on one row, in the runtime and by nobody's mistake. */
const broken = onnxModel("broken", {
  inputs: [{ name: "x", datatype: "FP32", shape: [-1, 4] }],
  outputs: [{ name: "y", datatype: "FP32", shape: [-1, 3] }],
  nodes: [{ op: "Reshape", inputs: ["x", "three"], outputs: ["y"] }],
  initializers: [{ name: "three", datatype: "INT64", shape: [2], data: [-1, 3] }],
});

const folder = fileFolder();
for (const name of ["iris", "census"]) symlinkSync(resolve("models", name), join(folder, name));
for (const { modelName, bytes } of [lookupModel(), broken]) {
  mkdirSync(join(folder, modelName, "1"), { recursive: true });
  writeFileSync(join(folder, modelName, "1", "model.onnx"), bytes);
}
const lines: string[] = [];
const log = createForwardedLog("trace", {}, (line) => lines.push(line));
const { url } = await fileServer(folder, { "access-log": "all", "call-timeout-ms": "20000" }, { log });

const headers = {
  authorization: `Bearer ${WORD}`,
  cookie: `session=${WORD}`,
  "x-api-key": WORD,
  "user-agent": WORD,
  "x-request-id": `no id: ${WORD}`,
  traceparent: `00-${WORD}`,
  tracestate: `vendor=${WORD}`,
  baggage: `key=${WORD}`,
};

/** Bodies of REST, some right and most wrong in their own way. */
const features = [NUMBER, NUMBER, NUMBER, NUMBER];
const PREDICT = [
  { features },
  { features: [NUMBER] },
  { features: [WORD, NUMBER, 1, 2] },
  { [WORD]: NUMBER },
  { rows: [{ age: NUMBER, sex: WORD, [WORD]: WORD }] },
  { inputs: [{ name: WORD, datatype: WORD, shape: [NUMBER], data: [WORD] }] },
  { inputs: [{ name: "x", datatype: "FP32", shape: [1, 4], data: features }] },
  { inputs: [{ name: "index", datatype: "INT64", shape: [1], data: [NUMBER] }] },
  { instances: [features], signature_name: WORD },
  { instances: [{ [WORD]: WORD }] },
  { dataframe_split: { columns: [WORD], data: [[WORD]] } },
  { dataframe_records: [{ [WORD]: NUMBER }] },
  { request_id: 7, model_name: WORD, features },
];
const BODIES = [
  ...PREDICT.map((body) => JSON.stringify(body)),
  `{"features": [${WORD}`,
  WORD,
  `a,b\n${WORD},1`,
];
const MODELS = ["iris", "census", "lookup", "broken", WORD];

test("of whatever callers send, in every protocol and field, nothing stands in the log or the metrics", async () => {
  const paths = [`/${WORD}`, `/predict?key=${WORD}`, "/invocations"];
  for (const model of MODELS) {
    paths.push(`/predict/${model}`, `/predict/${model}/${WORD}`, `/v1/models/${model}:predict`);
    paths.push(`/v2/models/${model}/infer?token=${WORD}`, `/v2/models/${model}/versions/${NUMBER}/infer`);
  }
  paths.push("/assay.v1.ScoringService/Predict", "/assay.v1.ScoringService/PredictRows");
  const send = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${url}${path}`, { ...init, headers: { ...headers, ...init.headers } });
    await response.arrayBuffer();
  };
  for (const path of paths) {
    await Promise.all(
      BODIES.flatMap((body) => {
        const types = path === "/invocations" ? ["application/json", "text/csv"] : ["application/json", WORD];
        return types.map((type) => send(path, { method: "POST", body, headers: { "content-type": type } }));
      }),
    );
  }
  const query = new URLSearchParams({
    encoding: "json",
    message: JSON.stringify({ features, model_name: WORD }),
  });
  await send(`/assay.v1.ScoringService/Predict?connect=v1&${query}`);
  await send("/v2/models/iris/infer", { method: "PATCH" });

  const requests = [
    ...MODELS.map((modelName) => ({ modelName, features })),
    ...MODELS.map((modelName) => ({ modelName, modelVersion: WORD, features: [NUMBER] })),
    { modelName: "census", rows: [{ age: NUMBER, [WORD]: WORD }] },
    { modelName: "iris", outputNames: [WORD], features },
    ...["index", "x", WORD].map((name) => ({
      modelName: name === "index" ? "lookup" : "broken",
      inputs: [{ name, datatype: "INT64", shape: [1n], contents: { int64Contents: [BigInt(NUMBER)] } }],
    })),
    {
      modelName: "broken",
      inputs: [{ name: "x", datatype: "FP32", shape: [1n, 4n], contents: { fp32Contents: features } }],
    },
  ];
  async function* items() {
    for (const [i, request] of requests.entries()) yield { itemId: BigInt(i), request };
  }
  const transports = [
    createGrpcTransport({ baseUrl: url }),
    createGrpcWebTransport({ baseUrl: url, httpVersion: "1.1" }),
    createConnectTransport({ baseUrl: url, httpVersion: "2" }),
    createConnectTransport({ baseUrl: url, httpVersion: "1.1", useBinaryFormat: false }),
  ];
  for (const [i, transport] of transports.entries()) {
    const scoring = createClient(ScoringService, transport);
    const inference = createClient(GRPCInferenceService, transport);
    const streamed = async (answers: AsyncIterable<unknown>) => {
      for await (const _ of answers);
    };
    const calls: Promise<unknown>[] = requests.flatMap((request) => [
      scoring.predict(request, { headers }),
      inference.modelInfer(
        {
          modelName: request.modelName,
          id: "7",
          inputs: [{ name: WORD, datatype: "FP32", shape: [1n], contents: { fp32Contents: [NUMBER] } }],
          parameters: { [WORD]: { parameterChoice: { case: "stringParam", value: WORD } } },
        },
        { headers },
      ),
    ]);
    calls.push(
      streamed(scoring.predictRows({ items: [{ itemId: 1n, request: requests[0]! }] }, { headers })),
    );
    if (i === 0 || i === 2) calls.push(streamed(scoring.predictStream(items(), { headers })));
    await Promise.allSettled(calls);
  }
  const metrics = await (await fetch(`${url}/metrics`)).text();

  const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const has = (name: string) => new Set(records.map((record) => record[name]));
  expect(lines.filter((line) => SECRET.test(line)).slice(0, 5)).toEqual([]);
  expect(metrics.split("\n").filter((line) => SECRET.test(line))).toEqual([]);
  // The planted words reached what they were to reach.
  for (const protocol of ["grpc", "grpc-web", "connect", "http"]) expect(has("protocol")).toContain(protocol);
  for (const reason of ["INVALID_REQUEST", "MODEL_NOT_FOUND", "ROWS_REFUSED", "RUN_FAILED", "UNIMPLEMENTED"])
    expect(has("reason")).toContain(reason);
  expect(records.some(({ status, rows }) => status === 200 && rows === 1)).toBe(true);
  expect(records.some(({ items: count }) => count === requests.length)).toBe(true);
});

test("keys and tokens, known and not, stand nowhere in the log or the metrics of a server that asks for them", async () => {
  const key = `${WORD}-known-key`;
  const keys = keyFile(
    keyLine(key, { id: "known", models: ["iris"], requests_per_second: 3 }),
    keyLine("metrics-key", { id: "prometheus", metrics: true }),
  );
  const told: string[] = [];
  const keyedLog = createForwardedLog("trace", {}, (line) => told.push(line));
  const flags = { keys: keys.path, "access-log": "all" };
  const { app, url: keyed } = await startAppServer(irisFolder(), flags, { log: keyedLog });
  onTestFinished(() => app.close());
  const fields = [
    `Bearer ${key}`,
    `bearer ${WORD}`,
    `Basic ${WORD}`,
    key,
    `Bearer ${WORD}.${WORD}.${WORD}`,
    `Bearer ${key} ${key}`,
  ];
  for (const authorization of fields) {
    for (const path of ["/predict/iris", "/predict/housing", `/predict/${WORD}`, "/v2/models/iris/infer"])
      await sendWith(keyed, undefined)(path, { features: [1, 2, 3, 4] }, { headers: { authorization } });
    for (const transport of Object.values(transportsWith(keyed, undefined))) {
      const scoring = createClient(ScoringService, transport);
      const requests = ["iris", WORD].map((modelName) => ({ modelName, features: [1, 2, 3, 4] }));
      await Promise.allSettled(
        requests.map((request) => scoring.predict(request, { headers: { authorization } })),
      );
    }
  }
  keys.write(`{"id": "known", "sha256": "${key}"}`, `{"${WORD}`);
  await app.rescan();
  const { text } = await sendWith(keyed, "metrics-key")("/metrics");
  expect(told.filter((line) => SECRET.test(line))).toEqual([]);
  expect(text.split("\n").filter((line) => SECRET.test(line))).toEqual([]);
  const reasons = new Set(told.map((line) => (JSON.parse(line) as { reason?: string }).reason));
  for (const reason of ["UNAUTHENTICATED", "PERMISSION_DENIED", "RATE_EXCEEDED"])
    expect(reasons).toContain(reason);
  expect(told.some((line) => line.includes('"caller":"known"'))).toBe(true);
});

test("fields that hold values are marked in the schema, so that the debug texts of generated clients leave them out", () => {
  const { features, rows } = PredictRequestSchema.field;
  const { contents, rawContents } = TensorSchema.field;
  for (const field of [features, rows, contents, rawContents])
    expect(field.proto.options?.debugRedact, field.name).toBe(true);
});
