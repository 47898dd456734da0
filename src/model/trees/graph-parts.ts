import { append, join, lengthPrefix, type Pieces, readVarint, visitFields } from "../onnx/wire.ts";

/** A node as it lies in a file. */
export interface NodePart {
  readonly opType: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Where its NodeProto lies. */
  readonly start: number;
  readonly end: number;
}

/** An input or output as it lies in a file. */
export interface ValuePart {
  readonly name: string;
  /** ONNX's number of the element type; 0 where it is no tensor. */
  readonly elementType: number;
  /** The axes: 0 for one without a length; undefined where none are declared. */
  readonly axes: readonly number[] | undefined;
}

/** The top level of a file's graph, without its weights: for threads that run models, which do without the schema of ONNX. */
export interface GraphParts {
  readonly bytes: Uint8Array;
  readonly nodes: readonly NodePart[];
  readonly inputs: readonly ValuePart[];
  readonly outputs: readonly ValuePart[];
  /** Where each stored tensor lies, by its name. */
  readonly initializers: ReadonlyMap<string, { readonly start: number; readonly end: number }>;
}

const utf8 = new TextDecoder();
const MESSAGE = 2;

/** Reads a model file's graph. Throws WireError for bytes that are no protobuf. */
export function readGraphParts(bytes: Uint8Array): GraphParts {
  const nodes: NodePart[] = [];
  const inputs: ValuePart[] = [];
  const outputs: ValuePart[] = [];
  const initializers = new Map<string, { start: number; end: number }>();
  const text = (start: number, end: number) => utf8.decode(bytes.subarray(start, end));
  eachMessage(bytes, 0, bytes.length, 7, (graphStart, graphEnd) => {
    visitFields(bytes, graphStart, graphEnd, ({ number, wireType, valueStart: start, end }) => {
      if (wireType !== MESSAGE) return;
      if (number === 1) nodes.push(nodePart(bytes, start, end));
      else if (number === 11) inputs.push(valuePart(bytes, start, end));
      else if (number === 12) outputs.push(valuePart(bytes, start, end));
      else if (number === 5)
        eachMessage(bytes, start, end, 8, (from, to) => initializers.set(text(from, to), { start, end }));
    });
  });
  return { bytes, nodes, inputs, outputs, initializers };
}

function nodePart(bytes: Uint8Array, start: number, end: number): NodePart {
  const inputs: string[] = [];
  const outputs: string[] = [];
  let opType = "";
  let domain = "";
  visitFields(bytes, start, end, (field) => {
    if (field.wireType !== MESSAGE || field.number === 5) return;
    const text = utf8.decode(bytes.subarray(field.valueStart, field.end));
    if (field.number === 1) inputs.push(text);
    else if (field.number === 2) outputs.push(text);
    else if (field.number === 4) opType = text;
    else if (field.number === 7) domain = text;
  });
  return { opType, domain, inputs, outputs, start, end };
}

function valuePart(bytes: Uint8Array, start: number, end: number): ValuePart {
  let name = "";
  let elementType = 0;
  let axes: number[] | undefined;
  eachMessage(bytes, start, end, 1, (from, to) => {
    name = utf8.decode(bytes.subarray(from, to));
  });
  // type, tensor_type
  eachMessage(bytes, start, end, 2, (typeStart, typeEnd) => {
    eachMessage(bytes, typeStart, typeEnd, 1, (tensorStart, tensorEnd) => {
      visitFields(bytes, tensorStart, tensorEnd, (field) => {
        if (field.number === 1 && field.wireType === 0)
          elementType = readVarint(bytes, field.valueStart, field.end);
        if (field.number !== 2 || field.wireType !== MESSAGE) return;
        axes = [];
        const lengths = axes;
        eachMessage(bytes, field.valueStart, field.end, 1, (from, to) => {
          let length = 0;
          visitFields(bytes, from, to, (axis) => {
            if (axis.number === 1 && axis.wireType === 0)
              length = readVarint(bytes, axis.valueStart, axis.end);
          });
          lengths.push(length);
        });
      });
    });
  });
  return { name, elementType, axes };
}

function eachMessage(
  bytes: Uint8Array,
  start: number,
  end: number,
  number: number,
  visit: (start: number, end: number) => void,
): void {
  visitFields(bytes, start, end, (field) => {
    if (field.number === number && field.wireType === MESSAGE) visit(field.valueStart, field.end);
  });
}

/** Another choice of a graph's nodes, with the inputs and outputs that it then has. */
export interface GraphCut {
  readonly nodes: ReadonlySet<NodePart>;
  readonly inputs: readonly Pick<ValuePart, "name" | "elementType">[];
  readonly outputs: readonly Pick<ValuePart, "name" | "elementType">[];
}

/** A model of some of a graph's nodes; everything else of the file stays. */
export function cutGraph(parts: GraphParts, cut: GraphCut): Uint8Array {
  const { bytes } = parts;
  const kept = new Set(Array.from(cut.nodes, ({ start }) => start));
  const model: Pieces = { parts: [], byteLength: 0 };
  visitFields(bytes, 0, bytes.length, (field) => {
    if (field.number !== 7 || field.wireType !== MESSAGE)
      return append(model, bytes.subarray(field.start, field.end));
    const graph: Pieces = { parts: [], byteLength: 0 };
    visitFields(bytes, field.valueStart, field.end, ({ number, wireType, start, valueStart, end }) => {
      // Nodes, inputs, outputs; what it says of values in between, which may now be ends.
      const isLeftOut =
        wireType === MESSAGE &&
        (number === 11 || number === 12 || number === 13 || (number === 1 && !kept.has(valueStart)));
      if (!isLeftOut) append(graph, bytes.subarray(start, end));
    });
    for (const input of cut.inputs) append(graph, declaration(11, input));
    for (const output of cut.outputs) append(graph, declaration(12, output));
    append(model, lengthPrefix(7, graph.byteLength));
    for (const part of graph.parts) append(model, part);
  });
  return join(model);
}

/** A ValueInfoProto without a shape, as a field. */
function declaration(
  number: number,
  { name, elementType }: Pick<ValuePart, "name" | "elementType">,
): Uint8Array {
  const nameBytes = new TextEncoder().encode(name);
  const tensorType = [0x08, elementType];
  const type = [0x0a, tensorType.length, ...tensorType];
  const value = [...lengthPrefix(1, nameBytes.length), ...nameBytes, 0x12, type.length, ...type];
  return Uint8Array.from([...lengthPrefix(number, value.length), ...value]);
}
