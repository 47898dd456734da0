import { describe, expect, it } from "vitest";
import { prepareModel } from "../../../../src/model/prepare-model.ts";
import type { PreparedModel } from "../../../../src/model/prepared-model.ts";
import { readTritonConfig } from "../../../../src/model/triton/triton-config.ts";
import {
  buildModel,
  node,
  storedTensor,
  tensorInfo,
  zipMapClassifier,
} from "../../../support/models/model-builder.ts";
import { doublingConfig, doublingModel } from "../../../support/triton/triton-folder.ts";

function prepared(bytes: Uint8Array, text: string, labels: Record<string, string[]> = {}): PreparedModel {
  const found = prepareModel({
    modelName: "m",
    modelVersion: "1",
    bytes,
    configText: undefined,
    goldenText: undefined,
    testDataCases: [],
    triton: {
      config: readTritonConfig(text),
      labels: new Map(Object.entries(labels)),
      warmupData: new Map(),
    },
    findExternal: (location) => ({ path: `/nowhere/${location}`, byteLength: 0 }),
  });
  if (found.kind === "refused") throw new Error(found.reason);
  return found.model;
}

function shapes({ signature: { inputs, outputs, batching } }: PreparedModel): string {
  const specs = [...inputs, ...outputs].map(({ name, shape }) => `${name}[${shape}]`);
  return `${specs.join(" ")} ${batching}`;
}

const refused = (bytes: Uint8Array, text: string): string => {
  try {
    prepared(bytes, text);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("the model was not refused");
};

describe("inputs and outputs of config.pbtxt", () => {
  it("max_batch_size above 0 stands for an axis in front that counts rows", () => {
    expect(shapes(prepared(doublingModel(), doublingConfig()))).toBe(
      "x[-1,4] y[-1,4] z[-1,4] across-requests",
    );
    expect(prepared(doublingModel(), doublingConfig()).config.maxBatchSize).toBe(8);
  });

  it("lengths that the file leaves open are narrowed, and those that it fixes stay", () => {
    expect(shapes(prepared(doublingModel(null), doublingConfig("", "6")))).toBe(
      "x[-1,6] y[-1,6] z[-1,6] across-requests",
    );
    expect(shapes(prepared(doublingModel(4), doublingConfig("", "-1")))).toBe(
      "x[-1,4] y[-1,4] z[-1,4] across-requests",
    );
  });

  it("with max_batch_size 0 the shape is whole: one request is one run", () => {
    expect(shapes(prepared(doublingModel(), doublingConfig("", "-1, 4", 0)))).toBe(
      "x[-1,4] y[-1,4] z[-1,4] within-request",
    );
    expect(shapes(prepared(doublingModel(), doublingConfig("", "2, 4", 0)))).toBe(
      "x[2,4] y[2,4] z[2,4] no-batch-dimension",
    );
    expect(shapes(prepared(doublingModel(4, 1), doublingConfig("", "1, 4", 0)))).toBe(
      "x[1,4] y[1,4] z[1,4] no-batch-dimension",
    );
  });

  it("what is not listed is completed from the file", () => {
    expect(shapes(prepared(doublingModel(), 'backend: "onnxruntime"'))).toBe(
      "x[-1,4] y[-1,4] z[-1,4] across-requests",
    );
    const onlyInputs = 'input { name: "x" data_type: TYPE_FP32 dims: 4 }';
    expect(shapes(prepared(doublingModel(), onlyInputs))).toBe("x[-1,4] y[-1,4] z[-1,4] across-requests");
    const oneOutput = doublingConfig().replace(/, { name: "z".*?dims: \[ 4 ] }/, "");
    expect(shapes(prepared(doublingModel(), oneOutput))).toBe("x[-1,4] y[-1,4] across-requests");
  });

  it("every contradiction is told at once, with both sides and what to write", () => {
    const text = [
      "max_batch_size: 8",
      'input [ { name: "x" data_type: TYPE_INT32 dims: [ 5 ] } ]',
      'output [ { name: "y" data_type: TYPE_FP64 dims: [ 4, 1 ] },',
      '         { name: "zz" data_type: TYPE_FP32 dims: [ 4 ] }, { name: "y" dims: 4 } ]',
    ].join("\n");
    expect(refused(doublingModel(), text)).toBe(
      "config.pbtxt: " +
        [
          'line 2: input[0].data_type: TYPE_INT32 came, and input "x" is FP32 in the file: write TYPE_FP32, or export the model with another type',
          'line 2: input[0].dims: [5] came, with the rows in front [-1,5], and input "x" is FP32[?,4] in the file: write dims: [ 4 ]',
          'line 4: output[1].name: the model has no output "zz"; did you mean "z"?',
          'line 4: output[2].name: "y" came a second time',
          'line 3: output[0].data_type: TYPE_FP64 came, and output "y" is FP32 in the file: write TYPE_FP32, or export the model with another type',
          'line 3: output[0].dims: [4,1] came, with the rows in front [-1,4,1], and output "y" is FP32[?,4] in the file: write dims: [ 4 ]',
        ].join("; "),
    );
    expect(refused(doublingModel(), 'max_batch_size: 1 input { name: "x" }')).toMatch(
      /no data_type came, .*input\[0\]\.dims: no dims came: write dims: \[ 4 \]/,
    );
    expect(refused(doublingModel(), doublingConfig("", "0"))).toMatch(
      /0 came; expected lengths from 1, or -1 for any/,
    );
  });

  it("a model without an axis for rows is refused with both sides", () => {
    const fixed = buildModel({
      inputs: [tensorInfo("x", "FLOAT", [3, 2]), tensorInfo("n", "FLOAT", [])],
      outputs: [tensorInfo("y", "FLOAT", [3, 2])],
      nodes: [node("Mul", ["x", "n"], ["y"])],
    });
    const text =
      'max_batch_size: 4 input [ { name: "x" data_type: TYPE_FP32 dims: 2 }, { name: "n" data_type: TYPE_FP32 dims: 1 } ]';
    expect(refused(fixed, text)).toMatch(
      /line 1: input\[1\]\.dims: \[1\] came, with the rows in front \[-1,1\], and input "n" is FP32\[\] in the file: write max_batch_size: 0 and dims: \[ 1 \].*line 1: max_batch_size: 4 came, and input "n" is \[\] in the file, without an axis in front/,
    );
    const whole =
      'max_batch_size: 0 input [ { name: "x" data_type: TYPE_FP32 dims: [ 3, 2 ] }, { name: "n" data_type: TYPE_FP32 dims: 1 } ] output { name: "y" data_type: TYPE_FP32 dims: [ 3, 2 ] }';
    expect(shapes(prepared(fixed, whole))).toBe("x[3,2] n[1] y[3,2] no-batch-dimension");
    const missing = whole.replace(/, { name: "n".*?dims: 1 }/, "");
    expect(refused(fixed, missing)).toMatch(
      /input: "n" of the model is missing: list every input that a request brings/,
    );
  });

  it("the owner's word that axis 0 counts rows holds where the file's symbols do not tell", () => {
    const square = buildModel({
      inputs: [tensorInfo("x", "FLOAT", ["N", "N"])],
      outputs: [tensorInfo("y", "FLOAT", ["N", "N"])],
      nodes: [node("Neg", ["x"], ["y"])],
    });
    const text =
      'max_batch_size: 4 input { name: "x" data_type: TYPE_FP32 dims: 3 } output { name: "y" data_type: TYPE_FP32 dims: 3 }';
    expect(shapes(prepared(square, text))).toBe("x[-1,3] y[-1,3] across-requests");
    const untold = buildModel({
      inputs: [tensorInfo("x", "FLOAT")],
      outputs: [tensorInfo("y", "FLOAT")],
      nodes: [node("Neg", ["x"], ["y"])],
    });
    expect(shapes(prepared(untold, text))).toBe("x[-1,3] y[-1,3] across-requests");
  });

  it("reshape says how callers see a tensor, and has to hold as many values", () => {
    const column = buildModel({
      inputs: [tensorInfo("x", "FLOAT", [null])],
      outputs: [tensorInfo("y", "FLOAT", [null])],
      nodes: [node("Neg", ["x"], ["y"])],
    });
    const config = (
      input: string,
      output = 'name: "y" data_type: TYPE_FP32 dims: 1 reshape { shape: [ ] }',
    ) => `max_batch_size: 4 input { name: "x" data_type: TYPE_FP32 ${input} } output { ${output} }`;
    expect(shapes(prepared(column, config("dims: 1 reshape { shape: [ ] }")))).toBe(
      "x[-1,1] y[-1,1] across-requests",
    );
    expect(refused(column, config("dims: 1"))).toMatch(/write dims: \[ 1 \] and reshape: { shape: \[ \] }/);
    expect(refused(column, config("dims: 2 reshape { shape: [ ] }"))).toMatch(
      /input\[0\]\.reshape: dims \[2\] and \[\] do not hold the same number of values/,
    );
    const open = buildModel({
      inputs: [tensorInfo("x", "FLOAT", [null, null, 1, 2])],
      outputs: [tensorInfo("y", "FLOAT", [null, null, 2])],
      nodes: [node("Squeeze", ["x", "two"], ["y"])],
      initializers: [storedTensor("two", [1], BigInt64Array.of(2n))],
    });
    const moved = (dims: string) =>
      `max_batch_size: 4 input { name: "x" data_type: TYPE_FP32 dims: [ ${dims} ] reshape { shape: [ -1, 1, 2 ] } }`;
    expect(shapes(prepared(open, moved("-1, 2")))).toBe("x[-1,-1,2] y[-1,-1,2] across-requests");
    expect(shapes(prepared(open, moved("1, -1, 2")))).toBe("x[-1,1,-1,2] y[-1,-1,2] across-requests");
    expect(refused(open, moved("2, -1"))).toMatch(/dims \[2,\?\] and \[\?,1,2\] do not hold the same number/);
  });

  it("labels name the columns of their output, unless config.json has others", () => {
    const text = "max_batch_size: 4";
    const model = zipMapClassifier(["a", "b", "c"]);
    const labels = { output_probability: ["cat", "dog", "owl"] };
    expect(prepared(model, text, labels).signature.labels).toEqual(["cat", "dog", "owl"]);
    const short = prepared(model, text, { output_probability: ["cat", "dog"] });
    expect(short.signature.labels).toEqual([]);
    expect(short.notices.join()).toMatch(
      /2 labels stand in the label_filename of output "output_probability", which has 3 values a row: write one a line and value/,
    );
  });

  it("a first run that does not fit the model is told before anything runs", () => {
    const warmup = (inputs: string) =>
      doublingConfig(`model_warmup { name: "w" batch_size: 2 inputs { ${inputs} } }`);
    for (const [inputs, message] of [
      [
        'key: "q" value { data_type: TYPE_FP32 dims: 4 zero_data: true }',
        /the model has no input "q"; .*input "x" is missing/,
      ],
      [
        'key: "x" value { data_type: TYPE_FP64 dims: 4 zero_data: true }',
        /data_type TYPE_FP64 came, and the model takes FP32/,
      ],
      ['key: "x" value { data_type: TYPE_FP32 dims: 5 zero_data: true }', /dims \[5\] came; expected \[4\]/],
      [
        'key: "x" value { data_type: TYPE_FP32 dims: 4 }',
        /zero_data, random_data or input_data_file is missing/,
      ],
    ] as const)
      expect(refused(doublingModel(), warmup(inputs))).toMatch(message);
    expect(
      refused(
        doublingModel(null),
        doublingConfig(
          'model_warmup { batch_size: 1 inputs { key: "x" value { data_type: TYPE_FP32 dims: 100000000 random_data: true } } }',
          "-1",
        ),
      ),
    ).toMatch(/takes more than 268435456 bytes/);
  });
});
