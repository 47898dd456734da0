import { toJson } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { exampleRequest } from "../../../src/model/example-request.ts";
import { buildModel, node, tensorInfo } from "../../support/models/model-builder.ts";
import { prepared } from "../../support/models/prepare.ts";

type Type = Parameters<typeof tensorInfo>[1];

function example(
  inputs: Record<string, readonly [Type, (number | null)[]]>,
  golden?: object,
  config?: string,
) {
  const names = Object.keys(inputs);
  const bytes = buildModel({
    inputs: names.map((name) => tensorInfo(name, ...inputs[name]!)),
    outputs: names.map((name) => tensorInfo(`${name}_out`, ...inputs[name]!)),
    nodes: names.map((name) => node("Identity", [name], [`${name}_out`])),
  });
  const model = prepared(bytes, config, golden === undefined ? undefined : JSON.stringify(golden));
  return toJson(PredictRequestSchema, exampleRequest(model)) as Record<string, unknown>;
}

const golden = (datatype: string, shape: number[], data: unknown[]) => ({
  inputs: { x: { datatype, shape, data } },
  outputs: { x_out: { datatype, shape, data } },
});

test("a vector of floats becomes features, from the first golden row, as short as they are exact", () => {
  const request = example({ x: ["FLOAT", [null, 2]] }, golden("FP32", [2, 2], [5.1, 3.5, 1, 2]));
  expect(request).toEqual({ modelName: "m", features: [5.1, 3.5] });
});

test("columns become one row, whatever their types", () => {
  const request = example({
    age: ["INT64", [null, 1]],
    job: ["STRING", [null, 1]],
    is_old: ["BOOL", [null, 1]],
    tall: ["FLOAT16", [null, 1]],
  });
  const [row] = request.rows as Record<string, unknown>[];
  expect(row).toEqual({
    age: expect.any(Number),
    job: expect.any(String),
    is_old: expect.any(Boolean),
    tall: expect.any(Number),
  });
});

test("a vector of other numbers with names becomes a row", () => {
  const config = '{"inputs": [{"name": "x", "feature_names": ["a", "b"]}]}';
  const request = example({ x: ["DOUBLE", [null, 2]] }, golden("FP64", [1, 2], [1.5, null]), config);
  expect(request.rows).toEqual([{ a: 1.5, b: null }]);
});

test("images, scalars and several vectors become tensors", () => {
  const image = example({ x: ["FLOAT", [null, 1, 2, 2]] });
  expect(image.inputs).toMatchObject([{ name: "x", datatype: "FP32", shape: ["1", "1", "2", "2"] }]);
  expect(example({ x: ["FLOAT", []] }).inputs).toMatchObject([{ name: "x" }]);
  expect(example({ x: ["FLOAT", [null, 2]], y: ["FLOAT", [null, 2]] }).inputs).toHaveLength(2);
});
