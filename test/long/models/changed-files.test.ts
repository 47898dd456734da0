import { readFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { childrenOf, externalModel } from "../../support/models/hanging-models.ts";
import { onnxModel } from "../../support/models/onnx-model.ts";
import {
  type JsonAnswer,
  type ModelServer,
  postJson,
  serveModels,
} from "../../support/servers/model-server.ts";

const weights = (first: number, second: number) => new Uint8Array(Float32Array.of(first, second).buffer);

function serve(...flags: string[]): Promise<ModelServer> {
  return serveModels(
    { scaled: { "model.onnx": externalModel(), "model.onnx.data": weights(2, 3) } },
    ...flags,
  );
}

/** The score of a row of ones. */
const scored = (...values: number[]) => ({
  status: 200,
  body: { outputs: [{ contents: { fp32_contents: values } }] },
});

async function changedFiles(url: string): Promise<unknown> {
  return ((await (await fetch(`${url}/readyz`)).json()) as { changed_files: unknown }).changed_files;
}

/** Waits for what the server tells, at most for so long that only one that tells nothing fails. */
const told = (url: string) => expect.poll(() => changedFiles(url), { timeout: 20_000 });

const ofScaled = (...files: string[]) => [{ model_name: "scaled", model_version: "1", files }];

test("weights that are overwritten, cut or taken away change no score, and the change is told until they are back", async () => {
  const { url, path, predict } = await serve();
  const file = path("scaled", "model.onnx.data");
  expect(await changedFiles(url)).toEqual([]);
  writeFileSync(file, weights(20, 30));
  await told(url).toEqual(ofScaled("model.onnx.data"));
  expect(await predict("scaled", [1, 1])).toMatchObject(scored(2, 3));
  truncateSync(file, 0);
  expect(await predict("scaled", [1, 1])).toMatchObject(scored(2, 3));
  renameSync(file, `${file}.old`);
  expect(await predict("scaled", [1, 1])).toMatchObject(scored(2, 3));
  expect(await postJson(`${url}/assay.v1.ModelService/GetModel`, { modelName: "scaled" })).toMatchObject({
    body: { model: { changedFiles: ["model.onnx.data"] } },
  });
  writeFileSync(file, weights(2, 3));
  await told(url).toEqual([]);
});

test("a model file, a config.json that comes and one that goes are told of, and what was loaded is served on", async () => {
  const { url, path, predict } = await serve();
  const other = onnxModel("affine", {
    inputs: [{ name: "x", datatype: "FP32", shape: [-1, 2] }],
    outputs: [{ name: "y", datatype: "FP32", shape: [-1, 2] }],
    nodes: [{ op: "Neg", inputs: ["x"], outputs: ["y"] }],
  });
  writeFileSync(path("affine", "model.onnx"), other.bytes);
  writeFileSync(path("affine", "config.json"), "{}");
  await told(url).toEqual([
    { model_name: "affine", model_version: "1", files: ["model.onnx", "config.json"] },
  ]);
  expect(await predict("affine", [1, 1])).toMatchObject(scored(3, 3));
});

test("a process that is replaced after its files changed scores as before or is refused by name, never from new weights", async () => {
  const { path, predict, processId } = await serve("--isolation", "process");
  const bytes = readFileSync(path("affine", "model.onnx"));
  writeFileSync(path("affine", "model.onnx"), bytes.subarray(0, 20));
  writeFileSync(path("scaled", "model.onnx.data"), weights(20, 30));
  for (const child of childrenOf(processId)) process.kill(child, "SIGKILL");
  const answers: JsonAnswer[] = [];
  const once = async () => {
    const answer = await predict("scaled", [1, 1]);
    if (answer.status === 200) answers.push(answer);
    return JSON.stringify(answer.body);
  };
  await expect.poll(once, { timeout: 30_000 }).toContain('weights file \\"model.onnx.data\\" has changed');
  expect(await predict("affine", [1, 1])).toMatchObject(scored(3, 3));
  writeFileSync(path("scaled", "model.onnx.data"), weights(2, 3));
  await expect.poll(once, { timeout: 40_000 }).toContain("fp32_contents");
  for (const answer of answers) expect(answer).toMatchObject(scored(2, 3));
}, 90_000);
