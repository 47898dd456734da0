import { describe, expect, it } from "vitest";
import { openBareSession, runBare } from "../../support/models/bare-session.ts";
import {
  buildModel,
  node,
  storedTensor,
  tensorInfo,
  typedInfo,
  zipMapInfo,
} from "../../support/models/model-builder.ts";
import { prepared, refusedReason } from "../../support/models/prepare.ts";

const scores = {
  coefficients: [0.5, -1, 0.25, 2],
  intercepts: [0.1, -0.2],
  post_transform: "SOFTMAX",
  multi_class: 1n,
};

/** A two-class classifier whose label goes through `tail` on its way to the output `label`. */
function classifier(
  labels: readonly bigint[],
  tail: Parameters<typeof buildModel>[0]["nodes"],
  key: "INT64" | "STRING",
) {
  return buildModel({
    inputs: [tensorInfo("x", "FLOAT", [null, 2])],
    outputs: [tensorInfo("label", key, [null]), tensorInfo("p", "FLOAT", [null, 2])],
    nodes: [
      node("LinearClassifier", ["x"], ["raw", "p"], { ...scores, classlabels_ints: labels }, "ai.onnx.ml"),
      ...tail,
    ],
    initializers: [storedTensor("names", [2], ["no", "yes"])],
  });
}

describe("class labels", () => {
  it("are positions where the label is the position of the highest value", () => {
    const bytes = buildModel({
      inputs: [tensorInfo("x", "FLOAT", [null, 3])],
      outputs: [tensorInfo("label", "INT64", [null]), tensorInfo("p", "FLOAT", [null, 3])],
      nodes: [
        node("Softmax", ["x"], ["p"], { axis: 1n }),
        node("ArgMax", ["p"], ["label"], { axis: 1n, keepdims: 0n }),
      ],
    });
    expect(prepared(bytes).signature.labels).toEqual(["0", "1", "2"]);
  });

  it.each([
    ["a classifier's integers", [3n, 7n], [node("Identity", ["raw"], ["label"])], "INT64", ["3", "7"]],
    ["a cast of them", [0n, 1n], [node("Cast", ["raw"], ["label"], { to: 7n })], "INT64", ["0", "1"]],
    [
      "a table that the class is looked up in",
      [0n, 1n],
      [
        node("ArrayFeatureExtractor", ["names", "raw"], ["picked"], {}, "ai.onnx.ml"),
        node("Flatten", ["picked"], ["label"]),
      ],
      "STRING",
      ["no", "yes"],
    ],
    [
      "a table that is looked up in another order",
      [1n, 0n],
      [node("Gather", ["names", "raw"], ["label"])],
      "STRING",
      ["yes", "no"],
    ],
    [
      "a label encoder",
      [5n, 6n],
      [
        node(
          "LabelEncoder",
          ["raw"],
          ["label"],
          { keys_int64s: [5n, 6n], values_strings: ["five", "six"] },
          "ai.onnx.ml",
        ),
      ],
      "STRING",
      ["five", "six"],
    ],
  ] as const)("are read from %s", (_, labels, tail, key, expected) => {
    const { signature } = prepared(classifier(labels, tail, key));
    expect(signature.labels).toEqual(expected);
    expect(signature).toMatchObject({ score: { output: "p", kind: "second-class" }, labelOutput: "label" });
  });
});

describe("zipmap='columns'", () => {
  const columns = (names: readonly string[], key: "STRING" | "INT64") =>
    buildModel({
      inputs: [tensorInfo("x", "FLOAT", [null, 2])],
      outputs: [tensorInfo("label", key, [null]), ...names.map((name) => tensorInfo(name, "FLOAT", [null]))],
      nodes: [
        node(
          "LinearClassifier",
          ["x"],
          ["label", "probabilities"],
          key === "STRING"
            ? { ...scores, classlabels_strings: ["<=50K", ">50K"] }
            : { ...scores, classlabels_ints: [0n, 1n] },
          "ai.onnx.ml",
        ),
        ...names.flatMap((name, index) => [
          node("Gather", ["probabilities", `at${index}`], [name], { axis: 1n }),
        ]),
      ],
      initializers: names.map((_, index) => storedTensor(`at${index}`, [], BigInt64Array.of(BigInt(index)))),
    });

  it.each([
    ["strings", ["s<=50K", "s>50K"], "STRING", ["<=50K", ">50K"]],
    ["integers", ["i0", "i1"], "INT64", ["0", "1"]],
  ] as const)("gathers outputs of a class each, with %s as labels", async (_, names, key, labels) => {
    const model = prepared(columns(names, key));
    const gathered = model.signature.outputs.at(-1)!;
    expect(gathered).toMatchObject({ datatype: "FP32", shape: [-1, 2], labels });
    expect(model.signature.outputs.map(({ name }) => name).slice(1, 3)).toEqual(names);
    expect(model.signature.score).toMatchObject({ output: gathered.name, kind: "second-class" });
    expect(model.repairs).toMatchObject([{ kind: "columns_gathered", target: gathered.name }]);
    const x = { name: "x", datatype: "FP32" as const, shape: [2, 2], data: Float32Array.of(1, 2, -3, 4) };
    const outputs = new Map((await runBare(model.bytes, [x])).map((output) => [output.name, output]));
    const [first, second] = names.map((name) => outputs.get(name)!.data as Float32Array);
    expect(outputs.get(gathered.name)?.data).toEqual(
      Float32Array.of(first![0]!, second![0]!, first![1]!, second![1]!),
    );
  });

  it("gathers columns whose names are not the classes: the graph says what they are cut from", () => {
    const { signature } = prepared(columns(["sfoo", "sbar"], "STRING"));
    expect(signature.outputs.at(-1)).toMatchObject({ name: "output_probability", labels: ["<=50K", ">50K"] });
    expect(signature.score).toMatchObject({ output: "output_probability", kind: "second-class" });
  });

  it("names the classes as the columns do, in the labels of answers too", () => {
    const { signature } = prepared(columns(["s0.0", "s1.0"], "INT64"));
    expect(signature.labels).toEqual(["0.0", "1.0"]);
    expect(signature.labelNames).toEqual(
      new Map([
        ["0", "0.0"],
        ["1", "1.0"],
      ]),
    );
  });
});

describe("sequences", () => {
  it("takes off a ZipMap in a file of the ML domain alone, whose Identity needs ONNX's own operators", async () => {
    const model = prepared(
      buildModel({
        irVersion: 3,
        opsets: { "ai.onnx.ml": 2 },
        inputs: [tensorInfo("x", "FLOAT", ["N", 2])],
        outputs: [tensorInfo("label", "INT64", ["N"]), zipMapInfo("p", "INT64")],
        nodes: [
          node(
            "LinearClassifier",
            ["x"],
            ["label", "raw"],
            { ...scores, classlabels_ints: [0n, 1n] },
            "ai.onnx.ml",
          ),
          node("ZipMap", ["raw"], ["p"], { classlabels_int64s: [0n, 1n] }, "ai.onnx.ml"),
        ],
      }),
    );
    const x = { name: "x", datatype: "FP32" as const, shape: [1, 2], data: Float32Array.of(1, 2) };
    expect((await runBare(model.bytes, [x]))[1]).toMatchObject({
      name: "p",
      datatype: "FP32",
      shape: [1, 2],
    });
  });

  it("takes a ZipMap off numbers in double precision, which ONNX Runtime's own does not take", async () => {
    const model = prepared(
      buildModel({
        inputs: [tensorInfo("x", "DOUBLE", ["N", 2])],
        outputs: [tensorInfo("label", "INT64", ["N"]), zipMapInfo("p", "INT64")],
        nodes: [
          node("Softmax", ["x"], ["raw"], { axis: 1n }),
          node("ArgMax", ["raw"], ["label"], { axis: 1n, keepdims: 0n }),
          node("ZipMap", ["raw"], ["p"], { classlabels_int64s: [0n, 1n] }, "ai.onnx.ml"),
        ],
      }),
    );
    expect(model.signature).toMatchObject({
      score: { output: "p", kind: "second-class" },
      labelOutput: "label",
    });
    const x = { name: "x", datatype: "FP64" as const, shape: [1, 2], data: Float64Array.of(1, 2) };
    expect((await runBare(model.bytes, [x]))[1]).toMatchObject({
      name: "p",
      datatype: "FP64",
      shape: [1, 2],
    });
  });

  it("serves the precision that comes where an output declares another", async () => {
    const model = prepared(
      buildModel({
        inputs: [tensorInfo("x", "DOUBLE", ["N", 2])],
        outputs: [tensorInfo("y", "FLOAT", ["N", 2])],
        nodes: [node("Neg", ["x"], ["y"])],
      }),
    );
    expect(model.signature.outputs).toMatchObject([{ name: "y", datatype: "FP64" }]);
    expect(model.repairs).toMatchObject([{ kind: "output_type_corrected", target: "y" }]);
    await (await openBareSession(model.bytes)).release();
  });

  it("takes an axis of length 0 for any length", async () => {
    const model = prepared(
      buildModel({
        inputs: [tensorInfo("x", "FLOAT", [0, 2])],
        outputs: [tensorInfo("y", "FLOAT", [0, 2])],
        nodes: [node("Neg", ["x"], ["y"])],
      }),
    );
    expect(model.signature).toMatchObject({ inputs: [{ shape: [-1, 2] }], outputs: [{ shape: [-1, 2] }] });
    expect(model.repairs).toMatchObject([{ kind: "empty_axis_opened", target: "x" }]);
    const x = { name: "x", datatype: "FP32" as const, shape: [1, 2], data: Float32Array.of(1, 2) };
    expect((await runBare(model.bytes, [x]))[0]).toMatchObject({ shape: [1, 2] });
  });

  it.each([
    [
      "a sequence of tensors",
      {
        case: "sequenceType",
        value: { elemType: { value: { case: "tensorType", value: { elemType: 1 } } } },
      },
      "a sequence that does not come from a ZipMap",
    ],
    ["an optional value", { case: "optionalType", value: {} }, "optional type"],
    ["a sparse tensor", { case: "sparseTensorType", value: { elemType: 1 } }, "sparse"],
    ["nothing declared", { case: undefined }, "declares no type"],
  ])("refuses %s as an output", (_, type, reason) => {
    const bytes = buildModel({
      inputs: [tensorInfo("x", "FLOAT", [null])],
      outputs: [typedInfo("y", type)],
      nodes: [node("SequenceConstruct", ["x"], ["y"])],
    });
    expect(refusedReason(bytes)).toContain(reason);
  });
});
