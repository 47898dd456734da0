import { create, toBinary } from "@bufbuild/protobuf";
import {
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "../../../gen/onnx/onnx-ml_pb.ts";
import { append, encodeVarint, join, lengthPrefix, type Pieces, visitFields } from "./wire.ts";

/** The wire type of messages and texts. */
const MESSAGE = 2;

/** Changes to a model file; everything else, weights included, stays byte for byte. */
export interface OnnxEdits {
  irVersion?: number;
  /** Operator sets to import besides those that the file has. */
  readonly addOpsets: { readonly domain: string; readonly version: number }[];
  /** By position in the graph. */
  readonly replaceNodes: Map<number, NodeProto>;
  readonly appendNodes: NodeProto[];
  /** The whole lists, where they change. */
  inputs?: readonly ValueInfoProto[];
  outputs?: readonly ValueInfoProto[];
  /** Leaves out what the graph says of values in between, where a changed input makes it untrue. */
  dropValueInfo: boolean;
  /** By name: another tensor, or undefined to leave it out. */
  readonly initializers: Map<string, TensorProto | undefined>;
}

/** No changes yet. */
export function createEdits(): OnnxEdits {
  return {
    addOpsets: [],
    replaceNodes: new Map(),
    appendNodes: [],
    dropValueInfo: false,
    initializers: new Map(),
  };
}

/** True where there is nothing to change. */
function isUnchanged(edits: OnnxEdits): boolean {
  return (
    edits.irVersion === undefined &&
    edits.addOpsets.length === 0 &&
    edits.replaceNodes.size === 0 &&
    edits.appendNodes.length === 0 &&
    edits.inputs === undefined &&
    edits.outputs === undefined &&
    !edits.dropValueInfo &&
    edits.initializers.size === 0
  );
}

/** The file with the changes made, in one copy; the same array where there are none. */
export function applyEdits(bytes: Uint8Array, edits: OnnxEdits, initializerName: NameReader): Uint8Array {
  if (isUnchanged(edits)) return bytes;
  const model: Pieces = { parts: [], byteLength: 0 };
  visitFields(bytes, 0, bytes.length, (field) => {
    if (field.number === 7 && field.wireType === MESSAGE) {
      const graph = editGraph(bytes, field.valueStart, field.end, edits, initializerName);
      append(model, lengthPrefix(7, graph.byteLength));
      for (const part of graph.parts) append(model, part);
    } else if (field.number !== 1 || edits.irVersion === undefined) {
      append(model, bytes.subarray(field.start, field.end));
    }
  });
  if (edits.irVersion !== undefined) {
    append(model, Uint8Array.of(8));
    append(model, encodeVarint(edits.irVersion));
  }
  for (const { domain, version } of edits.addOpsets) {
    const opset = create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) });
    appendBinary(model, 8, toBinary(OperatorSetIdProtoSchema, opset));
  }
  return join(model);
}

/** The name of the initializer that is stored at a place in the file. */
export type NameReader = (bytes: Uint8Array, start: number, end: number) => string;

function editGraph(
  bytes: Uint8Array,
  start: number,
  end: number,
  edits: OnnxEdits,
  initializerName: NameReader,
): Pieces {
  const graph: Pieces = { parts: [], byteLength: 0 };
  let nodeIndex = 0;
  visitFields(bytes, start, end, (field) => {
    const keep = () => append(graph, bytes.subarray(field.start, field.end));
    // A number of a field with the wire type of another is an unknown field, here as in every protobuf reader.
    if (field.wireType !== MESSAGE) return keep();
    switch (field.number) {
      case 1: {
        const replacement = edits.replaceNodes.get(nodeIndex++);
        if (replacement === undefined) keep();
        else appendBinary(graph, 1, toBinary(NodeProtoSchema, replacement));
        return;
      }
      case 5: {
        const name =
          edits.initializers.size > 0 ? initializerName(bytes, field.valueStart, field.end) : undefined;
        if (name === undefined || !edits.initializers.has(name)) return keep();
        const replacement = edits.initializers.get(name);
        if (replacement !== undefined) appendBinary(graph, 5, toBinary(TensorProtoSchema, replacement));
        return;
      }
      case 11:
        if (edits.inputs === undefined) keep();
        return;
      case 12:
        if (edits.outputs === undefined) keep();
        return;
      case 13:
        if (!edits.dropValueInfo) keep();
        return;
      default:
        keep();
    }
  });
  for (const node of edits.appendNodes) appendBinary(graph, 1, toBinary(NodeProtoSchema, node));
  for (const input of edits.inputs ?? []) appendBinary(graph, 11, toBinary(ValueInfoProtoSchema, input));
  for (const output of edits.outputs ?? []) appendBinary(graph, 12, toBinary(ValueInfoProtoSchema, output));
  return graph;
}

function appendBinary(pieces: Pieces, fieldNumber: number, bytes: Uint8Array): void {
  append(pieces, lengthPrefix(fieldNumber, bytes.length));
  append(pieces, bytes);
}
