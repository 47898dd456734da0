import { globSync, readFileSync } from "node:fs";
import { basename, dirname, relative } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { prepareModel } from "../../src/model/prepare-model.ts";
import type { PreparedModel } from "../../src/model/prepared-model.ts";
import { createPool } from "../../src/pool/create-pool.ts";
import { silentLog } from "../support/servers/silent-log.ts";
import { SHARED_MODELS } from "./shared-models.ts";

/** Why ONNX Runtime runs the trees of some, by the folders of the model's file. */
const WITH_ONNX_RUNTIME: Readonly<Record<string, string>> = {
  "exports/digits-iforest/1": "the graph has 10 ensembles of trees",
};

const models = globSync(`${SHARED_MODELS}{tabular,exports,shapes,cases}/**/*.onnx`).flatMap((path) => {
  const found = prepareModel({
    modelName: basename(dirname(path)),
    modelVersion: "1",
    bytes: readFileSync(path),
    configText: undefined,
    goldenText: undefined,
    testDataCases: [],
    findExternal: (location) => ({ path: location, byteLength: 0 }),
  });
  if (found.kind === "refused" || !found.model.hasTrees) return [];
  const name = relative(SHARED_MODELS, path).replace(/\/model\.onnx$/, "");
  return [[name, found.model] as [string, PreparedModel]];
});

test("models with trees are there", () => {
  expect(models.length).toBeGreaterThan(6);
});

test.each(models)(
  "the trees of %s run in the kernel, or stay with ONNX Runtime for a reason that is known",
  async (name, model) => {
    const devices = [{ provider: "cpu" as const, deviceId: 0 }];
    const pool = await createPool({ model, devices, log: silentLog, treeRows: [] });
    onTestFinished(() => pool.close());
    const reason = WITH_ONNX_RUNTIME[name];
    const use = pool.instances[0]?.treeKernel;
    if (reason === undefined) expect(use).toMatchObject({ isUsed: true });
    else expect(use).toEqual({ isUsed: false, reason });
  },
);
