import { create } from "@bufbuild/protobuf";
import { beforeEach, expect, test } from "vitest";
import { ModelSchema, ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import { ANONYMOUS } from "../../../src/registry/caller.ts";
import { createModelTable, type ModelTable } from "../../../src/registry/model-table.ts";
import type { ModelsService } from "../../../src/registry/models.ts";
import { createModelsService } from "../../../src/registry/models-service.ts";
import type { ServedModel } from "../../../src/registry/served-model.ts";
import { affineModel } from "../../support/models/onnx-model.ts";

const lifecycle = { settled: true, draining: false };
let table: ModelTable;
let models: ModelsService;
beforeEach(() => {
  table = createModelTable(undefined);
  models = createModelsService(table, lifecycle, false);
});

function put(modelName: string, modelVersion: string, state: ModelState): void {
  const { signature } = affineModel();
  table.put({
    modelName,
    modelVersion,
    signature,
    batcher: {},
    state: () => state,
    changedFiles: () => [],
    describe: () => create(ModelSchema, { modelName, modelVersion, state }),
  } as unknown as ServedModel);
}

function told(modelName: string, modelVersion = ""): string {
  const { model, versions } = models.get(modelName, modelVersion, ANONYMOUS);
  return `${model!.modelName} ${model!.modelVersion} of ${versions.map((one) => one.modelVersion)}`;
}

test("GetModel tells of the version that a call with the same words is answered by", () => {
  put("m", "1", ModelState.READY);
  put("m", "2", ModelState.UNAVAILABLE);
  table.put({ modelName: "m", modelVersion: "3", state: ModelState.FAILED, reason: "half a file" });
  for (const name of ["m", ""]) {
    expect(told(name)).toBe("m 2 of 1,2,3");
    expect(table.resolve(name, "", ANONYMOUS).modelVersion).toBe("2");
  }
  expect(told("m", "1")).toBe("m 1 of 1,2,3");
});

test("GetModel tells of a version that does not serve, where a call is refused with its reason", () => {
  table.put({ modelName: "m", modelVersion: "3", state: ModelState.FAILED, reason: "half a file" });
  const { model } = models.get("m", "", ANONYMOUS);
  expect(model).toMatchObject({ modelVersion: "3", state: ModelState.FAILED, stateReason: "half a file" });
  expect(() => table.resolve("m", "", ANONYMOUS)).toThrow("is not served: half a file");
});

test("what is not there is refused by GetModel and by calls in the same words", () => {
  put("census", "1", ModelState.READY);
  put("iris", "1", ModelState.READY);
  for (const [name, version] of [
    ["cenzus", ""],
    ["iris", "9"],
    ["", ""],
  ] as const) {
    let message = "";
    try {
      table.resolve(name, version, ANONYMOUS);
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).not.toBe("");
    expect(() => models.get(name, version, ANONYMOUS)).toThrow(message);
  }
});

test("a version that fails while others serve makes no server not ready, one that failed at the start does where that is strict", () => {
  const strict = createModelsService(table, lifecycle, true);
  put("m", "1", ModelState.READY);
  const failed = { modelName: "m", modelVersion: "2", state: ModelState.FAILED, reason: "half a file" };
  table.put({ ...failed, isUpdate: true });
  expect(strict.readiness().ready).toBe(true);
  table.put(failed);
  expect(strict.readiness().ready).toBe(false);
  expect(models.readiness().ready).toBe(true);
});

test("a server whose models come at the word of callers is ready without any", () => {
  const empty = createModelsService(table, { ...lifecycle, startsEmpty: true }, true);
  expect([empty.readiness().ready, models.readiness().ready]).toEqual([true, false]);
});

test("the labels of a version, and whether it is the default, are told", () => {
  put("m", "1", ModelState.READY);
  put("m", "2", ModelState.READY);
  table.name("m", { labels: new Map([["stable", "1"]]), defaultVersion: "1" });
  expect(models.get("m", "stable", ANONYMOUS).model).toMatchObject({
    modelVersion: "1",
    versionLabels: ["stable"],
    isDefault: true,
  });
  expect(models.list(ANONYMOUS)[1]).toMatchObject({ modelVersion: "2", versionLabels: [], isDefault: false });
});
