import { readFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { afterEach, expect, test } from "vitest";
import {
  childrenOf,
  externalModel,
  type WrittenRepository,
  writeModels,
} from "../../support/models/hanging-models.ts";
import { onnxModel } from "../../support/models/onnx-model.ts";
import { type ServerProcess, startServerProcess } from "../../support/servers/server-process.ts";

let repository: WrittenRepository | undefined;
let server: ServerProcess | undefined;
afterEach(async () => {
  await server?.kill();
  repository?.remove();
  server = repository = undefined;
});

const weights = (first: number, second: number) => new Uint8Array(Float32Array.of(first, second).buffer);

async function serve(...flags: string[]): Promise<WrittenRepository> {
  const scaled = { "model.onnx": externalModel(), "model.onnx.data": weights(2, 3) };
  repository = writeModels({ scaled });
  server = await startServerProcess(repository.folder, ...flags);
  return repository;
}

async function predict(model: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`${server!.url}/predict/${model}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"features":[1,1]}',
  });
  return { status: response.status, text: await response.text() };
}

async function changedFiles(): Promise<unknown> {
  return ((await (await fetch(`${server!.url}/readyz`)).json()) as { changed_files: unknown }).changed_files;
}

/** Waits for what the server tells, at most for so long that only one that tells nothing fails. */
async function told(expected: unknown): Promise<void> {
  let came: unknown;
  for (let attempt = 0; attempt < 200; attempt++) {
    came = await changedFiles();
    if (JSON.stringify(came) === JSON.stringify(expected)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(came).toEqual(expected);
}

const ofScaled = (...files: string[]) => [{ model_name: "scaled", model_version: "1", files }];

test("weights that are overwritten, cut or taken away change no score, and the change is told until they are back", async () => {
  const { path } = await serve();
  const file = path("scaled", "model.onnx.data");
  expect(await changedFiles()).toEqual([]);
  writeFileSync(file, weights(20, 30));
  await told(ofScaled("model.onnx.data"));
  expect((await predict("scaled")).text).toContain('"fp32_contents":[2,3]');
  truncateSync(file, 0);
  expect((await predict("scaled")).text).toContain('"fp32_contents":[2,3]');
  renameSync(file, `${file}.old`);
  expect((await predict("scaled")).text).toContain('"fp32_contents":[2,3]');
  const described = await fetch(`${server!.url}/assay.v1.ModelService/GetModel`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"modelName":"scaled"}',
  });
  expect(await described.json()).toMatchObject({ model: { changedFiles: ["model.onnx.data"] } });
  writeFileSync(file, weights(2, 3));
  await told([]);
});

test("a model file, a config.json that comes and one that goes are told of, and what was loaded is served on", async () => {
  const { path } = await serve();
  const other = onnxModel("affine", {
    inputs: [{ name: "x", datatype: "FP32", shape: [-1, 2] }],
    outputs: [{ name: "y", datatype: "FP32", shape: [-1, 2] }],
    nodes: [{ op: "Neg", inputs: ["x"], outputs: ["y"] }],
  });
  writeFileSync(path("affine", "model.onnx"), other.bytes);
  writeFileSync(path("affine", "config.json"), "{}");
  await told([{ model_name: "affine", model_version: "1", files: ["model.onnx", "config.json"] }]);
  expect((await predict("affine")).text).toContain('"fp32_contents":[3,3]');
});

test("a process that is replaced after its files changed scores as before or is refused by name, never from new weights", async () => {
  const { path } = await serve("--isolation", "process");
  const bytes = readFileSync(path("affine", "model.onnx"));
  writeFileSync(path("affine", "model.onnx"), bytes.subarray(0, 20));
  writeFileSync(path("scaled", "model.onnx.data"), weights(20, 30));
  for (const child of childrenOf(server!.processId)) process.kill(child, "SIGKILL");
  const answers = new Set<string>();
  for (let attempt = 0; attempt < 300 && !answers.has("refused"); attempt++) {
    const { status, text } = await predict("scaled");
    if (status === 200) expect(text).toContain('"fp32_contents":[2,3]');
    if (text.includes('weights file \\"model.onnx.data\\" has changed')) answers.add("refused");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect([...answers]).toEqual(["refused"]);
  expect((await predict("affine")).text).toContain('"fp32_contents":[3,3]');
  writeFileSync(path("scaled", "model.onnx.data"), weights(2, 3));
  let status = 0;
  for (let attempt = 0; attempt < 400 && status !== 200; attempt++) {
    ({ status } = await predict("scaled"));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(status).toBe(200);
}, 60_000);
