import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
} from "../../../gen/onnx/onnx-ml_pb.ts";
import { testFolder } from "../folders.ts";
import { buildModel, node, storedTensor, tensorInfo } from "./model-builder.ts";
import { affineModel } from "./onnx-model.ts";

/** Every run of it goes on for ever: a Loop that counts to the largest number. */
export function endlessModel(): Uint8Array {
  return loopModel([], [storedTensor("trips", [], BigInt64Array.of(2n ** 63n - 1n))]);
}

/** `y = x + (a trip for each unit of the largest value of x)`: a row of 1e15 hangs, a row of 2 does not. */
export function loopingModel(): Uint8Array {
  const largest = node("ReduceMax", ["x"], ["largest"], { keepdims: 0n });
  return loopModel([largest, node("Cast", ["largest"], ["trips"], { to: 7n })], []);
}

/** `y` has the length that the largest value of x says. */
export function swellingModel(): Uint8Array {
  return buildModel({
    inputs: [tensorInfo("x", "FLOAT", ["N", 2])],
    outputs: [tensorInfo("y", "FLOAT", [null])],
    nodes: [
      node("ReduceMax", ["x"], ["largest"], { keepdims: 0n }),
      node("Cast", ["largest"], ["count"], { to: 7n }),
      node("Reshape", ["count", "one"], ["length"]),
      node("ConstantOfShape", ["length"], ["y"]),
    ],
    initializers: [storedTensor("one", [1], BigInt64Array.of(1n))],
  });
}

/** `y` is `x` and 1 for each of `trips`, which the nodes before or an initializer gives. */
export function loopModel(
  before: readonly ReturnType<typeof node>[],
  initializers: readonly ReturnType<typeof storedTensor>[],
): Uint8Array {
  const body = create(GraphProtoSchema, {
    name: "body",
    input: [tensorInfo("i", "INT64", []), tensorInfo("go", "BOOL", []), tensorInfo("sum", "FLOAT", ["N", 2])],
    output: [tensorInfo("goOn", "BOOL", []), tensorInfo("more", "FLOAT", ["N", 2])],
    node: [node("Identity", ["go"], ["goOn"]), node("Add", ["sum", "step"], ["more"])],
  });
  const loop = node("Loop", ["trips", "yes", "x"], ["y"]);
  loop.attribute.push(
    create(AttributeProtoSchema, { name: "body", type: AttributeProto_AttributeType.GRAPH, g: body }),
  );
  const yes = create(TensorProtoSchema, { name: "yes", dataType: TensorProto_DataType.BOOL, int32Data: [1] });
  return buildModel({
    inputs: [tensorInfo("x", "FLOAT", ["N", 2])],
    outputs: [tensorInfo("y", "FLOAT", ["N", 2])],
    nodes: [...before, loop],
    initializers: [...initializers, yes, storedTensor("step", [1], Float32Array.of(1))],
  });
}

/** A model whose weight lies in `model.onnx.data`, as PyTorch's exporter writes it: `y = weight * x`. */
export function externalModel(): Uint8Array {
  const bytes = buildModel({
    inputs: [tensorInfo("x", "FLOAT", ["N", 2])],
    outputs: [tensorInfo("y", "FLOAT", ["N", 2])],
    nodes: [node("Mul", ["x", "weight"], ["y"])],
    initializers: [storedTensor("weight", [2], Float32Array.of(0, 0))],
  });
  const model = fromBinary(ModelProtoSchema, bytes);
  const weight = model.graph!.initializer[0]!;
  weight.rawData = new Uint8Array(0);
  weight.dataLocation = 1;
  weight.externalData.push({
    $typeName: "onnx.StringStringEntryProto",
    key: "location",
    value: "model.onnx.data",
  });
  return toBinary(ModelProtoSchema, model);
}

/** A repository of models by name, each its files by name; it is gone when the test has ended. */
interface WrittenRepository {
  readonly folder: string;
  /** Where a file of version 1 lies. */
  path(modelName: string, fileName: string): string;
}

/** Writes models, each with the files given or its bytes alone, beside `affine` (`y = 2x + 1` of two columns), which is well. */
export function writeModels(
  models: Readonly<Record<string, Uint8Array | Readonly<Record<string, Uint8Array | string>>>>,
): WrittenRepository {
  const folder = testFolder();
  const path = (modelName: string, fileName: string) => join(folder, modelName, "1", fileName);
  for (const [name, files] of Object.entries({ ...models, affine: affineModel().bytes })) {
    mkdirSync(join(folder, name, "1"), { recursive: true });
    const named = files instanceof Uint8Array ? { "model.onnx": files } : files;
    for (const [fileName, content] of Object.entries(named)) writeFileSync(path(name, fileName), content);
  }
  return { folder, path };
}

/** The processes that a process has started and that live. */
export function childrenOf(processId: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((id) => {
      try {
        const status = readFileSync(`/proc/${id}/stat`, "utf8");
        const [state, parent] = status.slice(status.lastIndexOf(")") + 2).split(" ");
        return Number(parent) === processId && state !== "Z";
      } catch {
        return false;
      }
    });
}
