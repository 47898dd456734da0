import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Health } from "../../../gen/grpc/health/v1/health_pb.ts";
import { GRPCInferenceService } from "../../../gen/inference/grpc_service_pb.ts";
import { type AppServer, startAppServer } from "../../support/servers/app-server.ts";

let server: AppServer;
beforeAll(async () => {
  server = await startAppServer("models", {});
});
afterAll(() => server.app.close());

const url = () => `http://${server.address}`;
const grpc = () => createClient(GRPCInferenceService, createGrpcTransport({ baseUrl: url() }));
const ROW = [5.1, 3.5, 1.4, 0.2];
const head = { name: "features", datatype: "FP32", shape: [1n, 4n] };
const octets = (values: number[]) => new Uint8Array(new Float32Array(values).buffer);
const raw = { modelName: "iris", id: "a", inputs: [head], rawInputContents: [octets(ROW)] };
const typed = { modelName: "iris", id: "b", inputs: [{ ...head, contents: { fp32Contents: ROW } }] };

async function failure(call: Promise<unknown>): Promise<ConnectError> {
  return ConnectError.from(
    await call.then(
      () => undefined,
      (error: unknown) => error,
    ),
  );
}

describe("inference over gRPC", () => {
  test("a raw request is answered raw, a typed one typed and raw", async () => {
    const first = await grpc().modelInfer(raw);
    expect(first).toMatchObject({ modelName: "iris", modelVersion: "1", id: "a" });
    expect(first.outputs.map(({ name, datatype, shape }) => [name, datatype, shape])).toEqual([
      ["label", "BYTES", [1n]],
      ["probabilities", "FP32", [1n, 3n]],
    ]);
    expect(first.outputs.map(({ contents }) => contents)).toEqual([undefined, undefined]);
    expect(Buffer.from(first.rawOutputContents[0]!).toString("latin1")).toBe("\x06\0\0\0setosa");
    const second = await grpc().modelInfer(typed);
    expect(second.id).toBe("b");
    expect(second.rawOutputContents).toEqual(first.rawOutputContents);
    const probabilities = second.outputs[1]!.contents!.fp32Contents;
    expect(octets(probabilities)).toEqual(first.rawOutputContents[1]);
    expect(second.outputs[0]!.contents!.bytesContents.map((text) => Buffer.from(text).toString())).toEqual([
      "setosa",
    ]);
  });

  test("gRPC-Web, Connect and Connect's JSON answer the same", async () => {
    const asked = { ...typed, outputs: [{ name: "probabilities" }] };
    const expected = await grpc().modelInfer(asked);
    for (const transport of [
      createGrpcWebTransport({ baseUrl: url(), httpVersion: "1.1" }),
      createConnectTransport({ baseUrl: url(), httpVersion: "1.1" }),
      createConnectTransport({ baseUrl: url(), httpVersion: "2", useBinaryFormat: false }),
    ])
      expect(await createClient(GRPCInferenceService, transport).modelInfer(asked)).toEqual(expected);
  });

  test("classes stand in the place of values where they are asked for", async () => {
    const classification = { parameterChoice: { case: "int64Param" as const, value: 2n } };
    const { outputs, rawOutputContents } = await grpc().modelInfer({
      ...raw,
      outputs: [{ name: "probabilities", parameters: { classification } }],
    });
    expect(outputs).toMatchObject([{ name: "probabilities", datatype: "BYTES", shape: [1n, 2n] }]);
    expect(Buffer.from(rawOutputContents[0]!).toString("latin1")).toMatch(
      /^.{4}0\.\d{6}:0:setosa.{4}0\.\d{6}:1:versicolor$/s,
    );
  });

  test("errors name places of the request that came, and use Triton's words where clients look for them", async () => {
    const reserved = { sequence_id: { parameterChoice: { case: "int64Param" as const, value: 4n } } };
    const own = { mine: { parameterChoice: { case: "stringParam" as const, value: "x" } } };
    const cases: [Parameters<ReturnType<typeof grpc>["modelInfer"]>[0], Code, string][] = [
      [
        { ...raw, modelName: "irs" },
        Code.NotFound,
        `Request for unknown model: 'irs' is not found; did you mean "iris"?`,
      ],
      [
        { ...raw, modelVersion: "9" },
        Code.NotFound,
        "Request for unknown model: 'iris' version 9 is not found; it has 1",
      ],
      [
        { modelName: "irs" },
        Code.NotFound,
        `Request for unknown model: 'irs' is not found; did you mean "iris"?`,
      ],
      [
        { ...raw, modelName: "irs", inputs: [{ ...head, datatype: "FLOAT" }] },
        Code.NotFound,
        `Request for unknown model: 'irs' is not found; did you mean "iris"?`,
      ],
      [
        { modelName: "iris" },
        Code.InvalidArgument,
        "inputs: none came; a list of 1 to 1024 tensors is expected",
      ],
      [
        { ...raw, rawInputContents: [octets([1])] },
        Code.InvalidArgument,
        "raw_input_contents[0]: 4 bytes came; FP32[1,4] takes 16",
      ],
      [
        { ...typed, inputs: [{ ...head, contents: { fp32Contents: [1] } }] },
        Code.InvalidArgument,
        "inputs[0].contents.fp32_contents: 1 values came; shape [1,4] takes 4",
      ],
      [
        { ...typed, inputs: [head] },
        Code.InvalidArgument,
        "inputs[0].contents.fp32_contents: 0 values came; shape [1,4] takes 4",
      ],
      [
        { ...raw, outputs: [{ name: "prob" }] },
        Code.InvalidArgument,
        'outputs[0].name: the model has no output "prob"',
      ],
      [
        { ...raw, parameters: reserved },
        Code.InvalidArgument,
        'parameters["sequence_id"]: the models here keep no state',
      ],
    ];
    for (const [request, code, text] of cases) {
      const error = await failure(grpc().modelInfer(request));
      expect([error.code, error.rawMessage.slice(0, text.length)]).toEqual([code, text]);
    }
    expect((await grpc().modelInfer({ ...raw, parameters: own })).id).toBe("a");
  });

  test("the server and its models say what they are", async () => {
    const client = grpc();
    expect(await client.serverLive({})).toMatchObject({ live: true });
    expect(await client.serverReady({})).toMatchObject({ ready: true });
    expect(await client.modelReady({ name: "iris" })).toMatchObject({ ready: true });
    expect(await client.modelReady({ name: "irs" })).toMatchObject({ ready: false });
    expect(await client.serverMetadata({})).toMatchObject({ name: "assay" });
    expect(await client.modelMetadata({ name: "iris" })).toMatchObject({
      versions: ["1"],
      platform: "onnxruntime_onnx",
      inputs: [{ name: "features", datatype: "FP32", shape: [-1n, 4n] }],
    });
    const error = await failure(client.modelMetadata({ name: "irs" }));
    expect(error.rawMessage).toMatch(/^Request for unknown model: 'irs' is not found/);
    const { models } = await client.repositoryIndex({});
    expect(models.map(({ name, state }) => [name, state])).toContainEqual(["iris", "READY"]);
  });

  test("a stream answers in order, with an error in the place of a bad request, and goes on", async () => {
    for (const transport of [
      createGrpcTransport({ baseUrl: url() }),
      createConnectTransport({ baseUrl: url(), httpVersion: "2", useBinaryFormat: false }),
    ]) {
      const answers: (readonly [string, string, number])[] = [];
      const reasons: unknown[] = [];
      for await (const { errorMessage, inferResponse } of createClient(
        GRPCInferenceService,
        transport,
      ).modelStreamInfer(streamed())) {
        answers.push([inferResponse!.id, errorMessage, inferResponse!.rawOutputContents.length] as const);
        reasons.push(inferResponse!.parameters.assay_reason?.parameterChoice.value ?? "");
      }
      expect(answers).toEqual([
        ["0", "", 2],
        ["1", "raw_input_contents[0]: 4 bytes came; FP32[1,4] takes 16", 0],
        ["2", "", 2],
        ["3", `Request for unknown model: 'irs' is not found; did you mean "iris"?`, 0],
        [
          "4",
          'parameters["sequence_id"]: the models here keep no state between requests, so there are no sequences',
          0,
        ],
        ["5", "", 1],
        ["6", "inputs: 3000 came; at most 1024 are taken in one request", 0],
        ["7", "raw_input_contents: 2 entries came for 1 inputs; each input has one, in their order", 0],
        ["8", "", 2],
      ]);
      const bad = "INVALID_REQUEST";
      expect(reasons).toEqual(["", bad, "", "MODEL_NOT_FOUND", bad, "", bad, bad, ""]);
    }
  });

  test("statistics count requests, rows and runs of the one version that is named", async () => {
    const client = grpc();
    const before = (await client.modelStatistics({ name: "housing" })).modelStats;
    expect(before).toMatchObject([{ name: "housing", version: "1", inferenceCount: 0n, lastInference: 0n }]);
    const three = { name: "features", datatype: "FP32", shape: [3n, 8n] };
    await client.modelInfer({
      modelName: "housing",
      inputs: [three],
      rawInputContents: [new Uint8Array(96)],
    });
    const [after] = (await client.modelStatistics({ name: "housing", version: "1" })).modelStats;
    expect(after).toMatchObject({ inferenceCount: 3n, executionCount: 1n, batchStats: [{ batchSize: 3n }] });
    const { success, queue, computeInput, computeInfer, computeOutput, fail } = after!.inferenceStats!;
    expect([success, queue, computeInput, computeInfer, computeOutput].map((stage) => stage!.count)).toEqual(
      Array(5).fill(1n),
    );
    const parts = queue!.ns + computeInput!.ns + computeInfer!.ns + computeOutput!.ns;
    expect(Math.abs(Number(success!.ns - parts))).toBeLessThan(10);
    expect(fail).toMatchObject({ count: 0n });
    expect((await client.modelStatistics({})).modelStats.length).toBeGreaterThan(3);
    expect((await failure(client.modelStatistics({ name: "x" }))).code).toBe(Code.NotFound);
  });

  test("a model's configuration counts no axis of rows", async () => {
    const { config } = await grpc().modelConfig({ name: "iris" });
    expect(config).toMatchObject({
      name: "iris",
      platform: "onnxruntime_onnx",
      backend: "onnxruntime",
      maxBatchSize: 256,
      input: [{ name: "features", dataType: 11, dims: [4n] }],
      output: [
        { name: "label", dataType: 13, dims: [] },
        { name: "probabilities", dataType: 11, dims: [3n] },
      ],
      instanceGroup: [{ kind: 2, count: 1 }],
    });
  });

  test("what the server has not is UNIMPLEMENTED, with what to do", async () => {
    const client = grpc();
    const told = async (call: Promise<unknown>) => {
      const { code, rawMessage } = await failure(call);
      expect(code).toBe(Code.Unimplemented);
      return rawMessage;
    };
    expect(await told(client.repositoryModelLoad({ modelName: "iris" }))).toContain(
      "--model-control explicit",
    );
    // KServe's message has the name in the field before.
    expect(await told(client.repositoryModelUnload({ repositoryName: "iris" }))).toContain("--model-control");
    expect(await told(client.systemSharedMemoryRegister({ name: "r" }))).toMatch(
      /maps no memory of its clients/,
    );
    expect(await told(client.cudaSharedMemoryStatus({}))).toMatch(/^CudaSharedMemoryStatus: /);
    expect(await told(client.traceSetting({}))).toMatch(/^TraceSetting/);
    expect(await told(client.logSettings({}))).toContain("--log-level");
  });

  test("health is told of each model and each service by name", async () => {
    const health = createClient(Health, createGrpcTransport({ baseUrl: url() }));
    for (const service of ["", "iris", "inference.GRPCInferenceService", "grpc.health.v1.Health"])
      expect(await health.check({ service })).toMatchObject({ status: 1 });
    expect((await failure(health.check({ service: "irs" }))).code).toBe(Code.NotFound);
    const { statuses } = await health.list({});
    expect(statuses).toMatchObject({ "": { status: 1 }, iris: { status: 1 }, census: { status: 1 } });
    const aborted = new AbortController();
    const watched = health.watch({ service: "iris" }, { signal: aborted.signal })[Symbol.asyncIterator]();
    expect((await watched.next()).value).toMatchObject({ status: 1 });
    aborted.abort();
  });
});

async function* streamed() {
  const reserved = { sequence_id: { parameterChoice: { case: "int64Param" as const, value: 4n } } };
  yield { ...raw, id: "0" };
  yield { ...raw, id: "1", rawInputContents: [octets([1])] };
  yield { ...typed, id: "2" };
  yield { ...raw, id: "3", modelName: "irs" };
  yield { ...raw, id: "4", parameters: reserved };
  yield { ...raw, id: "5", outputs: [{ name: "probabilities" }] };
  yield { modelName: "iris", id: "6", inputs: Array.from({ length: 3000 }, () => ({})) };
  yield { ...raw, id: "7", rawInputContents: [octets(ROW), octets(ROW)] };
  yield { ...raw, id: "8" };
}
