import { expect, test } from "vitest";
import type { PredictRequest } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { type Decoded, MessageDecoder } from "../../../../src/edge/decode/message-decoder.ts";
import { CallMemory } from "../../../../src/edge/memory/call-memory.ts";
import { createMemoryBudget } from "../../../../src/edge/memory/memory-budget.ts";
import { PredictBody, predictRequest } from "../../../../src/edge/plain/predict-body.ts";
import { predictError } from "../../../../src/edge/plain/predict-error.ts";
import type { AssayError, Violation } from "../../../../src/errors.ts";
import { ANONYMOUS } from "../../../../src/registry/caller.ts";
import { createFakeScoring, LIMITS } from "../../../support/servers/fake-services.ts";

const decoder = new MessageDecoder(LIMITS);

const noModels = createFakeScoring();
const bodyForm = () => new PredictBody(noModels, {}, ANONYMOUS, 1_000_000);

function read(text: string, model = "") {
  const memory = new CallMemory(createMemoryBudget(2 ** 30));
  const bytes = Buffer.from(text);
  const decoded = bytes.length === 0 ? undefined : (decoder.decode(bodyForm(), bytes, memory) as Decoded);
  return predictRequest(decoded?.message as PredictRequest | undefined, model === "" ? {} : { model });
}

function refusalOf(text: string): AssayError | undefined {
  try {
    read(text);
  } catch (error) {
    return error as AssayError;
  }
  return undefined;
}

const violationsOf = (text: string): readonly Violation[] => refusalOf(text)?.violations ?? [];

/** Where and of which of Pydantic's types. */
function rulesOf(text: string): [string, string][] {
  const error = refusalOf(text);
  if (error === undefined) return [];
  const { detail } = predictError(error).body as { detail: { type: string }[] };
  return error.violations.map(({ field }, index) => [field, detail[index]!.type]);
}

test("features, rows and inputs are read, for the path's model or the body's", () => {
  expect(read('{"features":[1,null]}').features).toEqual([1, Number.NaN]);
  expect(read('{"features":[1,2.5,"NaN"],"model_name":"b","request_id":"r"}', "b")).toMatchObject({
    modelName: "b",
    requestId: "r",
    features: [1, 2.5, Number.NaN],
  });
  expect(read('{"rows":[{"age":39,"sex":null}],"model_name":"a"}')).toMatchObject({
    modelName: "a",
    rows: [{ age: 39, sex: null }],
  });
});

test.each<[Buffer, RegExp]>([
  [Buffer.from("\ufeff{}", "utf16le"), /looks like UTF-16: JSON is sent as UTF-8/],
  [Buffer.from([0x7b, 0xff]), /the text is not valid UTF-8$/],
  [Buffer.from(" \n"), /nothing came; a JSON object is expected/],
])("%j is no JSON text, and the message says what is expected", (bytes, message) => {
  const memory = new CallMemory(createMemoryBudget(2 ** 30));
  expect(() => decoder.decode(bodyForm(), bytes, memory)).toThrow(message);
});

test("a body for another model than the path's is refused, since one of them was not meant", () => {
  expect(() => read('{"features":[1],"model_name":"a"}', "b")).toThrow(
    'model_name: "a" came in the body, and "b" in the path: name one model, in one of them',
  );
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
  ['{"features":1}', [["features", "list_type"]]],
  [
    '{"features":[1,"a",null,true]}',
    [
      ["features[1]", "float_type"],
      ["features[3]", "float_type"],
    ],
  ],
  ['{"rows":{}}', [["rows", "list_type"]]],
  ['{"rows":[{},1]}', [["rows[1]", "dict_type"]]],
  ['{"inputs":[{"name":"x","datatype":"FP16","shape":[1],"data":[1]}]}', [["inputs[0].data", "value_error"]]],
  [
    '{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":["a"]}]}',
    [["inputs[0].data[0]", "float_type"]],
  ],
  [
    '{"inputs":[{"name":"x","datatype":"BYTES","shape":[1],"data":[1]}]}',
    [["inputs[0].data[0]", "string_type"]],
  ],
  [
    '{"inputs":[{"name":"x","datatype":"FP32","shape":[2,2],"data":[[1,2],[3]]}]}',
    [["inputs[0].data", "value_error"]],
  ],
  [
    '{"inputs":[{"name":"x","datatype":"FP32","shape":[2],"data":[[1],[3]]}]}',
    [["inputs[0].data", "value_error"]],
  ],
  ['{"features":[1],"model_version":7}', [["model_version", "string_type"]]],
  ['{"features":[1],"model_versoin":"7"}', [["", "extra_forbidden"]]],
])("%s has the violations %j", (text, rules) => {
  expect(rulesOf(text)).toEqual(rules);
});

test.each<[string, RegExp]>([
  ['{"features":[NaN]}', /NaN is no JSON: send null where a missing value is meant/],
  ['{"features":[-Infinity]}', /infinity is no JSON/],
  ['{"features":[1],"x":True}', /write true/],
  ["{'features':[1]}", /double quotes/],
  ["[5.1,3.5]", /a list of 2 came.*\{"features": \[numbers of one row\]\}/],
  ['[{"age":39}]', /\{"rows": /],
  ['{"features":[1],"model_versoin":"7"}', /did you mean "model_version"\?/],
  ['{"features":[1],"outputs":["a"]}', /did you mean "output_names"\?/],
  [
    '{"inputs":[{"name":"x","dtype":"FP32"}]}',
    /inputs\[0\] has no member "dtype"; did you mean "datatype"\?/,
  ],
  ['{"rows":[{"a":1,"a":2}]}', /"a" stands twice/],
])("%s is refused with what to send instead", (text, message) => {
  expect(violationsOf(text)[0]!.description).toMatch(message);
  expect(violationsOf(text)).toHaveLength(1);
});

test("whole numbers beyond 2^53 keep every digit in tensors, and are told in rows as numbers that lost theirs", () => {
  const tensor = (datatype: string, data: string) =>
    read(`{"inputs":[{"name":"x","datatype":"${datatype}","shape":[1],"data":[${data}]}]}`).inputs[0]!
      .contents!;
  expect(tensor("INT64", "9007199254740993").int64Contents).toEqual([9007199254740993n]);
  expect(tensor("INT64", "-9223372036854775808").int64Contents).toEqual([-(2n ** 63n)]);
  expect(tensor("INT64", '"9007199254740993"').int64Contents).toEqual([9007199254740993n]);
  expect(tensor("INT64", "9.007199254740993e15").int64Contents).toEqual([9007199254740993n]);
  expect(tensor("UINT64", "18446744073709551615").uint64Contents).toEqual([2n ** 64n - 1n]);
  expect(tensor("FP64", "9007199254740993").fp64Contents).toEqual([9007199254740992]);
  for (const digits of ["9223372036854775808", "1e400", "1.5", "9007199254740993.5"]) {
    expect(rulesOf(`{"inputs":[{"name":"x","datatype":"INT64","shape":[1],"data":[${digits}]}]}`)).toEqual([
      ["inputs[0].data[0]", "int_type"],
    ]);
  }
  expect(read('{"rows":[{"id":9007199254740993}]}').rows).toEqual([{ id: 9007199254740992 }]);
});
