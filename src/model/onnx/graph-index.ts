import type { AttributeProto, GraphProto, NodeProto, TensorProto } from "../../../gen/onnx/onnx-ml_pb.ts";

/** Looks up what a graph's values come from; made by `indexGraph`. */
export interface GraphIndex {
  /** The node that makes a value; undefined for inputs, initializers and unknown names. */
  producer(valueName: string): NodeProto | undefined;
  /** The nodes that read a value at the top level of the graph. */
  consumers(valueName: string): readonly NodeProto[];
  /** True for a name that stands for a value of the graph. */
  isValue(valueName: string): boolean;
  /** False for what is the same whatever comes in: initializers, and what is computed from them or from shapes alone. */
  dependsOnInputs(valueName: string): boolean;
  /** True for what depends on inputs, be it on how many rows come. */
  isReached(valueName: string): boolean;
  /** The tensor of an initializer or a Constant node. */
  constant(valueName: string): TensorProto | undefined;
}

/** What these give depends on how many rows come, not on their values. */
const SHAPE_ONLY = new Set(["Shape", "Size"]);

/** Whatever inputs reach, in whatever order the file lists its nodes. */
function reachedValues(
  graph: GraphProto,
  initializers: ReadonlyMap<string, TensorProto>,
  consumers: ReadonlyMap<string, readonly NodeProto[]>,
  ends: ReadonlySet<string>,
): ReadonlySet<string> {
  const varying = new Set<string>();
  const open = graph.input.map(({ name }) => name).filter((name) => !initializers.has(name));
  for (const node of graph.node) if (hasSubgraph(node)) open.push(...node.output);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === "" || varying.has(name)) continue;
    varying.add(name);
    for (const node of consumers.get(name) ?? []) if (!ends.has(node.opType)) open.push(...node.output);
  }
  return varying;
}

/** A subgraph reads values of the graph around it without naming them as inputs. */
function hasSubgraph({ attribute: attributes }: NodeProto): boolean {
  return attributes.some(({ g, graphs }) => g !== undefined || graphs.length > 0);
}

/**
 * Indexes the top level of a graph; subgraphs are not looked into. `fed` names initializers that are inputs all the same, because
 * a request may bring their values.
 */
export function indexGraph(graph: GraphProto, fed: ReadonlySet<string> = new Set()): GraphIndex {
  const producers = new Map<string, NodeProto>();
  const consumers = new Map<string, NodeProto[]>();
  const stored = graph.initializer.filter(({ name }) => !fed.has(name));
  const initializers = new Map(stored.map((tensor) => [tensor.name, tensor]));
  const inputs = new Set(graph.input.map(({ name }) => name));
  for (const node of graph.node) {
    for (const output of node.output) if (output !== "") producers.set(output, node);
    for (const input of node.input) {
      const list = consumers.get(input);
      if (list === undefined) consumers.set(input, [node]);
      else list.push(node);
    }
  }
  const varying = reachedValues(graph, initializers, consumers, SHAPE_ONLY);
  const reached = reachedValues(graph, initializers, consumers, new Set());
  return {
    producer: (valueName) => producers.get(valueName),
    isValue: (valueName) => producers.has(valueName) || initializers.has(valueName) || inputs.has(valueName),
    dependsOnInputs: (valueName) => varying.has(valueName),
    isReached: (valueName) => reached.has(valueName),
    consumers: (valueName) => consumers.get(valueName) ?? [],
    constant(valueName) {
      const node = producers.get(valueName);
      if (node === undefined) return initializers.get(valueName);
      return isOperator(node, "Constant") ? attribute(node, "value")?.t : undefined;
    },
  };
}

/** True for an operator of ONNX's own domain, or of `domain`. */
export function isOperator(node: NodeProto, opType: string, domain = ""): boolean {
  if (node.opType !== opType) return false;
  return domain === "" ? node.domain === "" || node.domain === "ai.onnx" : node.domain === domain;
}

/** A node's attribute by name. */
export function attribute(node: NodeProto, name: string): AttributeProto | undefined {
  return node.attribute.find((candidate) => candidate.name === name);
}

const utf8 = new TextDecoder();

/** The first of the named list attributes that has elements, as text; undefined where none has. */
export function textList(node: NodeProto, ...names: string[]): string[] | undefined {
  for (const name of names) {
    const list = attribute(node, name);
    if (list === undefined) continue;
    if (list.strings.length > 0) return list.strings.map((value) => utf8.decode(value));
    if (list.ints.length > 0) return list.ints.map(String);
  }
  return undefined;
}

/** The values that the one-hot encoder of an input knows, as text, in its order; none where the input is read in other ways too. */
export function inputCategories(inputName: string, graph: GraphIndex): readonly string[] {
  const [reader, ...others] = graph.consumers(inputName);
  if (reader === undefined || others.length > 0 || !isOperator(reader, "OneHotEncoder", "ai.onnx.ml"))
    return [];
  return textList(reader, "cats_strings", "cats_int64s") ?? [];
}
