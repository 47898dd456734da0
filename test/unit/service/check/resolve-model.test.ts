import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { beforeAll, expect, test } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { ModelState } from "../../../../gen/assay/v1/model_service_pb.ts";
import { PredictRequestSchema } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import type { AssayError } from "../../../../src/errors.ts";
import { ANONYMOUS } from "../../../../src/registry/caller.ts";
import { createModelTable, type ModelTable } from "../../../../src/registry/model-table.ts";
import { resolveModel } from "../../../../src/service/check/resolve-model.ts";

let table: ModelTable;
beforeAll(() => {
  table = createModelTable(undefined);
  for (const modelName of ["census", "iris"]) {
    table.put({ modelName, modelVersion: "1", state: ModelState.LOADING, reason: "" });
  }
});

function refusal(request: MessageInitShape<typeof PredictRequestSchema>): AssayError {
  try {
    resolveModel(table, create(PredictRequestSchema, request), ANONYMOUS);
  } catch (error) {
    return error as AssayError;
  }
  throw new Error("it was not refused");
}

const told = ({ violations }: AssayError) => violations.map(({ field, rule }) => [field, rule]);
const good = { features: [1, 2] };

test("where the model's name is all that is wrong the table's own error is thrown", () => {
  expect(refusal({ ...good, modelName: "cenus" }).reason).toBe(Reason.MODEL_NOT_FOUND);
  expect(refusal({ ...good, modelName: "iris", modelVersion: "7" }).reason).toBe(
    Reason.MODEL_VERSION_NOT_FOUND,
  );
  expect(told(refusal(good))).toEqual([["model_name", "signature.model_name"]]);
});

test("beside a model that is unknown everything is told that needs no model, with the nearest name", () => {
  const error = refusal({
    modelName: "cenus",
    requestId: "x".repeat(257),
    outputNames: [""],
    inputs: [
      { name: "a", datatype: "float", shape: [1n] },
      { name: "b", datatype: "FP32", shape: [2n], contents: { fp32Contents: [1, Infinity] } },
      { name: "b", datatype: "FP32", shape: [-1n] },
      { name: "c", datatype: "INT64", shape: [3n], rawContents: new Uint8Array(8) },
    ],
  });
  expect(error.reason).toBe(Reason.INVALID_REQUEST);
  expect(told(error)).toEqual([
    ["inputs[0].datatype", "string.in"],
    ["inputs[1].contents.fp32_contents[1]", "value.finite"],
    ["inputs[2].name", "signature.duplicate_input"],
    ["inputs[2].shape[0]", "int64.gte"],
    ["inputs[3].raw_contents", "tensor.raw_length"],
    ["model_name", "signature.unknown_model"],
    ["output_names[0]", "string.min_len"],
    ["request_id", "string.max_len"],
  ]);
  const { description } = error.violations.find(({ field }) => field === "model_name")!;
  expect(description).toBe('the server has no model "cenus"; did you mean "census"?');
});

test.each([
  ["no form of rows", {}, "predict_request.one_input_form"],
  ["two forms", { features: [1], rows: [{ a: 1 }] }, "predict_request.one_input_form"],
  ["infinity", { features: [Number.POSITIVE_INFINITY] }, "value.finite"],
])("beside a model that was not named, %s is told too", (_, request, rule) => {
  const rules = told(refusal(request)).map((one) => one[1]);
  expect(rules.toSorted()).toEqual([rule, "signature.model_name"].toSorted());
});

test("a version that is unknown stands among the violations, and a model that is being loaded does not", () => {
  expect(told(refusal({ modelName: "iris", modelVersion: "7" }))).toContainEqual([
    "model_version",
    "signature.unknown_version",
  ]);
  expect(refusal({ modelName: "iris" }).reason).toBe(Reason.MODEL_NOT_READY);
});

test("a name of megabytes does not come back", () => {
  const error = refusal({ modelName: "n".repeat(2 ** 22) });
  expect(JSON.stringify([error.message, error.violations]).length).toBeLessThan(3000);
});
