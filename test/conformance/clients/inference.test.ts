import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../../support/clients/command.ts";
import { expectGolden, type GoldenCase, goldenCases, type Json } from "../../support/models/golden-rows.ts";
import { ROOT, type ServerProcess, startServer } from "../server-process.ts";
import { tool } from "../tool.ts";
import { type LineClient, startLineClient } from "./line-client.ts";

const MODELS = join(ROOT, "models");
const SERVICE = "inference.GRPCInferenceService";
const cases = goldenCases(MODELS);
let server: ServerProcess;
let client: LineClient;
let kserve: LineClient;

beforeAll(async () => {
  server = await startServer(MODELS);
  const program = join(ROOT, "test/conformance/python/inference_client.py");
  client = startLineClient(tool("python-inference"), [program, server.address, "triton"]);
  kserve = startLineClient(tool("python-inference"), [program, server.address, "kserve"]);
});

afterAll(async () => {
  await client?.close();
  await kserve?.close();
  if (server !== undefined) expect(await server.stop()).toBe(0);
});

interface Answered {
  readonly error?: string;
  readonly model_name: string;
  readonly model_version: string;
  readonly outputs: readonly { name: string; datatype: string; shape: number[]; data: unknown[] }[];
}

/** As a PredictResponse's protojson, which golden rows are held against. */
function asResponse({ error, model_name, model_version, outputs }: Answered): Json {
  expect(error).toBeUndefined();
  return {
    modelName: model_name,
    modelVersion: model_version,
    outputs: outputs.map(({ data, ...head }) => ({
      ...head,
      contents: { [contentsOf(head.datatype)]: data },
    })),
  };
}

function contentsOf(datatype: string): string {
  return { FP32: "fp32Contents", INT64: "int64Contents", BYTES: "texts" }[datatype]!;
}

function told(method: string, args: object = {}, form: object = { as_json: true }): Promise<Json> {
  return client.call<Json>({ call: "told", method, arguments: args, form });
}

describe("tritonclient and KServe's client", () => {
  test.each(["triton", "triton_aio", "triton_stream", "triton_typed", "kserve"])(
    "%s gets the golden rows of each model",
    async (call) => {
      for (const golden of cases) {
        const command = { call, model: golden.model, inputs: golden.inputs };
        expectGoldenOutputs(
          asResponse(await (call === "kserve" ? kserve : client).call<Answered>(command)),
          golden,
        );
      }
    },
  );

  test("are told of server, models, configuration, index and statistics", async () => {
    expect(await told("get_server_metadata")).toMatchObject({ name: "assay" });
    expect(await told("get_model_metadata", { model_name: "iris" })).toMatchObject({ versions: ["1"] });
    expect(await told("get_model_config", { model_name: "iris" })).toMatchObject({
      config: { platform: "onnxruntime_onnx", max_batch_size: 256 },
    });
    expect(await told("get_model_repository_index")).toMatchObject({
      models: expect.arrayContaining([{ name: "iris", version: "1", state: "READY" }]),
    });
    const { model_stats: stats } = await told("get_inference_statistics", { model_name: "iris" });
    expect(stats).toHaveLength(1);
  });

  test("read errors in the words that they know", async () => {
    expect(await told("get_model_metadata", { model_name: "irs" })).toEqual({
      error: `[StatusCode.NOT_FOUND] Request for unknown model: 'irs' is not found; did you mean "iris"?`,
    });
    const loaded = await told("load_model", { model_name: "iris" }, {});
    expect(loaded.error).toContain("--model-control explicit");
    const shared = await told("unregister_system_shared_memory", {}, {});
    expect(shared.error).toContain("UNIMPLEMENTED");
  });
});

test("grpcurl finds the service by reflection and reads typed values", async () => {
  const request = {
    model_name: "iris",
    inputs: [
      {
        name: "features",
        datatype: "FP32",
        shape: [1, 4],
        contents: { fp32_contents: [5.1, 3.5, 1.4, 0.2] },
      },
    ],
  };
  const args = ["-plaintext", "-d", JSON.stringify(request), server.address, `${SERVICE}/ModelInfer`];
  const { stdout, stderr } = await run(tool("grpcurl"), args);
  expect(stderr).toBe("");
  const { outputs } = JSON.parse(stdout);
  expect(outputs[0].contents.bytesContents).toEqual([Buffer.from("setosa").toString("base64")]);
  expect(outputs[1].contents.fp32Contents).toHaveLength(3);
});

test.each([
  ["", 0],
  ["iris", 0],
  [SERVICE, 0],
  // The probe's own status for a service that is not there.
  ["irs", 3],
])("grpc-health-probe asks for %j and ends with %i", async (service, status) => {
  const finished = await run(tool("grpc-health-probe"), [`-addr=${server.address}`, `-service=${service}`]);
  expect(finished.status).toBe(status);
});

/** Values of texts came as texts, and not in base64. */
function expectGoldenOutputs(response: Json, golden: GoldenCase): void {
  const outputs = response.outputs as { datatype: string; contents: Record<string, string[]> }[];
  for (const output of outputs) {
    if (output.datatype !== "BYTES") continue;
    const texts = output.contents.texts!;
    output.contents = { bytesContents: texts.map((text) => Buffer.from(text).toString("base64")) };
  }
  expectGolden(response, golden);
}
