import { expect, test } from "vitest";
import { ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import { LoadedModel } from "../../../src/registry/loaded-model.ts";
import { buildModel, node, tensorInfo } from "../../support/models/model-builder.ts";
import { prepared } from "../../support/models/prepare.ts";
import { createFakePool } from "../../support/servers/fake-pool.ts";
import { silentLog } from "../../support/servers/silent-log.ts";

const SCHEDULING = {
  maxBatchSize: 8,
  maxQueueDelayMicroseconds: 0,
  maxQueueRows: 100,
  maxQueueBytes: 1_000_000,
  runTimeoutMs: 1_000,
};

test("a model is described anew where its state, its devices or its files have changed, and only then", async () => {
  const bytes = buildModel({
    inputs: [tensorInfo("x", "FLOAT", [null, 2])],
    outputs: [tensorInfo("y", "FLOAT", [null, 2])],
    nodes: [node("Relu", ["x"], ["y"])],
  });
  const pool = { ...createFakePool(), liveCount: 1 };
  let changed = (_names: readonly string[]): void => {};
  const fileWatch = {
    add(_files: unknown, onChange: typeof changed) {
      changed = onChange;
      return () => {};
    },
    close() {},
  };
  const model = new LoadedModel(prepared(bytes), pool, SCHEDULING, { log: silentLog, fileWatch });
  const first = model.describe();
  expect(first.state).toBe(ModelState.READY);
  expect(model.describe()).toBe(first);
  changed(["model.onnx"]);
  const afterChange = model.describe();
  expect(afterChange.changedFiles).toEqual(["model.onnx"]);
  expect(model.describe()).toBe(afterChange);
  changed([]);
  expect(model.describe()).toEqual(first);
  pool.liveCount = 0;
  expect(model.describe()).toMatchObject({ state: ModelState.UNAVAILABLE, changedFiles: [] });
  expect(model.describe()).toBe(model.describe());
  await model.close();
});
