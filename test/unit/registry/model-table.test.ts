import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { ModelSchema, ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import { ANONYMOUS } from "../../../src/registry/caller.ts";
import { compareVersions, createModelTable } from "../../../src/registry/model-table.ts";
import type { Generation, ServedModel } from "../../../src/registry/served-model.ts";
import { createServedModel } from "../../support/models/served-model.ts";
import { signature, spec } from "../../support/models/signatures.ts";

function served(modelName: string, modelVersion: string): ServedModel {
  const batcher = {
    enqueue: () => undefined,
    maxQueueRows: 8192,
    cancel: () => false,
    depth: { rows: 0, bytes: 0, running: 0, entries: 0 },
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

const names = (labels: Record<string, string>, defaultVersion = "") => ({
  labels: new Map(Object.entries(labels)),
  defaultVersion,
});

test("labels and the default version mean the versions that they were given to, and follow when they are given to others", () => {
  const table = createModelTable(undefined);
  for (const version of ["1", "2", "3"]) table.put(served("m", version));
  table.name("m", names({ stable: "1", canary: "3" }, "2"));
  const meant = (version: string) => table.resolve("m", version, ANONYMOUS).modelVersion;
  expect([meant(""), meant("stable"), meant("canary"), meant("3")]).toEqual(["2", "1", "3", "3"]);
  expect(table.entries().map((model) => table.isDefault(model))).toEqual([false, true, false]);
  table.name("m", names({ stable: "2" }));
  expect([meant(""), meant("stable")]).toEqual(["3", "2"]);
  expect(() => meant("canary")).toThrow('no version "canary"; it has 1, 2, 3, and the labels stable');
});

test("a name of a version that does not serve is answered with why, and no other version answers in its place", () => {
  const table = createModelTable(undefined);
  table.put(served("m", "1"));
  table.put({ modelName: "m", modelVersion: "2", state: ModelState.FAILED, reason: "half a file" });
  table.name("m", names({ stable: "2", beta: "7" }, "2"));
  expect(() => table.resolve("m", "stable", ANONYMOUS)).toThrow("version 2 is not served: half a file");
  expect(() => table.resolve("m", "", ANONYMOUS)).toThrow("version 2 is not served: half a file");
  expect(() => table.resolve("m", "beta", ANONYMOUS)).toThrow(
    'no version "7", which the label "beta" means; it has',
  );
  table.name("m", names({}, "8"));
  expect(() => table.resolve("m", "", ANONYMOUS)).toThrow(
    'no version "8", which default_version means; it has',
  );
});

test("whoever listens hears of each change after it", () => {
  const heard: string[] = [];
  const table = createModelTable(undefined);
  const tell = (what: string) => (model: { readonly modelVersion: string }) =>
    void heard.push(`${what} ${model.modelVersion} of ${table.entries().length}`);
  table.listen({
    onPut: tell("put"),
    onRemoved: tell("removed"),
    onNamed: (_, { defaultVersion }) => void heard.push(`default ${defaultVersion}`),
    onUpdateFailed: (_, reason) => void heard.push(String(reason)),
  });
  const [one, two] = ["1", "2"].map((modelVersion) => ({
    modelName: "m",
    modelVersion,
    state: ModelState.FAILED,
    reason: "",
  }));
  table.put(one!);
  table.put(two!);
  table.name("m", names({}, "2"));
  table.remove(one!);
  table.remove(one!);
  table.failUpdate(served("m", "2") as Generation, "half a file");
  expect(heard).toEqual(["put 1 of 1", "put 2 of 2", "default 2", "removed 1 of 1", "half a file"]);
});
