import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { beforeEach, expect, test } from "vitest";
import { type PredictRequestSchema, ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { BadRequestSchema, ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import type { Log } from "../../../src/telemetry/log.ts";
import { fileFolder } from "../../support/folders.ts";
import { lookupModel, onnxModel, type TestModel } from "../../support/models/onnx-model.ts";
import { fileServer } from "../../support/servers/tested-servers.ts";

/** Adds two inputs whose lengths callers choose. */
const sumModel = onnxModel("sum", {
  inputs: [
    { name: "a", datatype: "FP32", shape: [-1, -1] },
    { name: "b", datatype: "FP32", shape: [-1, -1] },
  ],
  outputs: [{ name: "y", datatype: "FP32", shape: [-1, -1] }],
  nodes: [{ op: "Add", inputs: ["a", "b"], outputs: ["y"] }],
});

/** Takes rows of four apart as rows of three: for one row it cannot run, which is no caller's mistake. */
const brokenModel = onnxModel("broken", {
  inputs: [{ name: "x", datatype: "FP32", shape: [-1, 4] }],
  outputs: [{ name: "y", datatype: "FP32", shape: [-1, 3] }],
  nodes: [{ op: "Reshape", inputs: ["x", "three"], outputs: ["y"] }],
  initializers: [{ name: "three", datatype: "INT64", shape: [2], data: [-1, 3] }],
});

const folder = fileFolder();
const lines: [message: string, fields: Record<string, unknown>][] = [];
const note = (fields: object, message: string): void => {
  lines.push([message, fields as Record<string, unknown>]);
};
const log: Log = {
  debug() {},
  info() {},
  warn() {},
  error: note,
  isLevelEnabled: (level) => level === "error",
};

for (const { modelName, bytes } of [lookupModel(), sumModel, brokenModel] satisfies TestModel[]) {
  const version = join(folder, modelName, "1");
  mkdirSync(version, { recursive: true });
  writeFileSync(join(version, "model.onnx"), bytes);
}
const server = await fileServer(folder, {}, { log });

beforeEach(() => {
  lines.length = 0;
});

type Request = MessageInitShape<typeof PredictRequestSchema>;

const lookUp = (id: bigint): Request => ({
  modelName: "lookup",
  inputs: [{ name: "index", datatype: "INT64", shape: [1n], contents: { int64Contents: [id] } }],
});

const floats = (name: string, width: number) => ({
  name,
  datatype: "FP32",
  shape: [1n, BigInt(width)],
  contents: { fp32Contents: Array<number>(width).fill(1) },
});

const sum: Request = { modelName: "sum", inputs: [floats("a", 3), floats("b", 4)] };
const broken: Request = { modelName: "broken", inputs: [floats("x", 4)] };

function clients() {
  const { url } = server;
  return [
    createGrpcTransport({ baseUrl: url }),
    createGrpcWebTransport({ baseUrl: url, httpVersion: "1.1" }),
    createConnectTransport({ baseUrl: url, httpVersion: "2" }),
    createConnectTransport({ baseUrl: url, httpVersion: "1.1", useBinaryFormat: false }),
  ].map((transport) => createClient(ScoringService, transport));
}

async function refusal(work: Promise<unknown>): Promise<ConnectError> {
  const error = await work.catch((thrown: unknown) => thrown);
  if (!(error instanceof ConnectError)) throw new Error(`not refused: ${String(error)}`);
  return error;
}

const reasonOf = (error: ConnectError) => error.findDetails(ErrorInfoSchema)[0]?.reason;

test.each([
  ["a token id out of the model's range", lookUp(99n), /token id .*idx=99 must be within/],
  ["lengths that do not fit each other", sum, /a \[-1,-1\], b \[-1,-1\].*broadcast/],
])(
  "%s is the caller's mistake in every protocol, and nobody is woken for it",
  async (_, request, message) => {
    for (const client of clients()) {
      const error = await refusal(client.predict(request));
      expect([error.code, reasonOf(error)]).toEqual([Code.InvalidArgument, "ROWS_REFUSED"]);
      expect(error.rawMessage).toMatch(message);
    }
    expect(lines).toEqual([]);
  },
);

test("over plain HTTP it is 400 with the reason", async () => {
  const response = await fetch(`${server.url}/predict/lookup`, {
    method: "POST",
    body: JSON.stringify({ inputs: [{ name: "index", datatype: "INT64", shape: [1], data: [99] }] }),
  });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({
    reason: "ROWS_REFUSED",
    detail: expect.stringMatching(/token id/),
  });
});

test("what no caller can mend is RUN_FAILED, and the log has its cause", async () => {
  const error = await refusal(clients()[0]!.predict(broken));
  expect([error.code, reasonOf(error)]).toEqual([Code.Internal, "RUN_FAILED"]);
  expect(lines).toHaveLength(1);
  const [message, fields] = lines[0]!;
  expect(message).toBe("call failed");
  expect(fields).toMatchObject({ reason: "RUN_FAILED", procedure: "/assay.v1.ScoringService/Predict" });
  expect(fields.cause).toMatch(/^model broken version 1, x FP32\[1,4\]: .*cannot be reshaped/);
});

test.each([
  ["gRPC", 0],
  ["Connect over HTTP/2", 2],
])(
  "of a stream's items over %s that the model failed on ten are logged, and how many there were",
  async (_, index) => {
    async function* items() {
      for (let i = 0; i < 12; i++) yield { itemId: BigInt(i), request: broken };
    }
    const codes: (number | undefined)[] = [];
    for await (const { result } of clients()[index]!.predictStream(items())) {
      codes.push(result.case === "status" ? result.value.code : undefined);
    }
    expect(codes).toEqual(Array<number>(12).fill(Code.Internal));
    await expect.poll(() => lines.length).toBe(11);
    expect(lines[0]).toMatchObject(["item failed", { reason: "RUN_FAILED", itemId: "0" }]);
    expect(lines[0]![1].cause).toMatch(/model broken/);
    expect(lines[10]![1]).toMatchObject({ failedItems: 12 });
  },
);

test("all violations come at once beside a model that is unknown, in every protocol", async () => {
  const request = { ...sum, modelName: "summ", requestId: "x".repeat(300), outputNames: [""] };
  const fields = ["model_name", "output_names[0]", "request_id"];
  for (const client of clients()) {
    const error = await refusal(client.predict(request));
    expect([error.code, reasonOf(error)]).toEqual([Code.InvalidArgument, "INVALID_REQUEST"]);
    const { fieldViolations } = error.findDetails(BadRequestSchema)[0]!;
    expect(fieldViolations.map(({ field }) => field)).toEqual(fields);
    expect(fieldViolations[0]!.description).toContain('did you mean "sum"?');
  }
  const response = await fetch(`${server.url}/predict/summ`, {
    method: "POST",
    body: JSON.stringify({ features: [1], request_id: "x".repeat(300) }),
  });
  expect(response.status).toBe(422);
  expect(await response.text()).toMatch(/request_id.*|model_name/);
});

test("more rows than the queue takes are refused for good: no code that clients try again", async () => {
  const inputs = [{ name: "index", datatype: "INT64", shape: [9000n], rawContents: new Uint8Array(72_000) }];
  for (const client of clients()) {
    const error = await refusal(client.predict({ modelName: "lookup", inputs }));
    expect([error.code, reasonOf(error)]).toEqual([Code.InvalidArgument, "REQUEST_TOO_LARGE"]);
    expect(error.rawMessage).toMatch(/^9000 rows came; .* takes 8192 rows/);
  }
  const response = await fetch(`${server.url}/predict/lookup`, {
    method: "POST",
    body: JSON.stringify({
      inputs: [{ name: "index", datatype: "INT64", shape: [9000], data: Array<number>(9000).fill(0) }],
    }),
  });
  expect(response.status).toBe(413);
  expect(response.headers.get("retry-after")).toBeNull();
});

test("a misspelt output name is refused with the nearest, also beside a star", async () => {
  for (const outputNames of [["valeu"], ["*", "valeu"]]) {
    const error = await refusal(clients()[3]!.predict({ ...lookUp(1n), outputNames }));
    expect(error.findDetails(BadRequestSchema)[0]!.fieldViolations[0]!.description).toBe(
      'the model has no output "valeu"; did you mean "value"?',
    );
  }
});
