import { create } from "@bufbuild/protobuf";
import { type GraphProto, NodeProtoSchema, type ValueInfoProto } from "../../../gen/onnx/onnx-ml_pb.ts";
import type { OnnxEdits } from "../onnx/onnx-edit.ts";

/**
 * The name by which a session knows an input or output of a prepared model. onnxruntime-node keeps feeds, fetches and results
 * in plain objects, so that `__proto__` is lost and `constructor` is taken for a tensor where it is not fetched; such
 * names are others inside the file.
 */
export function sessionName(name: string): string {
  return name in Object.prototype ? `assay/${name}` : name;
}

/** Gives inputs and outputs whose names a session would mistake their other names, by Identity nodes. */
export function renameForSession(graph: GraphProto, edits: OnnxEdits): void {
  const inputs = edits.inputs ?? graph.input;
  const outputs = edits.outputs ?? graph.output;
  const stored = new Set(graph.initializer.map(({ name }) => name));
  const isFed = ({ name }: ValueInfoProto) => !stored.has(name) || edits.initializers.has(name);
  const isMistaken = ({ name }: ValueInfoProto) => sessionName(name) !== name;
  const link = (from: string, to: string) =>
    edits.appendNodes.push(create(NodeProtoSchema, { opType: "Identity", input: [from], output: [to] }));
  const rename = (value: ValueInfoProto) => ({ ...value, name: sessionName(value.name) });
  const fed = new Set(inputs.filter((value) => isFed(value) && isMistaken(value)).map(({ name }) => name));
  if (fed.size > 0) {
    edits.inputs = inputs.map((value) => (fed.has(value.name) ? rename(value) : value));
    for (const name of fed) link(sessionName(name), name);
  }
  if (outputs.some(isMistaken)) {
    edits.outputs = outputs.map((value) => (isMistaken(value) ? rename(value) : value));
    // A value that only passes through the graph is fed and fetched under one name.
    for (const { name } of outputs.filter((value) => isMistaken(value) && !fed.has(value.name))) {
      link(name, sessionName(name));
    }
  }
}
