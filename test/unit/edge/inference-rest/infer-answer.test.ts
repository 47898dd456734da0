import { expect, test } from "vitest";
import type { PredictResponse } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import type { Tensor } from "../../../../gen/assay/v1/tensor_pb.ts";
import { OctetParts } from "../../../../src/edge/answer/octet-parts.ts";
import { encodeAnswer, InferAnswer, writeAnswer } from "../../../../src/edge/inference-rest/infer-answer.ts";
import { InferRequest } from "../../../../src/edge/inference-rest/infer-request.ts";
import type { ServedModel } from "../../../../src/registry/served-model.ts";
import { elementOf, type NumericDatatype, numericView } from "../../../../src/tensor/datatype.ts";
import { rawTexts } from "../../../../src/tensor/tensor-contents.ts";

const $typeName = "assay.v1.Tensor";

function numbers(
  name: string,
  datatype: NumericDatatype,
  values: readonly number[],
  shape: bigint[],
): Tensor {
  const room = new ArrayBuffer(8 * values.length);
  const view = numericView(datatype, room, 0, values.length) as Float64Array;
  for (const [i, value] of values.entries()) view[i] = elementOf(datatype, value);
  return { $typeName, name, datatype, shape, rawContents: new Uint8Array(room, 0, view.byteLength) };
}

function texts(name: string, values: readonly string[]): Tensor {
  const rawContents = rawTexts(values, 0, values.length);
  return { $typeName, name, datatype: "BYTES", shape: [BigInt(values.length)], rawContents };
}

interface Asked {
  readonly outputs: Tensor[];
  readonly model?: ServedModel;
  readonly modelName?: string;
  readonly requestId?: string;
  readonly isBinary?: boolean;
}

/** The answer as it is written at once, which is what is written piece by piece. */
function written({ outputs, model, modelName = "m", requestId = "", isBinary = false }: Asked): string {
  const request = new InferRequest(modelName, "");
  request.scoredBy = model;
  request.isBinary = isBinary;
  const response = { modelName, modelVersion: "3", requestId, outputs } as unknown as PredictResponse;
  const atOnce = Buffer.from(encodeAnswer(new InferAnswer(request, response))).toString("latin1");
  const parts = new OctetParts();
  for (const _ of writeAnswer(new InferAnswer(request, response), parts));
  expect(Buffer.from(parts.octets()).toString("latin1")).toBe(atOnce);
  return atOnce;
}

const score = numbers("score", "FP32", [0.1], [1n, 1n]);

test("an answer says who scored, and each output's name, datatype, shape and values", () => {
  expect(written({ outputs: [score, texts("label", ["a", 'b"'])] })).toBe(
    '{"model_name":"m","model_version":"3","outputs":[' +
      '{"name":"score","datatype":"FP32","shape":[1,1],"data":[0.10000000149011612]},' +
      '{"name":"label","datatype":"BYTES","shape":[2],"data":["a","b\\""]}]}\n',
  );
});

test("what the answers of one version begin with is kept, and other outputs, ids and shapes show in theirs", () => {
  const model = {} as ServedModel;
  const answers: Asked[] = [
    { outputs: [score] },
    { outputs: [score], requestId: "7" },
    { outputs: [numbers("other", "FP32", [1, 2], [2n, 1n])] },
    { outputs: [numbers("other", "INT32", [1, 2], [2n])] },
    { outputs: [texts("other", ["a"]), score] },
    { outputs: [score, texts("other", ["a"])] },
    { outputs: [score], isBinary: true },
    { outputs: [] },
  ];
  for (const one of [...answers, ...answers]) expect(written({ ...one, model })).toBe(written(one));
});

test("two versions keep what is theirs", () => {
  const [first, second] = [{} as ServedModel, {} as ServedModel];
  for (let i = 0; i < 2; i++) {
    expect(written({ outputs: [score], model: first, modelName: "a" })).toContain('"model_name":"a"');
    expect(written({ outputs: [score], model: second, modelName: "é" })).toContain('"model_name":"Ã©"');
  }
});

test.each([
  ["FP64", [1.5, -0, Number.NaN, Number.POSITIVE_INFINITY], '1.5,-0,null,"Infinity"'],
  ["FP16", [1.5, -2], "1.5,-2"],
  ["BF16", [1.5, -2], "1.5,-2"],
  ["INT8", [1, -2], "1,-2"],
  ["BOOL", [1, 0], "true,false"],
  ["FP32", [], ""],
] as const)("values of %s are %s", (datatype, values, text) => {
  const output = numbers("y", datatype, values, [BigInt(values.length)]);
  expect(written({ outputs: [output] })).toContain(`"data":[${text}]}]}`);
});
