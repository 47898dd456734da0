/** Models that hang, fail or are odd, written into a repository. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  type NodeProto,
  NodeProtoSchema,
} from "../../gen/onnx/onnx-ml_pb.ts";
import { buildModel, node, storedTensor, tensorInfo } from "../support/models/model-builder.ts";
import { lookupModel, onnxModel, sumModel } from "../support/models/onnx-model.ts";

/** Writes version 1 of a model; resolves to its folder. */
function writeModel(repository: string, name: string, bytes: Uint8Array, config?: unknown): string {
  const folder = join(repository, name, "1");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "model.onnx"), bytes);
  if (config !== undefined) writeFileSync(join(repository, name, "config.json"), JSON.stringify(config));
  return folder;
}

/** A sum over `count` named columns. */
export function writeWideModel(repository: string, count: number): void {
  const names = Array.from({ length: count }, (_, i) => `feature_number_${i}`);
  const { bytes } = sumModel(count);
  writeModel(repository, "wide", bytes, { inputs: [{ name: "x", feature_names: names }] });
  writeSmallModel(repository, "iris", 4);
}

/** The sum of a vector as score, under any name; takes the example model's place as the one that answers on. */
export function writeSmallModel(repository: string, name: string, columns: number, rows = -1): string {
  const { bytes } = sumModel(columns, { input: "features", rows });
  return writeModel(repository, name, bytes);
}

/** Loops as often as the largest value of its input says; with `always`, so often that no run ends. */
export function writeHangingModel(repository: string, name: string, always: boolean): void {
  const trips = always
    ? [node("Identity", ["ages"], ["trips"])]
    : [
        node("ReduceMax", ["features"], ["largest"], { keepdims: 0n }),
        node("Cast", ["largest"], ["trips"], { to: 7n }),
      ];
  const bytes = buildModel({
    inputs: [tensorInfo("features", "FLOAT", ["N", 1])],
    outputs: [tensorInfo("y", "FLOAT", ["N", 1])],
    nodes: [...trips, loop()],
    initializers: [storedTensor("ages", [], BigInt64Array.of(1_000_000_000_000n))],
  });
  writeModel(repository, name, bytes);
}

/** A loop that adds nothing to its input, once a trip. */
function loop(): NodeProto {
  const body = create(GraphProtoSchema, {
    name: "body",
    input: [tensorInfo("trip", "INT64", []), tensorInfo("on", "BOOL", []), tensorInfo("before", "FLOAT")],
    output: [tensorInfo("still", "BOOL", []), tensorInfo("after", "FLOAT")],
    node: [node("Identity", ["on"], ["still"]), node("Sin", ["before"], ["after"])],
  });
  return create(NodeProtoSchema, {
    opType: "Loop",
    name: "hang",
    input: ["trips", "", "features"],
    output: ["y"],
    attribute: [
      create(AttributeProtoSchema, { name: "body", type: AttributeProto_AttributeType.GRAPH, g: body }),
    ],
  });
}

/** Looks ids up in a table of ten rows, as an embedding does. */
export function writeLookupModel(repository: string): void {
  writeModel(repository, "lookup", lookupModel("ids").bytes);
}

/** A lookup whose table of `count` floats lies in `model.onnx.data`; resolves to that file's path. */
export function writeExternalModel(repository: string, count: number): string {
  const { bytes } = onnxModel("external", {
    inputs: [{ name: "ids", datatype: "INT64", shape: [-1] }],
    outputs: [{ name: "value", datatype: "FP32", shape: [-1] }],
    nodes: [{ op: "Gather", inputs: ["table", "ids"], outputs: ["value"], attributes: { axis: 0 } }],
    initializers: [{ name: "table", shape: [count], data: [], location: "model.onnx.data" }],
  });
  const path = join(writeModel(repository, "external", bytes), "model.onnx.data");
  writeFileSync(path, new Uint8Array(new Float32Array(count).fill(7).buffer));
  return path;
}
