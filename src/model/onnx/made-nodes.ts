import { create } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType,
  type NodeProto,
  NodeProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
} from "../../../gen/onnx/onnx-ml_pb.ts";

/** A node of ONNX's own operator set, with integers as its attributes. */
export function makeNode(
  opType: string,
  input: readonly string[],
  output: string,
  attributes: Readonly<Record<string, number>> = {},
): NodeProto {
  const attribute = Object.entries(attributes).map(([name, value]) => ({
    name,
    type: AttributeProto_AttributeType.INT,
    i: BigInt(value),
  }));
  return create(NodeProtoSchema, { opType, input: [...input], output: [output], attribute });
}

/** A node that gives another value the element type `to`, or as it is where that is undefined. */
export function makeCast(input: string, output: string, to: TensorProto_DataType | undefined): NodeProto {
  return to === undefined ? makeNode("Identity", [input], output) : makeNode("Cast", [input], output, { to });
}

/** A Constant node with the shape that a Reshape is given. */
export function makeShape(output: string, shape: readonly bigint[]): NodeProto {
  const t = create(TensorProtoSchema, {
    dims: [BigInt(shape.length)],
    dataType: TensorProto_DataType.INT64,
    int64Data: [...shape],
  });
  const value = { name: "value", type: AttributeProto_AttributeType.TENSOR, t };
  return create(NodeProtoSchema, { opType: "Constant", output: [output], attribute: [value] });
}
