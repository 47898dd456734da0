import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { type Model, ModelSchema, ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import { banner, logServedModels, servingLine } from "../../../src/cli/banner.ts";
import { silentLog } from "../../support/servers/silent-log.ts";

const address = { host: "127.0.0.1", port: 1, encrypted: false };

test("an empty repository is named with the path that a model belongs at", () => {
  expect(banner("1", address, [], "my/models")).toContain(
    "Put a model at my/models/<name>/<version>/model.onnx and start again.",
  );
});

test("a line that is pasted into a shell keeps quotes in names", () => {
  const exampleRequest = { modelName: "it's", features: [1] };
  const model = create(ModelSchema, { modelName: "it's", state: ModelState.READY, exampleRequest });
  expect(banner("1", address, [model], "m")).toContain(`-d '{"model_name":"it'\\''s","features":[1]}'`);
});

const inState = (modelName: string, state: ModelState): Model =>
  create(ModelSchema, { modelName, modelVersion: "3", state, devices: ["cpu:0"] });
const models = [inState("good", ModelState.READY), inState("bad", ModelState.FAILED)];

test("one JSON line says where the server is reached, and how many models it serves", () => {
  const line = servingLine("1.2.3", { host: "0.0.0.0", port: 81, encrypted: true }, models);
  expect(line.endsWith("\n")).toBe(true);
  expect(JSON.parse(line)).toEqual({
    level: "info",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    address: "https://localhost:81",
    version: "1.2.3",
    served: 1,
    failed: 1,
    msg: "serves 1 model on https://localhost:81 with Assay 1.2.3",
  });
});

test("the log has a line for each model that is served, with its devices", () => {
  const lines: unknown[] = [];
  logServedModels({ ...silentLog, info: (fields, message) => lines.push([message, fields]) }, models);
  expect(lines).toEqual([
    ["good version 3 is served on cpu:0", { model: "good", version: "3", devices: ["cpu:0"] }],
  ]);
});

test.each([
  [{ ...address, port: 8080 }, "try one: npx assay try good\n"],
  [address, "try one: npx assay try good --server http://127.0.0.1:1\n"],
])("the banner ends with a command that tries the first model that is served", (where, line) => {
  expect(banner("1", where, models, "m")).toContain(line);
});
