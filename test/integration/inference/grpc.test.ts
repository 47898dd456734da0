import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
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
});
