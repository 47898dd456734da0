import { equals, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ModelProtoSchema } from "../../../../gen/onnx/onnx-ml_pb.ts";
import { applyEdits, createEdits } from "../../../../src/model/onnx/onnx-edit.ts";
import { readOnnxOutline, readTensorName } from "../../../../src/model/onnx/onnx-outline.ts";
import { WireError } from "../../../../src/model/onnx/wire.ts";
import { buildModel, node, storedTensor, tensorInfo } from "../../../support/models/model-builder.ts";
import { randomGraph } from "../../../support/models/random-graph.ts";

const weighty = buildModel({
  inputs: [tensorInfo("x", "FLOAT", [null, 2])],
  outputs: [tensorInfo("y", "FLOAT", [null, 2])],
  nodes: [
    node("Add", ["x", "small"], ["sum"]),
    node("Constant", [], ["long"], { value_floats: Array.from({ length: 300_000 }, () => 1) }),
    node("Identity", ["sum"], ["y"]),
  ],
  initializers: [
    storedTensor("small", [2], Float32Array.of(1, 2)),
    storedTensor("large", [1 << 19], new Float32Array(1 << 19)),
  ],
});

describe("readOnnxOutline", () => {
  it("reads a small file as the protobuf library does", () => {
    fc.assert(
      fc.property(randomGraph, ({ bytes }) => {
        const { model } = readOnnxOutline(bytes);
        expect(equals(ModelProtoSchema, model, fromBinary(ModelProtoSchema, bytes))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it("leaves out long values, and keeps what they declare", () => {
    const { model, tensors } = readOnnxOutline(weighty);
    const [small, large] = model.graph!.initializer;
    expect(small?.rawData.length).toBe(8);
    expect(large?.rawData.length).toBe(0);
    expect(large?.dims).toEqual([BigInt(1 << 19)]);
    expect(tensors.map(({ name, rawBytes }) => [name, rawBytes])).toContainEqual(["large", 4 << 19]);
    expect(model.graph!.node[1]?.attribute[0]).toMatchObject({ name: "value_floats", floats: [] });
  });

  it("throws for a file that ends inside its graph", () => {
    for (const length of [weighty.length - 20, weighty.length >> 1, 1000, 60]) {
      expect(() => readOnnxOutline(weighty.subarray(0, length))).toThrow(WireError);
    }
  });
});

describe("applyEdits", () => {
  it("changes what is asked for and nothing else", () => {
    const edits = createEdits();
    edits.irVersion = 7;
    edits.addOpsets.push({ domain: "com.example", version: 2 });
    edits.replaceNodes.set(0, node("Mul", ["x", "small"], ["sum"]));
    edits.appendNodes.push(node("Neg", ["y"], ["z"]));
    edits.outputs = [tensorInfo("z", "FLOAT", [null, 2])];
    edits.initializers.set("small", storedTensor("small", [2], Float32Array.of(5, 6)));
    const wanted = fromBinary(ModelProtoSchema, weighty);
    wanted.irVersion = 7n;
    wanted.opsetImport.push({ ...wanted.opsetImport[0]!, domain: "com.example", version: 2n });
    wanted.graph!.node[0] = node("Mul", ["x", "small"], ["sum"]);
    wanted.graph!.node.push(node("Neg", ["y"], ["z"]));
    wanted.graph!.output = [tensorInfo("z", "FLOAT", [null, 2])];
    wanted.graph!.initializer[0] = storedTensor("small", [2], Float32Array.of(5, 6));
    const came = fromBinary(ModelProtoSchema, applyEdits(weighty, edits, readTensorName));
    expect(equals(ModelProtoSchema, came, wanted)).toBe(true);
  });

  it("returns the same array where nothing is asked for", () => {
    expect(applyEdits(weighty, createEdits(), readTensorName)).toBe(weighty);
  });

  it("leaves out initializers and what is said of values in between", () => {
    const model = fromBinary(ModelProtoSchema, weighty);
    model.graph!.valueInfo.push(tensorInfo("sum", "FLOAT", [1, 2]));
    const bytes = toBinary(ModelProtoSchema, model);
    const edits = createEdits();
    edits.dropValueInfo = true;
    edits.initializers.set("large", undefined);
    const { graph } = fromBinary(ModelProtoSchema, applyEdits(bytes, edits, readTensorName));
    expect(graph?.valueInfo).toEqual([]);
    expect(graph?.initializer.map(({ name }) => name)).toEqual(["small"]);
  });
});
