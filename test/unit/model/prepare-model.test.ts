import { describe, expect, it } from "vitest";
import {
  buildModel,
  node,
  storedTensor,
  tensorInfo,
  typedInfo,
  zipMapClassifier,
} from "../../support/models/model-builder.ts";
import { prepared, refusedReason } from "../../support/models/prepare.ts";

const identity = (type: Parameters<typeof tensorInfo>[1], shape?: (number | string | null)[]) =>
  buildModel({
    inputs: [tensorInfo("x", type, shape)],
    outputs: [tensorInfo("y", type, shape)],
    nodes: [node("Identity", ["x"], ["y"])],
  });

describe("prepareModel", () => {
  it("takes off a ZipMap with string keys and keeps its labels", () => {
    const model = prepared(zipMapClassifier(["a", "b", "c"]));
    expect(model.signature.outputs).toMatchObject([
      { name: "output_label", datatype: "BYTES", shape: [-1] },
      { name: "output_probability", datatype: "FP32", shape: [-1, 3], labels: ["a", "b", "c"] },
    ]);
    expect(model.signature).toMatchObject({
      score: { output: "output_probability", kind: "highest-class" },
      labelOutput: "output_label",
    });
    expect(model.signature.labels).toEqual(["a", "b", "c"]);
    expect(model.repairs.map(({ kind }) => kind)).toEqual(["zipmap_removed"]);
  });

  it("takes off a ZipMap with integer keys", () => {
    const model = prepared(zipMapClassifier([10n, 20n, 30n]));
    expect(model.signature.labels).toEqual(["10", "20", "30"]);
  });

  it("leaves the bytes of a file that needs no change as they are", () => {
    const bytes = identity("FLOAT", [null, 3]);
    expect(prepared(bytes).bytes).toBe(bytes);
  });

  it.each([
    ["BOOL", "BOOL"],
    ["UINT8", "UINT8"],
    ["UINT16", "UINT16"],
    ["UINT32", "UINT32"],
    ["UINT64", "UINT64"],
    ["INT8", "INT8"],
    ["INT16", "INT16"],
    ["INT32", "INT32"],
    ["INT64", "INT64"],
    ["FLOAT16", "FP16"],
    ["BFLOAT16", "BF16"],
    ["FLOAT", "FP32"],
    ["DOUBLE", "FP64"],
    ["STRING", "BYTES"],
  ] as const)("reads the element type %s as %s", (type, datatype) => {
    expect(prepared(identity(type, [null, 2])).signature.inputs[0]?.datatype).toBe(datatype);
  });

  it.each([
    ["rows are open", ["N", 2], "across-requests", [-1, 2]],
    ["rows are unnamed", [null], "across-requests", [-1]],
    ["one row is declared", [1, 4], "single-rows", [-1, 4]],
    ["a fixed number of rows is declared", [3, 4], "no-batch-dimension", [3, 4]],
    ["a scalar is declared", [], "no-batch-dimension", []],
    ["the row symbol stands on another axis too", ["S", "S"], "no-batch-dimension", [-1, -1]],
  ] as const)("decides the batch dimension where %s", (_, shape, batching, served) => {
    const { signature } = prepared(identity("FLOAT", [...shape]));
    expect(signature.batching).toBe(batching);
    expect(signature.inputs[0]?.shape).toEqual(served);
  });

  it("tells an undeclared shape from a scalar", () => {
    const { signature } = prepared(identity("FLOAT"));
    expect(signature.inputs[0]).toMatchObject({ anyShape: true, shape: [] });
    expect(prepared(identity("FLOAT", [])).signature.inputs[0]?.anyShape).toBeUndefined();
  });

  it("corrects an output that declares one row where the inputs' rows are open", () => {
    const model = prepared(
      buildModel({
        inputs: [tensorInfo("x", "FLOAT", [null, 3])],
        outputs: [tensorInfo("y", "INT64", [1])],
        nodes: [node("ArgMax", ["x"], ["y"], { axis: 1n, keepdims: 0n })],
      }),
    );
    expect(model.signature.outputs[0]?.shape).toEqual([-1]);
    expect(model.repairs).toMatchObject([{ kind: "output_shape_corrected", target: "y" }]);
  });

  it("accepts a column as the table spelled it", () => {
    const model = prepared(
      buildModel({
        inputs: [tensorInfo("education_num", "FLOAT", [null, 1])],
        outputs: [tensorInfo("y", "FLOAT", [null, 1])],
        nodes: [node("Identity", ["education_num"], ["y"])],
      }),
    );
    expect(model.signature.inputs[0]?.aliases).toContain("education-num");
  });

  it("reads feature names from the metadata", () => {
    const names = (text: string) =>
      prepared(
        buildModel({
          inputs: [tensorInfo("x", "FLOAT", [null, 2])],
          outputs: [tensorInfo("y", "FLOAT", [null, 2])],
          nodes: [node("Identity", ["x"], ["y"])],
          metadata: { feature_names: text },
        }),
      );
    expect(names('["a","b"]').signature.inputs[0]?.featureNames).toEqual(["a", "b"]);
    const ignored = names('["a"]');
    expect(ignored.signature.inputs[0]?.featureNames).toEqual([]);
    expect(ignored.notices[0]).toContain("feature_names");
  });

  it("reads names such as __proto__ as names", () => {
    const { signature } = prepared(
      buildModel({
        inputs: [tensorInfo("__proto__", "FLOAT", [null]), tensorInfo("constructor", "FLOAT", [null])],
        outputs: [tensorInfo("toString", "FLOAT", [null])],
        nodes: [node("Add", ["__proto__", "constructor"], ["toString"])],
      }),
    );
    expect(signature.inputs.map(({ name }) => name)).toEqual(["__proto__", "constructor"]);
    expect(signature.score?.output).toBe("toString");
  });

  it("gives an input that has its value in the file as an optional one with that default", () => {
    const model = prepared(
      buildModel({
        inputs: [tensorInfo("x", "FLOAT", [1, 2]), tensorInfo("d", "FLOAT", [1, 2])],
        outputs: [tensorInfo("y", "FLOAT", [1, 2])],
        nodes: [node("Add", ["x", "d"], ["y"])],
        initializers: [storedTensor("d", [1, 2], Float32Array.of(3, 4))],
      }),
    );
    expect(model.signature.inputs).toMatchObject([
      { name: "x", optional: false },
      { name: "d", optional: true, defaultValue: { shape: [1, 2], data: Float32Array.of(3, 4) } },
    ]);
  });

  it("takes such an input for a constant before IR version 4", () => {
    const model = prepared(
      buildModel({
        irVersion: 3,
        opsets: { "": 9 },
        inputs: [tensorInfo("x", "FLOAT", [null, 2]), tensorInfo("w", "FLOAT", [2])],
        outputs: [tensorInfo("y", "FLOAT", [null, 2])],
        nodes: [node("Add", ["x", "w"], ["y"])],
        initializers: [storedTensor("w", [2], Float32Array.of(1, 2))],
      }),
    );
    expect(model.signature.inputs.map(({ name }) => name)).toEqual(["x"]);
    expect(model.notices).toEqual([]);
  });

  it("lowers an IR version where nothing newer is used", () => {
    const model = prepared(
      buildModel({
        irVersion: 14,
        inputs: [tensorInfo("x", "FLOAT", [null])],
        outputs: [tensorInfo("y", "FLOAT", [null])],
        nodes: [node("Identity", ["x"], ["y"])],
      }),
    );
    expect(model.repairs[0]?.kind).toBe("ir_version_lowered");
    expect(model.irVersion).toBe(14n);
    expect(prepared(model.bytes).irVersion).toBe(13n);
  });

  it.each([
    ["no bytes", new Uint8Array(0), "empty"],
    ["a Git LFS pointer", text("version https://git-lfs.github.com/spec/v1\noid sha256:0"), "git lfs pull"],
    ["an HTML page", text("\n<!DOCTYPE html><html></html>"), "HTML"],
    ["a pickle", Uint8Array.of(0x80, 4, 0x95, 0, 0, 0), "pickle"],
    ["a ZIP archive", text("PK\u0003\u0004torch"), "torch.onnx.export"],
    ["any text", text("hello, this is no model"), "no ONNX protobuf"],
    ["half a file", identity("FLOAT", [null, 3]).subarray(0, 60), "ends too early"],
    ["complex inputs", identity("COMPLEX64", [null, 3]), 'input "x" has the element type COMPLEX64'],
    [
      "an opset from the future",
      buildModel({
        opsets: { "": 99 },
        inputs: [tensorInfo("x", "FLOAT", [null])],
        outputs: [tensorInfo("y", "FLOAT", [null])],
        nodes: [node("Identity", ["x"], ["y"])],
      }),
      "opset 99",
    ],
    [
      "a map input",
      buildModel({
        inputs: [typedInfo("x", { case: "mapType", value: { keyType: 8 } })],
        outputs: [tensorInfo("y", "FLOAT", [null])],
        nodes: [node("DictVectorizer", ["x"], ["y"], {}, "ai.onnx.ml")],
      }),
      'input "x" is a map',
    ],
    [
      "an operator of an unknown domain",
      buildModel({
        inputs: [tensorInfo("x", "FLOAT", [null])],
        outputs: [tensorInfo("y", "FLOAT", [null])],
        nodes: [node("Tokenize", ["x"], ["y"], {}, "com.example")],
        opsets: { "": 17, "com.example": 1 },
      }),
      'the domain "com.example"',
    ],
    [
      "a tensor larger than what is there",
      buildModel({
        inputs: [tensorInfo("x", "FLOAT", [null])],
        outputs: [tensorInfo("y", "FLOAT", [null])],
        nodes: [node("Add", ["x", "w"], ["y"])],
        initializers: [storedTensor("w", [1_000_000], Float32Array.of(1))],
      }),
      "takes 4000000 bytes and 4 came",
    ],
    [
      "an absurd size",
      buildModel({
        inputs: [tensorInfo("x", "FLOAT", [null])],
        outputs: [tensorInfo("y", "FLOAT", [null])],
        nodes: [node("Add", ["x", "w"], ["y"])],
        initializers: [storedTensor("w", [2 ** 40, 2 ** 20], Float32Array.of(1))],
      }),
      "more than 1 TiB",
    ],
  ])("refuses %s with what to do", (_, bytes, reason) => {
    expect(refusedReason(bytes)).toContain(reason);
  });

  it("refuses a configuration that names what the model does not have", () => {
    const bytes = identity("FLOAT", [null, 2]);
    expect(refusedReason(bytes, '{"label_output":"Y"}')).toContain(
      'line 1: label_output: the model has no output "Y"; did you mean "y"?',
    );
    expect(refusedReason(bytes, '{"label_outputs":"y"}')).toContain('did you mean "label_output"?');
    expect(refusedReason(bytes, '{"score_output":"y","label_output":"y"}')).toContain(
      "is the score_output too",
    );
    expect(refusedReason(bytes, '{"score_output":"Y"}')).toContain('did you mean "y"');
    expect(refusedReason(identity("STRING", [null, 1]), '{"score_output":"y"}')).toContain(
      "read from numbers",
    );
    expect(refusedReason(bytes, '{"inputs":[{"name":"xx"}]}')).toContain('did you mean "x"');
    const several =
      '{\n"score_output": "yy",\n"inputs": [\n{"name": "xx"},\n{"name": "x", "feature_names": ["a"]}\n]}';
    expect(refusedReason(bytes, several)).toBe(
      'config.json: line 4: inputs[0].name: the model has no input "xx"; did you mean "x"?; ' +
        'line 5: inputs[1].feature_names: 1 names came for input "x", which takes 2 values a row: name each of them, in their order; ' +
        'line 2: score_output: the model has no output "yy"; did you mean "y"?',
    );
    expect(
      refusedReason(identity("STRING", [null, 1]), '{"inputs":[{"name":"x","nan":"REJECT"}]}'),
    ).toContain("no NaN");
    expect(refusedReason(bytes, '{"inputs":[{"name":"x","feature_names":["a"]}]}')).toContain(
      "takes 2 values",
    );
  });

  it("takes labels and score output from the configuration", () => {
    const { signature } = prepared(
      identity("FLOAT", [null, 2]),
      '{"score_output":"y","labels":["no","yes"]}',
    );
    expect(signature.score).toEqual({ output: "y", kind: "second-class" });
    expect(signature.labelOutput).toBeUndefined();
    expect(signature.labels).toEqual(["no", "yes"]);
  });
});

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}
