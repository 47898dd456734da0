import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { GetModelResponseSchema, ModelState } from "../../../../gen/assay/v1/model_service_pb.ts";
import { modelMetadata } from "../../../../src/edge/inference/metadata.ts";
import { AssayError } from "../../../../src/errors.ts";

const version = (state: ModelState) =>
  create(GetModelResponseSchema, {
    model: { modelName: "m", modelVersion: "2", state, stateReason: "no such file" },
    versions: [
      { modelName: "m", modelVersion: "1", state: ModelState.READY },
      { modelName: "m", modelVersion: "2", state },
    ],
  });

test.each([ModelState.READY, ModelState.UNAVAILABLE])("what was loaded is described in state %i", (state) => {
  expect(modelMetadata(version(state))).toMatchObject({ name: "m", versions: ["1", "2"] });
});

test.each([
  [ModelState.LOADING, Reason.MODEL_NOT_READY],
  [ModelState.FAILED, Reason.MODEL_INVALID],
])("what was not loaded has no metadata but a reason, in state %i", (state, reason) => {
  let thrown: unknown;
  try {
    modelMetadata(version(state));
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(AssayError);
  expect(thrown).toMatchObject({ reason, message: 'model "m" version 2 is not served: no such file' });
});
