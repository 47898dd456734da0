import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type AttributeProto,
  AttributeProtoSchema,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  type TensorProto,
  TensorProto_DataType,
  TensorProtoSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "../../../gen/onnx/onnx-ml_pb.ts";

/** The parts of a small model; defaults: IR version 8, opset 17 and ML opset 3. */
export interface ModelParts {
  readonly irVersion?: number;
  readonly opsets?: Readonly<Record<string, number>>;
  readonly producer?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly inputs: readonly ValueInfoProto[];
  readonly outputs: readonly ValueInfoProto[];
  readonly nodes: readonly NodeProto[];
  readonly initializers?: readonly TensorProto[];
}

const utf8 = new TextEncoder();

/** The bytes of a model.onnx. */
export function buildModel(parts: ModelParts): Uint8Array {
  const opsets = parts.opsets ?? { "": 17, "ai.onnx.ml": 3 };
  const model = create(ModelProtoSchema, {
    irVersion: BigInt(parts.irVersion ?? 8),
    producerName: parts.producer ?? "model-builder",
    opsetImport: Object.entries(opsets).map(([domain, version]) =>
      create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) }),
    ),
    metadataProps: Object.entries(parts.metadata ?? {}).map(([key, value]) => ({ key, value })),
    graph: create(GraphProtoSchema, {
      name: "graph",
      input: [...parts.inputs],
      output: [...parts.outputs],
      node: [...parts.nodes],
      initializer: [...(parts.initializers ?? [])],
    }),
  });
  return toBinary(ModelProtoSchema, model);
}

/** A tensor input or output; `null` for an axis without length, undefined `shape` for none declared. */
export function tensorInfo(
  name: string,
  elementType: keyof typeof TensorProto_DataType,
  shape?: readonly (number | string | null)[],
): ValueInfoProto {
  const dim = shape?.map((length) => ({
    value:
      length === null
        ? { case: undefined }
        : typeof length === "number"
          ? { case: "dimValue" as const, value: BigInt(length) }
          : { case: "dimParam" as const, value: length },
  }));
  return typedInfo(name, {
    case: "tensorType",
    value: { elemType: TensorProto_DataType[elementType], ...(dim === undefined ? {} : { shape: { dim } }) },
  });
}

/** What a ZipMap declares: a sequence of maps to float. */
export function zipMapInfo(name: string, key: "INT64" | "STRING"): ValueInfoProto {
  const valueType = { value: { case: "tensorType" as const, value: { elemType: 1 } } };
  const elemType = {
    value: { case: "mapType" as const, value: { keyType: TensorProto_DataType[key], valueType } },
  };
  return typedInfo(name, { case: "sequenceType", value: { elemType } });
}

/** An input or output of any type. */
export function typedInfo(name: string, value: object): ValueInfoProto {
  const type = create(TypeProtoSchema, { value } as MessageInitShape<typeof TypeProtoSchema>);
  return create(ValueInfoProtoSchema, { name, type });
}

/** A node; attributes by name as number (float), bigint, text, lists of them, or a tensor. */
export function node(
  opType: string,
  input: readonly string[],
  output: readonly string[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
  domain = "",
): NodeProto {
  const attribute = Object.entries(attributes).map(([name, value]) => attributeOf(name, value));
  return create(NodeProtoSchema, {
    opType,
    domain,
    name: `${opType}_${output[0]}`,
    input: [...input],
    output: [...output],
    attribute,
  });
}

type AttributeValue = number | bigint | string | TensorProto | readonly (number | bigint | string)[];

function attributeOf(name: string, value: AttributeValue): AttributeProto {
  const make = (fields: MessageInitShape<typeof AttributeProtoSchema>) =>
    create(AttributeProtoSchema, { name, ...fields });
  if (typeof value === "number") return make({ type: 1, f: value });
  if (typeof value === "bigint") return make({ type: 2, i: value });
  if (typeof value === "string") return make({ type: 3, s: utf8.encode(value) });
  if (!("length" in value)) return make({ type: 4, t: value });
  if (typeof value[0] === "string") {
    return make({ type: 8, strings: value.map((text) => utf8.encode(String(text))) });
  }
  return typeof value[0] === "bigint"
    ? make({ type: 7, ints: value.map(BigInt) })
    : make({ type: 6, floats: value.map(Number) });
}

/** A stored float32, int64 or string tensor. */
export function storedTensor(
  name: string,
  dims: readonly number[],
  data: Float32Array | Float64Array | Uint8Array | BigInt64Array | readonly string[],
): TensorProto {
  const base = { name, dims: dims.map(BigInt) };
  if (data instanceof Float32Array || data instanceof Float64Array || data instanceof Uint8Array) {
    const dataType = data instanceof Float32Array ? 1 : data instanceof Float64Array ? 11 : 2;
    return create(TensorProtoSchema, { ...base, dataType, rawData: new Uint8Array(data.buffer) });
  }
  if (data instanceof BigInt64Array) {
    return create(TensorProtoSchema, { ...base, dataType: 7, int64Data: [...data] });
  }
  return create(TensorProtoSchema, {
    ...base,
    dataType: 8,
    stringData: data.map((text) => utf8.encode(text)),
  });
}

/** A linear classifier of four features and three classes that ends in a ZipMap, as skl2onnx writes it. */
export function zipMapClassifier(
  labels: readonly string[] | readonly bigint[],
  rows: number | null = null,
): Uint8Array {
  const strings = typeof labels[0] === "string";
  const key = strings ? "STRING" : "INT64";
  const attribute = strings ? "classlabels_strings" : "classlabels_ints";
  const keys = strings ? "classlabels_strings" : "classlabels_int64s";
  return buildModel({
    inputs: [tensorInfo("X", "FLOAT", [rows, 4])],
    outputs: [tensorInfo("output_label", key, [rows]), zipMapInfo("output_probability", key)],
    nodes: [
      node(
        "LinearClassifier",
        ["X"],
        ["output_label", "probabilities"],
        {
          [attribute]: labels,
          coefficients: [0.5, -1, 0.25, 2, -0.5, 1, 1, -1, 0.1, 0.2, -0.3, 0.4],
          intercepts: [0.1, -0.2, 0.3],
          post_transform: "SOFTMAX",
          multi_class: 1n,
        },
        "ai.onnx.ml",
      ),
      node("ZipMap", ["probabilities"], ["output_probability"], { [keys]: labels }, "ai.onnx.ml"),
    ],
  });
}
