import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { GRPCInferenceService } from "../../../gen/inference/grpc_service_pb.ts";
import { testFolder } from "../../support/folders.ts";
import { type AppServer, startAppServer } from "../../support/servers/app-server.ts";
import { ChangingRepository, plusModel } from "../../support/updates/changing-repository.ts";

let repository: ChangingRepository;
let server: AppServer | undefined;
beforeEach(() => {
  repository = new ChangingRepository(testFolder());
  server = undefined;
});
afterEach(() => server?.app.close());

async function start(flags: Record<string, string> = {}): Promise<AppServer> {
  server = await startAppServer(repository.folder, flags);
  return server;
}

async function answered(
  path: string,
  body?: unknown,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(`${server!.url}${path}`, init);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** The version that answered, and what it added. */
async function scored(version = ""): Promise<string> {
  const { status, body } = await answered(`/predict/plus${version && `/${version}`}`, { features: [0] });
  return status === 200 ? `${body.model_version}: ${body.scores}` : `${status} ${body.detail}`;
}

async function readyz(): Promise<Record<string, unknown>> {
  return (await answered("/readyz")).body;
}

const load = (model = "plus", body: unknown = {}) => answered(`/v2/repository/models/${model}/load`, body);
const unload = (model = "plus") => answered(`/v2/repository/models/${model}/unload`, {});

test("a new version serves once the repository was looked at again; one whose folder has gone does no more", async () => {
  repository.put(1, plusModel(10));
  const { app } = await start();
  repository.put(2, plusModel(20));
  expect(await scored()).toBe("1: 10");
  await app.rescan();
  expect([await scored(), await scored("1"), await scored("2")]).toEqual(["2: 20", "1: 10", "2: 20"]);
  repository.remove("2");
  await app.rescan();
  expect(await scored()).toBe("1: 10");
  repository.put(1, plusModel(5), "other");
  repository.remove();
  await app.rescan();
  expect((await answered("/v2/models")).body).toEqual({ models: ["other"] });
});

test("a file that is replaced serves in its place, and goes on with the version's counts", async () => {
  repository.put(1, plusModel(10));
  const { app } = await start();
  await scored();
  repository.put(1, plusModel(11));
  await app.rescan();
  expect(await scored()).toBe("1: 11");
  const { body } = await answered("/v2/models/plus/stats");
  expect(body.model_stats).toMatchObject([{ version: "1", inference_count: 2 }]);
});

test("what cannot be served never takes the place of what is, and is told", async () => {
  repository.put(1, plusModel(10));
  const { app } = await start({ "strict-readiness": "" });
  repository.put(1, plusModel(10).subarray(0, 40));
  repository.put(2, Buffer.from("no model"));
  await app.rescan();
  expect(await scored()).toBe("1: 10");
  expect(await scored("2")).toMatch(/^503 .*version 2 is not served: model.onnx/);
  expect((await answered("/readyz")).status).toBe(200);
  expect(await readyz()).toMatchObject({
    not_serving: [{ model_version: "2", state: "FAILED" }],
    failed_updates: [
      { model_name: "plus", model_version: "1", reason: expect.stringContaining("model.onnx") },
    ],
  });
  repository.put(1, plusModel(12));
  repository.put(2, plusModel(20));
  await app.rescan();
  expect([await scored("1"), await scored()]).toEqual(["1: 12", "2: 20"]);
  expect(await readyz()).toMatchObject({ not_serving: [], failed_updates: [] });
});

test("golden rows gate what is loaded while the server serves", async () => {
  const golden = (y: number) =>
    JSON.stringify([
      {
        inputs: [{ name: "x", datatype: "FP32", shape: [1, 1], data: [1] }],
        outputs: [{ name: "y", datatype: "FP32", shape: [1, 1], data: [y] }],
      },
    ]);
  repository.put(1, plusModel(10));
  const { app } = await start();
  repository.write("plus/2/golden.json", golden(99));
  repository.put(2, plusModel(20));
  await app.rescan();
  expect(await scored()).toBe("1: 10");
  repository.write("plus/2/golden.json", golden(21));
  await app.rescan();
  expect(await scored()).toBe("2: 20");
});

test("of the latest versions one that fails is stood in for by the next lower, at the start too", async () => {
  repository.configure({ version_policy: { latest: { num_versions: 1 } } });
  repository.put(1, plusModel(10));
  repository.put(2, plusModel(20));
  repository.put(3, Buffer.from("no model"));
  const { app } = await start();
  const versions = async () => (await answered("/v2/repository/index", {})).body;
  expect(await versions()).toMatchObject([
    { version: "2", state: "READY" },
    { version: "3", state: "UNAVAILABLE" },
  ]);
  repository.put(3, plusModel(30));
  await app.rescan();
  expect(await versions()).toMatchObject([{ version: "3", state: "READY" }]);
  repository.configure({ version_policy: { specific: { versions: [1, 3] } } });
  await app.rescan();
  expect(await versions()).toMatchObject([{ version: "1" }, { version: "3" }]);
});

test("labels and the default version mean versions in every protocol, and a label that is moved back is a rollback", async () => {
  const configure = (stable: number) =>
    repository.configure({ version_labels: { stable, canary: 2 }, default_version: "stable" });
  configure(1);
  for (const version of [1, 2, 3]) repository.put(version, plusModel(version * 10));
  const { app } = await start();
  const everywhere = async (label: string) => {
    const v1 = await answered(`/v1/models/plus/labels/${label}:predict`, { instances: [[0]] });
    const v2 = await answered(`/v2/models/plus/versions/${label}/infer`, {
      inputs: [{ name: "x", datatype: "FP32", shape: [1, 1], data: [0] }],
    });
    const native = await fetch(`${server!.url}/assay.v1.ScoringService/Predict`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ modelName: "plus", modelVersion: label, features: [0] }),
    });
    const { scores } = (await native.json()) as { scores: number[] };
    return [await scored(label), v1.body.predictions, v2.body.model_version, scores];
  };
  expect(await everywhere("canary")).toEqual(["2: 20", [20], "2", [20]]);
  expect(await everywhere("stable")).toEqual(["1: 10", [10], "1", [10]]);
  expect(await scored()).toBe("1: 10");
  expect(await scored("beta")).toMatch(
    /^404 .*no version "beta"; it has 1, 2, 3, and the labels stable, canary/,
  );
  configure(3);
  await app.rescan();
  expect([await scored(), await scored("stable")]).toEqual(["3: 30", "3: 30"]);
  configure(1);
  await app.rescan();
  expect(await scored()).toBe("1: 10");
  expect(
    app
      .models()
      .map(({ modelVersion, versionLabels, isDefault }) => [modelVersion, versionLabels, isDefault]),
  ).toEqual([
    ["1", ["stable"], true],
    ["2", ["canary"], false],
    ["3", [], false],
  ]);
});

test("a label stays where it is while the version that it is to mean is not served", async () => {
  repository.configure({ version_labels: { stable: 1 }, default_version: "stable" });
  repository.put(1, plusModel(10));
  const { app } = await start();
  repository.put(2, Buffer.from("no model"));
  repository.configure({ version_labels: { stable: 2 }, default_version: "stable" });
  await app.rescan();
  expect([await scored(), await scored("stable")]).toEqual(["1: 10", "1: 10"]);
  expect(await readyz()).toMatchObject({
    failed_updates: [
      {
        model_version: "1",
        reason: 'the label "stable" stays with version 1: version 2, which it is to mean, is not served',
      },
    ],
  });
  repository.put(2, plusModel(20));
  await app.rescan();
  expect([await scored(), await scored("stable")]).toEqual(["2: 20", "2: 20"]);
});

test("a config.json that cannot be read leaves all that serves as it is", async () => {
  repository.put(1, plusModel(10));
  const { app } = await start();
  repository.write("plus/config.json", '{"version_labls": {}}');
  repository.put(2, plusModel(20));
  await app.rescan();
  expect(await scored()).toBe("1: 10");
  expect(JSON.stringify((await readyz()).failed_updates)).toContain('did you mean \\"version_labels\\"?');
});

test("with explicit control nothing is loaded but what is asked for, and an unloaded model answers no more", async () => {
  repository.put(1, plusModel(10));
  repository.put(1, plusModel(7), "other");
  await start({ "model-control": "explicit", "load-model": "other" });
  expect(await readyz()).toMatchObject({ status: "ready", serving: 1 });
  expect(await scored()).toMatch(/^503 .*is not loaded: nobody asked for it/);
  expect(await load()).toMatchObject({ status: 200 });
  expect(await scored()).toBe("1: 10");
  expect((await unload()).status).toBe(200);
  expect(await scored()).toMatch(/^503 .*is not loaded: unloaded/);
  expect((await answered("/v2/repository/index", {})).body).toMatchObject([
    { name: "other", state: "READY" },
    { name: "plus", version: "1", state: "UNAVAILABLE", reason: "unloaded" },
  ]);
  repository.put(1, plusModel(11));
  await server!.app.rescan();
  expect(await scored()).toMatch(/^503/);
  await load();
  expect(await scored()).toBe("1: 11");
});

test("models are loaded and unloaded over gRPC, in Triton's words and in KServe's", async () => {
  repository.put(1, plusModel(10));
  const { url } = await start({ "model-control": "explicit" });
  const client = createClient(GRPCInferenceService, createGrpcTransport({ baseUrl: url }));
  await client.repositoryModelLoad({ modelName: "plus" });
  expect(await scored()).toBe("1: 10");
  const unload_dependents = { parameterChoice: { case: "boolParam", value: true } } as const;
  await client.repositoryModelUnload({ modelName: "plus", parameters: { unload_dependents } });
  expect((await client.repositoryIndex({})).models).toMatchObject([
    { state: "UNAVAILABLE", reason: "unloaded" },
  ]);
  await client.repositoryModelLoad({ repositoryName: "plus" });
  expect(await scored()).toBe("1: 10");
  const config = { parameterChoice: { case: "stringParam", value: "{}" } } as const;
  await expect(client.repositoryModelLoad({ modelName: "plus", parameters: { config } })).rejects.toThrow(
    'parameters["config"]: models are loaded as they lie in the repository',
  );
});

test("each message of a stream that is open across a switch is answered by the version that its words mean then", async () => {
  repository.put(1, plusModel(10));
  const { app, url } = await start();
  const client = createClient(ScoringService, createGrpcTransport({ baseUrl: url }));
  async function* items() {
    yield { itemId: 1n, request: { modelName: "plus", features: [0] } };
    await first;
    repository.put(2, plusModel(20));
    await app.rescan();
    yield { itemId: 2n, request: { modelName: "plus", features: [0] } };
    yield { itemId: 3n, request: { modelName: "plus", modelVersion: "1", features: [0] } };
  }
  const { promise: first, resolve: onFirst } = Promise.withResolvers<void>();
  const answers: unknown[] = [];
  for await (const { result } of client.predictStream(items())) {
    onFirst();
    if (result.case === "response") answers.push([result.value.modelVersion, result.value.scores[0]]);
  }
  expect(answers).toEqual([
    ["1", 10],
    ["2", 20],
    ["1", 10],
  ]);
});

test("loading tells why a version does not serve; what is not there, or brings its own files, is refused", async () => {
  repository.put(1, plusModel(10));
  await start({ "model-control": "explicit" });
  expect((await answered("/readyz")).status).toBe(200);
  expect((await load()).status).toBe(200);
  repository.put(1, Buffer.from("no model"));
  expect(await load()).toMatchObject({
    status: 503,
    body: { error: expect.stringContaining('failed to load model "plus": version 1: model.onnx') },
  });
  expect(await scored()).toBe("1: 10");
  expect(await load("plsu")).toMatchObject({
    status: 404,
    body: { error: expect.stringContaining('did you mean "plus"?') },
  });
  expect((await load("..%2f..")).status).toBe(404);
  expect((await load("plus", { parameters: { config: "{}" } })).status).toBe(501);
  expect(await load("plus", { parameters: { priority: 1 } })).toMatchObject({ status: 400 });
  expect(
    (await answered("/v2/repository/models/plus/unload", { parameters: { unload_dependents: true } })).status,
  ).toBe(200);
  expect((await answered("/v2/repository/models/plus/unload", { parameters: { force: true } })).status).toBe(
    400,
  );
});

test("with --watch what is new, changed or gone is noticed without a word", async () => {
  repository.put(1, plusModel(10));
  await start({ watch: "", "poll-interval-ms": "50" });
  const until = async (answer: string) =>
    expect.poll(() => scored(), { timeout: 25_000, interval: 20 }).toBe(answer);
  repository.put(2, plusModel(20));
  await until("2: 20");
  repository.put(1, plusModel(11));
  repository.remove("2");
  await until("1: 11");
});
