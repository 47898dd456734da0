import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Code, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, test } from "vitest";
import { BatchingMode, ModelService, ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { fileFolder } from "../../support/folders.ts";
import { startAppServer } from "../../support/servers/app-server.ts";
import { fileServer } from "../../support/servers/tested-servers.ts";

const folder = fileFolder();
cpSync("models/census", join(folder, "census"), { recursive: true });
cpSync("models/iris/1", join(folder, "iris/9"), { recursive: true });
cpSync("models/iris/1", join(folder, "iris/10"), { recursive: true });
const config = {
  max_batch_size: 32,
  instance_group: [{ kind: "KIND_CPU", count: 3 }],
  inputs: [{ name: "features", nan: "REJECT" }],
};
writeFileSync(join(folder, "iris/10/config.json"), JSON.stringify(config));
mkdirSync(join(folder, "iris/11"));
writeFileSync(join(folder, "iris/11/model.onnx"), "");
const server = await fileServer(folder, { "default-model": "iris" });

describe.each(["gRPC", "Connect JSON"])("over %s", (protocol) => {
  const transport = () =>
    protocol === "gRPC"
      ? createGrpcTransport({ baseUrl: server.url })
      : createConnectTransport({ baseUrl: server.url, httpVersion: "1.1", useBinaryFormat: false });

  test("ListModels lists every version in the order of numbers, with the reason of those that failed", async () => {
    const { models } = await createClient(ModelService, transport()).listModels({});
    expect(models.map((model) => `${model.modelName}/${model.modelVersion} ${model.state}`)).toEqual([
      `census/1 ${ModelState.READY}`,
      `iris/9 ${ModelState.READY}`,
      `iris/10 ${ModelState.READY}`,
      `iris/11 ${ModelState.FAILED}`,
    ]);
    expect(models[3]?.stateReason).toMatch(/model\.onnx.*empty/);
  });

  test("GetModel says all that a caller needs, of the highest version that is ready", async () => {
    const { model, versions } = await createClient(ModelService, transport()).getModel({ modelName: "iris" });
    const file = readFileSync("models/iris/1/model.onnx");
    expect(model).toMatchObject({
      modelName: "iris",
      modelVersion: "10",
      state: ModelState.READY,
      stateReason: "",
      inputs: [{ name: "features", datatype: "FP32", shape: [-1n, 4n], optional: false }],
      labels: ["setosa", "versicolor", "virginica"],
      devices: ["cpu:0", "cpu:1", "cpu:2"],
      batching: BatchingMode.ACROSS_REQUESTS,
      config: { maxBatchSize: 32, maxQueueRows: 8192, maxQueueBytes: 67108864n, runTimeoutMs: 30000 },
      sha256: createHash("sha256").update(file).digest("hex"),
      fileBytes: BigInt(file.length),
    });
    expect(model?.outputs.map((output) => output.name)).toContain(model?.scoreOutput);
    expect(model?.opsetImports.length).toBeGreaterThan(0);
    expect(model?.irVersion).toBeGreaterThan(0n);
    expect(model?.producer).toMatch(/skl2onnx/);
    expect(versions.map((version) => version.modelVersion)).toEqual(["9", "10", "11"]);
    const scored = await createClient(ScoringService, transport()).predict(model!.exampleRequest!);
    expect(scored).toMatchObject({ modelName: "iris", modelVersion: "10", scores: [expect.any(Number)] });
  });

  test("GetModel names repairs, and columns with their other spellings", async () => {
    const { model } = await createClient(ModelService, transport()).getModel({ modelName: "census" });
    expect(model?.repairs.map((repair) => repair.kind)).toContain("zipmap_removed");
    const column = model?.inputs.find((input) => input.name === "education_num");
    expect(column?.aliases).toContain("education-num");
    expect(model?.labels).toEqual(["<=50K", ">50K"]);
  });

  test("a model or version that is not there is NOT_FOUND, with what there is", async () => {
    const client = createClient(ModelService, transport());
    await expect(client.getModel({ modelName: "cenzus" })).rejects.toMatchObject({
      code: Code.NotFound,
      rawMessage: expect.stringContaining('did you mean "census"?'),
    });
    await expect(client.getModel({ modelName: "iris", modelVersion: "3" })).rejects.toMatchObject({
      code: Code.NotFound,
      rawMessage: expect.stringContaining("it has 9, 10, 11"),
    });
  });

  test("a version that failed is refused with its reason, and an empty name means the default model", async () => {
    const client = createClient(ScoringService, transport());
    const features = [5.1, 3.5, 1.4, 0.2];
    await expect(client.predict({ modelName: "iris", modelVersion: "11", features })).rejects.toMatchObject({
      code: Code.FailedPrecondition,
      rawMessage: expect.stringContaining("empty"),
    });
    expect(await client.predict({ features })).toMatchObject({ modelName: "iris", modelVersion: "10" });
  });
});

test("NaN is refused alike in every form where the configuration forbids it, and passes where it does not", async () => {
  const client = createClient(ScoringService, createGrpcTransport({ baseUrl: server.url }));
  const features = [5.1, Number.NaN, 1.4, 0.2];
  const tensor = { name: "features", datatype: "FP32", shape: [1n, 4n] };
  const rawContents = new Uint8Array(Float32Array.from(features).buffer);
  const forms = [
    { features },
    { inputs: [{ ...tensor, contents: { fp32Contents: features } }] },
    { inputs: [{ ...tensor, rawContents }] },
  ];
  for (const form of forms) {
    await expect(client.predict(form)).rejects.toMatchObject({
      code: Code.InvalidArgument,
      rawMessage: expect.stringMatching(/\[1\]: NaN came/),
    });
    expect((await client.predict({ ...form, modelVersion: "9" })).scores).toHaveLength(1);
  }
});

test("plain /predict uses the default model", async () => {
  const body = JSON.stringify({ features: [5.1, 3.5, 1.4, 0.2] });
  const response = await fetch(`${server.url}/predict`, { method: "POST", body });
  expect(await response.json()).toMatchObject({ model_name: "iris", model_version: "10" });
});

test("numbers beyond a float are refused by /predict as well", async () => {
  const body = JSON.stringify({ features: [1, 2, 3, 1e39] });
  const response = await fetch(`${server.url}/predict/iris`, { method: "POST", body });
  expect(response.status).toBe(422);
  expect(await response.json()).toMatchObject({ detail: [{ loc: ["body", "features", 3] }] });
});

test("a default model that is not there, and a port that is taken, fail the start by name", async () => {
  await expect(startAppServer(folder, { "default-model": "iriz" })).rejects.toThrow(
    /--default-model: .*"iriz".*"iris"/,
  );
  const port = String(server.app.address.port);
  await expect(startAppServer("models", { port })).rejects.toThrow(new RegExp(`port ${port} is taken`));
});
