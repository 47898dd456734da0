import { expect, test } from "vitest";
import { readPredictBody } from "../../../src/edge/predict-body.ts";
import type { AssayError } from "../../../src/errors.ts";

const read = (text: string, model = "") => readPredictBody(Buffer.from(text), model);

function rulesOf(text: string): [string, string][] {
  try {
    read(text);
  } catch (error) {
    return (error as AssayError).violations.map(({ field, rule }) => [field, rule]);
  }
  return [];
}

test("features, rows and inputs are read, and the path's model wins over the body's", () => {
  expect(read('{"features":[1,2.5,"NaN"],"model_name":"a","request_id":"r"}', "b")).toMatchObject({
    modelName: "b",
    requestId: "r",
    features: [1, 2.5, Number.NaN],
  });
  expect(read('{"rows":[{"age":39,"sex":null}],"model_name":"a"}')).toMatchObject({
    modelName: "a",
    rows: [{ age: 39, sex: null }],
  });
});

test.each([["[1,2,3,4]"], ["[[1,2],[3,4]]"]])("Open Inference data %s is read row-major", (data) => {
  const [tensor] = read(`{"inputs":[{"name":"x","datatype":"FP32","shape":[2,2],"data":${data}}]}`).inputs;
  expect(tensor).toMatchObject({ name: "x", shape: [2n, 2n], contents: { fp32Contents: [1, 2, 3, 4] } });
});

test("BYTES data is text", () => {
  const [tensor] = read('{"inputs":[{"name":"x","datatype":"BYTES","shape":[1],"data":["é"]}]}').inputs;
  expect(Buffer.from(tensor!.contents!.bytesContents[0]!).toString()).toBe("é");
});

test.each<[string, [string, string][]]>([
  ["", [["", "missing"]]],
  ["{", [["", "json_invalid"]]],
  ["[]", [["", "model_attributes_type"]]],
  ["{}", [["features", "missing"]]],
  ['{"features":1}', [["features", "list_type"]]],
  [
    '{"features":[1,"a",null,true]}',
    [
      ["features[1]", "float_type"],
      ["features[2]", "float_type"],
      ["features[3]", "float_type"],
    ],
  ],
  ['{"rows":{}}', [["rows", "list_type"]]],
  ['{"rows":[{},1]}', [["rows[1]", "dict_type"]]],
  ['{"inputs":[{"name":"x","datatype":"FP16","shape":[1],"data":[1]}]}', [["inputs[0]", "value_error"]]],
  ['{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":["a"]}]}', [["inputs[0]", "value_error"]]],
  ['{"inputs":[{"name":"x","datatype":"BYTES","shape":[1],"data":[1]}]}', [["inputs[0]", "value_error"]]],
  ['{"features":[1],"model_version":7}', [["", "value_error"]]],
])("%s has the violations %j", (text, rules) => {
  expect(rulesOf(text)).toEqual(rules);
});
