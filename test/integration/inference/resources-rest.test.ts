import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { fileServer } from "../../support/servers/tested-servers.ts";

const server = await fileServer(fileURLToPath(new URL("../../../models", import.meta.url)));

async function ask(method: string, path: string, body?: string) {
  const response = await fetch(`${server.url}${path}`, { method, ...(body !== undefined && { body }) });
  const text = await response.text();
  return { status: response.status, body: (text === "" ? undefined : JSON.parse(text)) as unknown };
}

const tensors = {
  inputs: [{ name: "features", datatype: "FP32", shape: [-1, 4] }],
  outputs: [
    { name: "label", datatype: "BYTES", shape: [-1] },
    { name: "probabilities", datatype: "FP32", shape: [-1, 3] },
  ],
};

test.each([
  [
    "/v2",
    { name: "assay", extensions: expect.arrayContaining(["binary_tensor_data", "statistics"]) as unknown },
  ],
  ["/v2/", { name: "assay" }],
  ["/v2/health/live", { live: true }],
  ["/v2/health/ready", { ready: true }],
  ["/v2/models", { models: ["census", "digits", "housing", "iris"] }],
  ["/v2/models/iris", { name: "iris", versions: ["1"], platform: "onnxruntime_onnx", ...tensors }],
  ["/v2/models/iris/versions/1", { name: "iris" }],
  ["/v2/models/iris/ready", { name: "iris", ready: true }],
  ["/v2/models/iris/versions/1/ready?a=b", { name: "iris", ready: true }],
  [
    "/v2/models/iris/config",
    {
      name: "iris",
      backend: "onnxruntime",
      input: [{ name: "features", data_type: "TYPE_FP32", dims: [4] }],
      output: [
        { name: "label", data_type: "TYPE_STRING", dims: [] },
        { name: "probabilities", data_type: "TYPE_FP32", dims: [3] },
      ],
      instance_group: [{ kind: "KIND_CPU" }],
      dynamic_batching: { preserve_ordering: false },
    },
  ],
  ["/v2/models/iris/versions/1/config", { name: "iris" }],
  ["/v2/trace/setting", { trace_level: ["OFF"] }],
  ["/v2/models/iris/trace/setting", { trace_level: ["OFF"] }],
  ["/v2/logging", { log_verbose_level: 0, log_format: "default" }],
])("GET %s", async (path, body) => {
  expect(await ask("GET", path)).toMatchObject({ status: 200, body });
});

test.each(["", "/versions/1"])("statistics of a model%s are plain numbers in one entry", async (version) => {
  const infer = '{"inputs":[{"name":"price","shape":[1],"datatype":"FP32","data":[1]}]}';
  expect((await ask("POST", "/v2/models/digits/infer", infer)).status).toBe(400);
  const { status, body } = await ask("GET", `/v2/models/digits${version}/stats?x=y`);
  expect(status).toBe(200);
  const { model_stats: stats } = body as { model_stats: Record<string, unknown>[] };
  expect(stats).toHaveLength(1);
  expect(stats[0]).toMatchObject({
    name: "digits",
    version: "1",
    last_inference: expect.any(Number) as number,
    inference_count: expect.any(Number) as number,
    execution_count: expect.any(Number) as number,
    inference_stats: {
      success: { count: expect.any(Number) as number, ns: expect.any(Number) as number },
      fail: { count: expect.any(Number) as number },
      queue: { ns: expect.any(Number) as number },
      compute_input: {},
      compute_infer: {},
      compute_output: {},
      cache_hit: { count: 0, ns: 0 },
      cache_miss: { count: 0, ns: 0 },
    },
    memory_usage: [],
    response_stats: {},
  });
});

test("inference is counted by rows and by runs", async () => {
  const row = [5.1, 3.5, 1.4, 0.2];
  const infer = JSON.stringify({
    inputs: [{ name: "features", shape: [3, 4], datatype: "FP32", data: [row, row, row] }],
  });
  const count = async () => {
    const { body } = await ask("GET", "/v2/models/iris/stats");
    const [one] = (
      body as { model_stats: { inference_count: number; batch_stats: { batch_size: number }[] }[] }
    ).model_stats;
    return one!;
  };
  const before = await count();
  expect((await ask("POST", "/v2/models/iris/infer", infer)).status).toBe(200);
  const after = await count();
  expect(after.inference_count).toBe(before.inference_count + 3);
  expect(after.batch_stats.map(({ batch_size }) => batch_size)).toContain(3);
});

test("statistics of all models have an entry each", async () => {
  const { body } = await ask("GET", "/v2/models/stats");
  expect((body as { model_stats: { name: string }[] }).model_stats.map(({ name }) => name)).toEqual([
    "census",
    "digits",
    "housing",
    "iris",
  ]);
});

test.each(["/v2/repository/index", "/v2/repository/any/index"])("%s lists every version", async (path) => {
  for (const sent of [undefined, "{}", '{"ready":true}', '{"ready":null,"more":1}']) {
    const { status, body } = await ask("POST", path, sent);
    expect(status).toBe(200);
    expect(body).toContainEqual({ name: "iris", version: "1", state: "READY", reason: "" });
  }
});

test.each([
  ["POST", "/v2/repository/index", '{"ready":1}', 400, /^ready: true or false is expected/],
  ["POST", "/v2/repository/index", "[1", 400, /JSON decode error at character 2/],
  ["POST", "/v2/repository/index", "[1]", 400, /a list of 1 came; an object is expected/],
  ["POST", "/v2/repository/index", `{"a":"${"x".repeat(70_000)}"}`, 413, /65536 at most here/],
  ["POST", "/v2/repository/models/iris/load", "{}", 501, /--model-control explicit/],
  ["POST", "/v2/repository/models/iris/unload", "{}", 501, /--model-control explicit/],
  ["POST", "/v2/repository/x/models/iris/unload", undefined, 501, /--model-control explicit/],
  ["GET", "/v2/systemsharedmemory/status", undefined, 501, /maps no memory of its clients/],
  [
    "POST",
    "/v2/systemsharedmemory/region/r/register",
    "{}",
    501,
    /systemsharedmemory of "r": the server maps no/,
  ],
  ["POST", "/v2/cudasharedmemory/unregister", undefined, 501, /maps no memory of its clients/],
  ["POST", "/v2/models/iris/generate", "{}", 501, /send tensors to \/v2\/models\/iris\/infer/],
  ["POST", "/v2/logging", "{}", 501, /--log-level/],
  ["POST", "/v2/trace/setting", "{}", 501, /takes no traces/],
  [
    "GET",
    "/v2/models/irsi",
    undefined,
    404,
    /^Request for unknown model: 'irsi' is not found; did you mean "iris"\?/,
  ],
  [
    "GET",
    "/v2/models/iris/versions/9/ready",
    undefined,
    404,
    /^Request for unknown model: 'iris' version 9 is not found/,
  ],
  ["GET", "/v2/models/irsi/stats", undefined, 404, /^Request for unknown model/],
  ["GET", "/v2/models/irsi/config", undefined, 404, /^Request for unknown model/],
  ["GET", "/v2/models/iris/infer", undefined, 405, /takes POST, not GET/],
  ["POST", "/v2/health/live", "", 405, /takes GET and HEAD, not POST/],
  ["GET", "/v2/modles/iris", undefined, 404, /nothing is served at \/v2\/modles\/iris/],
] as const)(
  "%s %s with %s is refused in the protocol's own form",
  async (method, path, body, status, error) => {
    const answer = await ask(method, path, body);
    expect(answer.status).toBe(status);
    expect(Object.keys(answer.body as object)).toEqual(["error"]);
    expect((answer.body as { error: string }).error).toMatch(error);
  },
);
