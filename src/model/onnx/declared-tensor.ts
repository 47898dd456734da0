import { create } from "@bufbuild/protobuf";
import {
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "../../../gen/onnx/onnx-ml_pb.ts";
import type { Datatype } from "../../tensor/datatype.ts";
import { quoted, refusal } from "../refusal.ts";
import { datatypeOf, elementTypeName, elementTypeOf } from "./element-type.ts";

/** The length of an axis as a graph declares it: a number, a symbol, or nothing. */
export type Dimension = number | string | undefined;

/** An input or output as the graph declares it. */
export interface DeclaredTensor {
  readonly name: string;
  readonly datatype: Datatype;
  /** Undefined where the graph declares no shape; empty for a scalar. */
  readonly dimensions: readonly Dimension[] | undefined;
  /** Callers see it in another shape than the graph: a session knows it by another name. */
  readonly reshaped?: boolean;
}

/** Axes longer than this are taken for damage. */
const MAX_AXIS_LENGTH = 2 ** 40;

/** Reads the declaration of a tensor; throws MODEL_INVALID for what cannot be sent: sequences, maps, odd element types. */
export function readDeclaredTensor(value: ValueInfoProto, role: "input" | "output"): DeclaredTensor {
  const name = value.name;
  const type = value.type?.value;
  if (type?.case !== "tensorType") throw refusal(noTensor(name, role, type?.case));
  const datatype = datatypeOf(type.value.elemType);
  if (datatype === undefined) {
    throw refusal(
      `${role} ${quoted(name)} has the element type ${elementTypeName(type.value.elemType)}; expected bool, an integer of 8 to 64 bits, ` +
        "float16, bfloat16, float32, float64 or string: add a Cast at this place before the export",
    );
  }
  const dimensions = type.value.shape?.dim.map(({ value: dim }): Dimension => {
    if (dim.case === "dimParam") return dim.value === "" ? undefined : dim.value;
    if (dim.case !== "dimValue" || dim.value < 0n) return undefined;
    if (dim.value > MAX_AXIS_LENGTH) {
      throw refusal(`${role} ${quoted(name)} declares an axis of length ${dim.value}: the file is damaged`);
    }
    return Number(dim.value);
  });
  return { name, datatype, dimensions };
}

function noTensor(name: string, role: "input" | "output", kind: string | undefined): string {
  const what = `${role} ${quoted(name)}`;
  switch (kind) {
    case "sequenceType":
      return role === "output"
        ? `${what} is a sequence that does not come from a ZipMap, which cannot be sent as a tensor: export it as one tensor (for scikit-learn's multi-output models with options={"zipmap": False}), or leave the output away`
        : `${what} is a sequence; expected a tensor: export the model so that it takes one tensor`;
    case "mapType":
      return `${what} is a map (a DictVectorizer takes one); expected tensors: export the steps behind the DictVectorizer, or replace it by one input a column`;
    case "optionalType":
      return `${what} has an optional type; expected a tensor: export the model with this ${role} given always`;
    case "sparseTensorType":
      return `${what} is a sparse tensor; expected a dense one: export the model with dense ${role}s`;
    case undefined:
      return `${what} declares no type; expected a tensor type: run onnx.shape_inference.infer_shapes, or export the model again`;
    default:
      return `${what} is of a kind (${kind}) that cannot be sent; expected a tensor`;
  }
}

/** The declaration as it stands in a file; undefined dimensions are written without value or symbol. */
export function writeDeclaredTensor(declared: DeclaredTensor): ValueInfoProto {
  const tensor = create(TypeProto_TensorSchema, { elemType: elementTypeOf(declared.datatype) });
  if (declared.dimensions !== undefined) {
    const dim = declared.dimensions.map((dimension) =>
      create(TensorShapeProto_DimensionSchema, {
        value:
          typeof dimension === "number"
            ? { case: "dimValue", value: BigInt(dimension) }
            : typeof dimension === "string"
              ? { case: "dimParam", value: dimension }
              : { case: undefined },
      }),
    );
    tensor.shape = create(TensorShapeProtoSchema, { dim });
  }
  const type = create(TypeProtoSchema, { value: { case: "tensorType", value: tensor } });
  return create(ValueInfoProtoSchema, { name: declared.name, type });
}

/** `FP32[-1,4]`, as messages show it. */
export function describeShape(dimensions: readonly Dimension[] | undefined): string {
  return dimensions === undefined ? "[…]" : `[${dimensions.map((dimension) => dimension ?? "?").join(",")}]`;
}
