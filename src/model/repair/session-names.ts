import { type GraphProto, TensorProto_DataType, type ValueInfoProto } from "../../../gen/onnx/onnx-ml_pb.ts";
import { type Datatype, rowOf } from "../../tensor/datatype.ts";
import { datatypeOf } from "../onnx/element-type.ts";
import { makeCast } from "../onnx/made-nodes.ts";
import type { OnnxEdits } from "../onnx/onnx-edit.ts";

/**
 * The name by which a session knows an input or output of a prepared model. onnxruntime-node keeps feeds, fetches and results
 * in plain objects, so that `__proto__` is lost and `constructor` is taken for a tensor where it is not fetched; such
 * names are others inside the file, and so are those of tensors that it has no arrays for, which cross as float32.
 */
export function sessionName(name: string, datatype?: Datatype): string {
  if (datatype !== undefined && rowOf(datatype).sessionType === undefined) return `assay/float32/${name}`;
  return name in Object.prototype ? `assay/${name}` : name;
}

/** The name of an input or output inside the file where callers see it in another shape than the graph. */
export function reshapedName(name: string): string {
  return `assay/reshaped/${name}`;
}

/** The name by which a session knows an input or output of a signature. */
export function sessionNameOf({
  name,
  datatype,
  reshaped,
}: {
  readonly name: string;
  readonly datatype: Datatype;
  readonly reshaped?: boolean;
}): string {
  return sessionName(reshaped === true ? reshapedName(name) : name, datatype);
}

/**
 * Gives inputs and outputs that a session would mistake, or has no tensors for, their other names: by Identity nodes, and by Cast
 * nodes where they cross as float32, which holds each of their numbers.
 */
export function renameForSession(graph: GraphProto, edits: OnnxEdits): void {
  const inputs = edits.inputs ?? graph.input;
  const outputs = edits.outputs ?? graph.output;
  const stored = new Set(graph.initializer.map(({ name }) => name));
  const isFed = ({ name }: ValueInfoProto) => !stored.has(name) || edits.initializers.has(name);
  const isMistaken = (value: ValueInfoProto) => nameOf(value) !== value.name;
  const fed = new Set(inputs.filter((value) => isFed(value) && isMistaken(value)).map(({ name }) => name));
  if (fed.size > 0) {
    edits.inputs = inputs.map((value) => (fed.has(value.name) ? renamed(value) : value));
    for (const value of inputs.filter(({ name }) => fed.has(name))) {
      edits.appendNodes.push(makeCast(nameOf(value), value.name, carriedType(value)));
    }
  }
  if (outputs.some(isMistaken)) {
    edits.outputs = outputs.map((value) => (isMistaken(value) ? renamed(value) : value));
    // A value that only passes through the graph is fed and fetched under one name.
    for (const value of outputs.filter((one) => isMistaken(one) && !fed.has(one.name))) {
      const to = carriedType(value) === undefined ? undefined : TensorProto_DataType.FLOAT;
      edits.appendNodes.push(makeCast(value.name, nameOf(value), to));
    }
  }
}

function nameOf(value: ValueInfoProto): string {
  return sessionName(value.name, servedType(value));
}

function servedType({ type }: ValueInfoProto): Datatype | undefined {
  return type?.value.case === "tensorType" ? datatypeOf(type.value.value.elemType) : undefined;
}

/** The element type of a value that crosses as float32; undefined for all others. */
function carriedType(value: ValueInfoProto): TensorProto_DataType | undefined {
  const datatype = servedType(value);
  if (datatype === undefined || rowOf(datatype).sessionType !== undefined) return undefined;
  return rowOf(datatype).elementType;
}

function renamed(value: ValueInfoProto): ValueInfoProto {
  const { type } = value;
  const name = nameOf(value);
  if (carriedType(value) === undefined || type?.value.case !== "tensorType") return { ...value, name };
  const tensor = { ...type.value.value, elemType: TensorProto_DataType.FLOAT };
  return { ...value, name, type: { ...type, value: { case: "tensorType", value: tensor } } };
}
