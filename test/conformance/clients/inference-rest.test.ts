import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "../../support/clients/command.ts";
import { expectGolden, type GoldenCase, goldenCases, type Json } from "../../support/models/golden-rows.ts";
import { ROOT, type ServerProcess, startServer } from "../server-process.ts";
import { tool } from "../tool.ts";
import { type LineClient, startLineClient } from "./line-client.ts";

const MODELS = join(ROOT, "models");
const cases = goldenCases(MODELS);
let server: ServerProcess;
let client: LineClient;

beforeAll(async () => {
  server = await startServer(MODELS);
  const program = join(ROOT, "test/conformance/python/inference_rest_client.py");
  client = startLineClient(tool("python-inference"), [program, server.address]);
});

afterAll(async () => {
  await client?.close();
  if (server !== undefined) expect(await server.stop()).toBe(0);
});

interface Answered {
  readonly error?: string;
  readonly id?: string;
  readonly model_name: string;
  readonly model_version: string;
  readonly outputs: readonly { name: string; datatype: string; shape: number[]; data: unknown[] }[];
}

/** As a PredictResponse's protojson, which golden rows are held against. */
function expectOutputs(
  { error, id, model_name, model_version, outputs }: Answered,
  golden: GoldenCase,
): void {
  expect(error).toBeUndefined();
  expect(id).toBe("a");
  const tensors = outputs.map(({ data, ...head }) => ({
    ...head,
    contents: contentsOf(head.datatype, data),
  }));
  expectGolden({ modelName: model_name, modelVersion: model_version, outputs: tensors }, golden);
}

function contentsOf(datatype: string, data: unknown[]): Json {
  if (datatype !== "BYTES") return { [datatype === "FP32" ? "fp32Contents" : "int64Contents"]: data };
  return { bytesContents: data.map((text) => Buffer.from(String(text)).toString("base64")) };
}

const told = (method: string, args: object = {}) =>
  client.call<Json>({ call: "told", method, arguments: args });

describe.each(["triton", "triton_aio", "kserve"])("%s", (call) => {
  for (const input_binary of [true, false]) {
    for (const output_binary of call === "kserve" ? [true, false] : [true, false, null]) {
      test(`gets the golden rows of each model, ${input_binary ? "binary" : "JSON"} in, ${output_binary} binary out`, async () => {
        for (const golden of cases) {
          const { model, inputs } = golden;
          expectOutputs(
            await client.call<Answered>({ call, model, inputs, input_binary, output_binary }),
            golden,
          );
        }
      });
    }
  }
});

test.each(["gzip", "deflate"])("tritonclient gets golden rows through %s", async (coding) => {
  for (const golden of cases) {
    const { model, inputs } = golden;
    expectOutputs(await client.call<Answered>({ call: "triton", model, inputs, coding }), golden);
  }
});

test.each([true, false])("tritonclient gets classes, binary: %s", async (output_binary) => {
  const inputs = [{ name: "features", datatype: "FP32", shape: [1, 4], data: [5.1, 3.5, 1.4, 0.2] }];
  expect(
    await client.call<Json>({
      call: "classes",
      model: "iris",
      inputs,
      output: "probabilities",
      count: 2,
      output_binary,
    }),
  ).toEqual({ classes: ["0.984703:0:setosa", "0.015297:1:versicolor"] });
});

test("tritonclient is told of the server and its models", async () => {
  expect(await told("is_server_live")).toEqual({ answer: true });
  expect(await told("is_server_ready")).toEqual({ answer: true });
  expect(await told("is_model_ready", { model_name: "iris" })).toEqual({ answer: true });
  expect(await told("is_model_ready", { model_name: "nobody" })).toEqual({ answer: false });
  expect(await told("get_server_metadata")).toMatchObject({ answer: { name: "assay" } });
  expect(await told("get_model_metadata", { model_name: "iris", model_version: "1" })).toMatchObject({
    answer: { inputs: [{ name: "features", datatype: "FP32", shape: [-1, 4] }] },
  });
  expect(await told("get_model_config", { model_name: "iris" })).toMatchObject({
    answer: { input: [{ name: "features", data_type: "TYPE_FP32", dims: [4] }] },
  });
  expect(await told("get_model_repository_index")).toMatchObject({
    answer: expect.arrayContaining([{ name: "iris", version: "1", state: "READY", reason: "" }]) as unknown,
  });
  expect(await told("get_inference_statistics", { model_name: "iris" })).toMatchObject({
    answer: { model_stats: [{ name: "iris", inference_count: expect.any(Number) as number }] },
  });
  expect(await told("get_trace_settings")).toMatchObject({ answer: { trace_level: ["OFF"] } });
  expect(await told("get_log_settings", { query_params: { a: "b" } })).toMatchObject({
    answer: { log_format: "default" },
  });
});

test.each([
  ["load_model", { model_name: "iris" }, "501", /--model-control explicit/],
  ["unload_model", { model_name: "iris" }, "501", /--model-control explicit/],
  ["get_system_shared_memory_status", {}, "501", /maps no memory of its clients/],
  ["get_model_metadata", { model_name: "irsi" }, "404", /^Request for unknown model: 'irsi' is not found/],
])("tritonclient is refused %s with %o in words", async (method, args, status, error) => {
  expect(await told(method, args)).toEqual({ status, error: expect.stringMatching(error) as unknown });
});

test("curl sends JSON as its documentation has it", async () => {
  const body = '{"inputs":[{"name":"features","shape":[1,4],"datatype":"FP32","data":[[5.1,3.5,1.4,0.2]]}]}';
  const url = `http://${server.address}/v2/models/iris/infer`;
  const { stdout } = await run(tool("curl"), ["-sS", "--http2-prior-knowledge", "-d", body, url]);
  expect(JSON.parse(stdout)).toMatchObject({ outputs: [{ name: "label", data: ["setosa"] }, {}] });
});
