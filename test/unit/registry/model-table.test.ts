import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { ModelSchema, ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import { ANONYMOUS } from "../../../src/registry/caller.ts";
import { compareVersions, createModelTable } from "../../../src/registry/model-table.ts";
import type { ServedModel } from "../../../src/registry/served-model.ts";
import { createServedModel } from "../../support/models/served-model.ts";
import { signature, spec } from "../../support/models/signatures.ts";

function served(modelName: string, modelVersion: string): ServedModel {
  const batcher = {
    enqueue: () => undefined,
    maxQueueRows: 8192,
    cancel() {},
    depth: { rows: 0, bytes: 0, running: 0 },
    close: async () => {},
    drain: async () => {},
  };
  return createServedModel({
    modelName,
    modelVersion,
    signature: signature([spec("x", "FP32", [-1, 1])]),
    batcher,
    state: () => ModelState.READY,
    changedFiles: () => [],
    describe: () => create(ModelSchema),
  });
}

test("versions are numbers, not strings, and the highest that is ready answers", () => {
  const table = createModelTable(undefined);
  table.put(served("m", "9"));
  table.put(served("m", "10"));
  table.put({ modelName: "m", modelVersion: "11", state: ModelState.FAILED, reason: "broken" });
  expect(table.resolve("m", "", ANONYMOUS).modelVersion).toBe("10");
  expect(table.resolve("", "9", ANONYMOUS).modelVersion).toBe("9");
  expect(["10", "9", "x", "2"].toSorted(compareVersions)).toEqual(["x", "2", "9", "10"]);
});

test("what is not there is told with what is", () => {
  const table = createModelTable(undefined);
  table.put(served("census", "1"));
  table.put(served("housing", "1"));
  table.put({
    modelName: "bad",
    modelVersion: "1",
    state: ModelState.FAILED,
    reason: "it is a pickle",
  });
  expect(() => table.resolve("cenzus", "", ANONYMOUS)).toThrow('did you mean "census"?');
  expect(() => table.resolve("census", "3", ANONYMOUS)).toThrow('no version "3"; it has 1');
  expect(() => table.resolve("", "", ANONYMOUS)).toThrow("the server has bad, census, housing");
  expect(() => table.resolve("bad", "", ANONYMOUS)).toThrow("is not served: it is a pickle");
  expect(() => table.resolve("zzz", "", ANONYMOUS)).toThrow(
    expect.objectContaining({ reason: Reason.MODEL_NOT_FOUND }),
  );
});

test("names of Object's own properties are just names", () => {
  const table = createModelTable(undefined);
  table.put(served("m", "1"));
  expect(() => table.resolve("constructor", "", ANONYMOUS)).toThrow(
    expect.objectContaining({ reason: Reason.MODEL_NOT_FOUND }),
  );
  expect(() => table.resolve("__proto__", "", ANONYMOUS)).toThrow(
    expect.objectContaining({ reason: Reason.MODEL_NOT_FOUND }),
  );
});
