import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ModelState, ModelSummarySchema } from "../../../../gen/assay/v1/model_service_pb.ts";
import { readyzResponse } from "../../../../src/edge/admin/probes.ts";

const summary = (modelName: string, state: ModelState, stateReason = "") =>
  create(ModelSummarySchema, { modelName, modelVersion: "1", state, stateReason });
const good = summary("good", ModelState.READY);
const bad = summary("bad", ModelState.FAILED, "not ONNX");

test("a ready server is 200 and lists what does not serve, and why", () => {
  expect(readyzResponse({ ready: true, settled: true, draining: false, models: [bad, good] })).toEqual({
    status: 200,
    body: {
      status: "ready",
      serving: 1,
      not_serving: [{ model_name: "bad", model_version: "1", state: "FAILED", reason: "not ONNX" }],
      changed_files: [],
      failed_updates: [],
    },
  });
});

test("files that changed under a loaded model are listed, and the server stays ready", () => {
  const changed = { ...good, changedFiles: ["model.onnx.data"] };
  expect(readyzResponse({ ready: true, settled: true, draining: false, models: [changed] })).toMatchObject({
    status: 200,
    body: {
      serving: 1,
      changed_files: [{ model_name: "good", model_version: "1", files: ["model.onnx.data"] }],
    },
  });
});

test.each([
  [{ settled: false, draining: false }, "loading"],
  [{ settled: true, draining: true }, "draining"],
  [{ settled: true, draining: false }, "not ready"],
])("%j is 503: %s", (state, status) => {
  const response = readyzResponse({ ready: false, models: [bad], ...state });
  expect(response).toMatchObject({ status: 503, body: { status } });
});
