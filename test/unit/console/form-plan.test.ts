import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { planForm } from "../../../console/form/form-plan.ts";
import { fieldsRequest, imageRequest, localFaults, targetOf } from "../../../console/form/form-request.ts";
import { ModelSchema } from "../../../gen/assay/v1/model_service_pb.ts";

const target = { modelName: "m", modelVersion: "", outputNames: [] };
const model = (init: MessageInitShape<typeof ModelSchema>) =>
  create(ModelSchema, { modelName: "m", ...init });
const input = (datatype: string, ...shape: number[]) => ({ name: "x", datatype, shape: shape.map(BigInt) });

function fieldsOf(plan: ReturnType<typeof planForm>) {
  if (!("fields" in plan)) throw new Error(`a form of ${plan.form} came`);
  return plan;
}

test("a model of columns gets a field for each, with its type, its choices and the example's value", () => {
  const plan = fieldsOf(
    planForm(
      model({
        inputs: [
          { ...input("INT64", -1, 1), name: "age" },
          { ...input("BYTES", -1, 1), name: "sex", categories: ["Female", "Male"] },
          { ...input("BOOL", -1), name: "member", optional: true },
        ],
        exampleRequest: { rows: [{ age: 39, sex: "Male" }] },
      }),
    ),
  );
  expect(plan).toMatchObject({
    form: "rows",
    fields: [
      { name: "age", path: 'rows[0].fields["age"]', kind: "integer", example: "39" },
      { name: "sex", kind: "text", choices: ["Female", "Male"], example: "Male" },
      { name: "member", kind: "boolean", choices: ["true", "false"], optional: true },
    ],
  });
  const { form, fields } = plan;
  const sent = fieldsRequest(form, fields, ["40", "Male", ""], target);
  expect(sent.rows).toEqual([{ age: 40, sex: "Male" }]);
  // The server says what is wrong with a text among numbers, and takes null for a value that is missing.
  expect(fieldsRequest(form, fields, ["old", "", "true"], target).rows).toEqual([
    { age: "old", sex: "", member: true },
  ]);
  expect(fieldsRequest(form, fields, [" ", "x", ""], target).rows[0]).toMatchObject({ age: null });
});

test("a vector input is asked for by its feature names, or by position where it has none", () => {
  const named = planForm(model({ inputs: [{ ...input("FP32", -1, 2), featureNames: ["a", "b"] }] }));
  expect(named).toMatchObject({ form: "rows", fields: [{ name: "a" }, { name: "b" }] });
  const plan = fieldsOf(
    planForm(model({ inputs: [input("FP32", -1, 2)], exampleRequest: { features: [1.5, 2] } })),
  );
  expect(plan).toMatchObject({ form: "features", fields: [{ path: "features[0]", example: "1.5" }, {}] });
  expect(fieldsRequest("features", plan.fields, ["3", ""], target).features).toEqual([3, Number.NaN]);
  expect(localFaults("features", plan.fields, ["3", "4,5"])).toEqual([
    { field: "features[1]", description: '"4,5" came, a number was expected' },
  ]);
});

test.each([
  { shape: [-1, 1, 8, 8], sides: [8, 8] },
  { shape: [-1, 28, 28, 1], sides: [28, 28] },
  { shape: [-1, 20, 10], sides: [20, 10] },
])("an input of $shape is an image", ({ shape, sides: [height, width] }) => {
  expect(planForm(model({ inputs: [input("FP32", ...shape)] }))).toMatchObject({
    form: "image",
    height,
    width,
  });
});

test("an image is sent in the shape of its input, and a flat square as features", () => {
  const plan = planForm(model({ inputs: [input("FP32", -1, 1, 5, 5)] }));
  const flat = planForm(model({ inputs: [input("FP32", -1, 784)] }));
  if (plan.form !== "image" || flat.form !== "image") throw new Error("both are images");
  const values = Array.from({ length: 25 }, (_, index) => index);
  expect(imageRequest(plan, values, target).inputs).toMatchObject([
    { name: "x", shape: [1n, 1n, 5n, 5n], contents: { fp32Contents: values } },
  ]);
  expect(flat.isFlat).toBe(true);
  expect(imageRequest(flat, values, target).features).toEqual(values);
});

test.each([
  ["three channels", [input("FP32", -1, 3, 224, 224)]],
  ["token ids", [input("INT64", -1, -1)]],
  ["no inputs", []],
])("a model of %s is asked for as JSON", (_, inputs) => {
  expect(planForm(model({ inputs }))).toEqual({ form: "json" });
});

test("outputs with a number for each class are asked for, and a version only where it is not the default", () => {
  const outputs = [
    { name: "label", datatype: "BYTES", labels: [] },
    { name: "probabilities", datatype: "FP32", labels: ["a", "b"] },
  ];
  const one = { modelVersion: "2", outputs, labelOutput: "label" };
  expect(targetOf(model({ ...one, isDefault: true }))).toEqual({
    modelName: "m",
    modelVersion: "",
    outputNames: ["probabilities"],
  });
  expect(targetOf(model({ ...one, isDefault: false }))).toMatchObject({ modelVersion: "2" });
});

test("columns that are looked up may stay empty where the row has their key", () => {
  const plan = fieldsOf(
    planForm(
      model({
        inputs: [
          { ...input("INT64", -1, 1), name: "age" },
          { ...input("INT64", -1, 1), name: "education_num", aliases: ["education-num"] },
          { ...input("BYTES", -1, 1), name: "sex" },
        ],
        config: {
          featureSources: [
            { name: "people", keys: ["id"], columns: [{ name: "age" }, { name: "education-num" }] },
          ],
        },
        exampleRequest: { rows: [{ age: 39, education_num: 13, sex: "Male" }] },
      }),
    ),
  );
  expect(plan.fields.map(({ name, optional }) => [name, optional])).toEqual([
    ["id", true],
    ["age", true],
    ["education_num", true],
    ["sex", false],
  ]);
  expect(fieldsRequest(plan.form, plan.fields, ["42", "", "", "Male"], target).rows).toEqual([
    { id: "42", sex: "Male" },
  ]);
});
