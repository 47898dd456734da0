import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import { startApp } from "../../../src/app/serve.ts";
import { readServerSettings } from "../../../src/config/server-settings.ts";
import type { NamedModel } from "../../../src/model/versions/model-sources.ts";
import { fileFolder } from "../../support/folders.ts";
import { silentLog } from "../../support/servers/silent-log.ts";
import { doublingConfig, doublingModel, writeFiles } from "../../support/triton/triton-folder.ts";

const root = fileFolder();
const at = (path: string) => join(root, path);

beforeAll(() => {
  writeFiles(root, {
    "churn.onnx": doublingModel(),
    // Beside a file that is named by itself, nothing counts.
    "config.json": "no JSON",
    "flat/model.onnx": doublingModel(),
    "flat/config.json": '{"max_batch_size": 3}',
    "triton/config.pbtxt": `name: "another"\n${doublingConfig("metric_tags { key: 'a' value: 'b' }")}`,
    "triton/model.onnx": doublingModel(),
    "versions/1/model.onnx": doublingModel(),
    "versions/2/model.onnx": doublingModel(),
    "odd/net.onnx": doublingModel(),
    "empty/notes.txt": "",
    "models/iris/1/model.onnx": doublingModel(),
  });
  mkdirSync(at("nothing"));
});

async function served(namedModels: NamedModel[], flags: Record<string, string> = {}) {
  const settings = readServerSettings({
    flags: new Map(Object.entries({ port: "0", devices: "cpu", ...flags })),
    environment: {},
  });
  const app = await startApp({ settings, environment: {}, log: silentLog, namedModels });
  onTestFinished(() => app.close());
  const models = app.models();
  return {
    models,
    states: models.map(
      ({ modelName, modelVersion, state, stateReason }) =>
        `${modelName}/${modelVersion}${state === ModelState.READY ? "" : `: ${stateReason}`}`,
    ),
  };
}

test("a file, a flat folder and a folder with versions are served under the names that they are given", async () => {
  const { models, states } = await served([
    { name: "a", path: at("churn.onnx") },
    { name: "b", path: at("flat") },
    { name: "c", path: at("triton") },
    { name: "d", path: at("versions") },
  ]);
  expect(states).toEqual(["a/1", "b/1", "c/1", "d/1", "d/2"]);
  expect(models.map(({ config }) => config?.maxBatchSize)).toEqual([256, 3, 8, 256, 256]);
  expect(models[2]?.notices.join()).toMatch(
    /config\.pbtxt: without effect here, answers are the same: metric_tags/,
  );
});

test("what cannot be served is listed with its reason, beside a repository that is asked for", async () => {
  const { states } = await served(
    [
      { name: "odd", path: at("odd") },
      { name: "empty", path: at("empty") },
    ],
    { models: at("models") },
  );
  expect(states).toEqual([
    expect.stringMatching(/^empty\/1: the folder has neither model\.onnx nor version folders/),
    "iris/1",
    `odd/1: the folder has no model.onnx, and net.onnx: name the file, odd=${at("odd/net.onnx")}`,
  ]);
});

test("paths that are not there, and names that the repository has too, end the start", async () => {
  await expect(
    served([
      { name: "a", path: at("gone") },
      { name: "b", path: at("lost.onnx") },
    ]),
  ).rejects.toThrow(
    `a=${at("gone")}: there is no such file or folder\nb=${at("lost.onnx")}: there is no such file or folder`,
  );
  await expect(served([{ name: "iris", path: at("churn.onnx") }], { models: at("models") })).rejects.toThrow(
    `iris=${at("churn.onnx")} came, and the repository "${at("models")}" has a model of that name: choose another`,
  );
});
