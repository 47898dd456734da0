/** Small real ONNX models for tests, made from the protobuf types. */
import { create, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  TensorProto_DataLocation,
  TensorProtoSchema,
  type TensorShapeProto_Dimension,
  TensorShapeProto_DimensionSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "../../../gen/onnx/onnx-ml_pb.ts";
import type { PreparedModel } from "../../../src/model/prepared-model.ts";
import type { Batching, TensorSpec } from "../../../src/model/signature.ts";
import { type Datatype, rowOf } from "../../../src/tensor/datatype.ts";

/** An input or output; -1 is an axis that varies. */
interface Value {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** The names of its axes that vary; default: N for all, which makes them of one length. */
  readonly axes?: readonly string[];
}

/** A graph: nodes as operator, inputs, outputs and integer attributes; initializers of float32. */
export interface Graph {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly nodes: readonly {
    readonly op: string;
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
    readonly attributes?: Readonly<Record<string, number | readonly number[]>>;
  }[];
  readonly initializers?: readonly {
    readonly name: string;
    readonly datatype?: "FP32" | "INT64";
    readonly shape: readonly number[];
    readonly data: readonly number[];
    /** The file that has the data instead, relative to the model's folder. */
    readonly location?: string;
  }[];
  readonly batching?: Batching;
}

/** What a pool needs of a model. */
export type TestModel = Pick<
  PreparedModel,
  "modelName" | "modelVersion" | "bytes" | "externalData" | "signature"
>;

/** Makes a model file from a graph, with its signature as declared. */
export function onnxModel(modelName: string, graph: Graph): TestModel {
  const model = create(ModelProtoSchema, {
    irVersion: 9n,
    producerName: "assay tests",
    opsetImport: [{ domain: "", version: 17n }],
    graph: {
      name: modelName,
      input: graph.inputs.map(valueInfo),
      output: graph.outputs.map(valueInfo),
      node: graph.nodes.map(nodeProto),
      initializer: (graph.initializers ?? []).map(({ name, datatype, shape, data, location }) =>
        create(TensorProtoSchema, {
          name,
          dims: shape.map(BigInt),
          dataType: rowOf(datatype ?? "FP32").elementType,
          ...(location !== undefined
            ? {
                dataLocation: TensorProto_DataLocation.EXTERNAL,
                externalData: [{ key: "location", value: location }],
              }
            : datatype === "INT64"
              ? { int64Data: data.map(BigInt) }
              : { floatData: [...data] }),
        }),
      ),
    },
  });
  return {
    modelName,
    modelVersion: "1",
    bytes: toBinary(ModelProtoSchema, model),
    externalData: [],
    signature: {
      inputs: graph.inputs.map(tensorSpec),
      outputs: graph.outputs.map(tensorSpec),
      score: undefined,
      labelOutput: undefined,
      labels: [],
      batching: graph.batching ?? "across-requests",
      ignoreUnknownColumns: false,
    },
  };
}

/** `y = 2x + 1` for rows of `columns` floats: each row's answer tells which row it was. */
export function affineModel(columns = 2, batching: Batching = "across-requests"): TestModel {
  return onnxModel("affine", {
    inputs: [{ name: "x", datatype: "FP32", shape: [-1, columns] }],
    outputs: [{ name: "y", datatype: "FP32", shape: [-1, columns] }],
    nodes: [
      { op: "Mul", inputs: ["x", "two"], outputs: ["doubled"] },
      { op: "Add", inputs: ["doubled", "one"], outputs: ["y"] },
    ],
    initializers: [
      { name: "two", shape: [1], data: [2] },
      { name: "one", shape: [1], data: [1] },
    ],
    batching,
  });
}

/** The sum of `columns` floats a row. */
export function sumModel(columns: number, { input = "x", rows = -1 } = {}): TestModel {
  return onnxModel("sum", {
    inputs: [{ name: input, datatype: "FP32", shape: [rows, columns] }],
    outputs: [{ name: "y", datatype: "FP32", shape: [rows] }],
    nodes: [{ op: "ReduceSum", inputs: [input, "axes"], outputs: ["y"], attributes: { keepdims: 0 } }],
    initializers: [{ name: "axes", datatype: "INT64", shape: [1], data: [1] }],
  });
}

/** Looks rows up in a table of ten: an index outside fails the whole run. */
export function lookupModel(input = "index"): TestModel {
  return onnxModel("lookup", {
    inputs: [{ name: input, datatype: "INT64", shape: [-1] }],
    outputs: [{ name: "value", datatype: "FP32", shape: [-1] }],
    nodes: [{ op: "Gather", inputs: ["table", input], outputs: ["value"], attributes: { axis: 0 } }],
    initializers: [{ name: "table", shape: [10], data: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] }],
  });
}

function valueInfo(value: Value): ValueInfoProto {
  return create(ValueInfoProtoSchema, {
    name: value.name,
    type: {
      value: {
        case: "tensorType",
        value: {
          elemType: rowOf(value.datatype).elementType,
          shape: {
            dim: value.shape.map((length, axis) => dimension(length, value.axes?.[axis])),
          },
        },
      },
    },
  });
}

function dimension(length: number, name = "N"): TensorShapeProto_Dimension {
  return create(TensorShapeProto_DimensionSchema, {
    value: length === -1 ? { case: "dimParam", value: name } : { case: "dimValue", value: BigInt(length) },
  });
}

function nodeProto(node: Graph["nodes"][number]): NodeProto {
  return create(NodeProtoSchema, {
    opType: node.op,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: Object.entries(node.attributes ?? {}).map(([name, value]) =>
      typeof value === "number"
        ? { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) }
        : { name, type: AttributeProto_AttributeType.INTS, ints: value.map(BigInt) },
    ),
  });
}

function tensorSpec(value: Value): TensorSpec {
  return { ...value, optional: false, featureNames: [], labels: [], aliases: [], rejectNan: false };
}
