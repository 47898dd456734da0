import { cutGraph, type GraphParts, type NodePart, readGraphParts, type ValuePart } from "./graph-parts.ts";
import { NodeAttributes } from "./node-attributes.ts";
import { isEnsemble, readTreeEnsemble, type TreeEnsemble, TreeError } from "./tree-ensemble.ts";

/** One step from an ensemble's output to a graph's: a cast to an element type of ONNX, other axes as Reshape means them, or arithmetic on scores. */
export type TailStep =
  | { readonly kind: "cast"; readonly elementType: number }
  | { readonly kind: "reshape"; readonly target: readonly number[] }
  | { readonly kind: "multiply"; readonly factor: number }
  | { readonly kind: "divide"; readonly divisor: number }
  | { readonly kind: "exponentiate" };

/** An output of the graph that comes from the ensemble. */
export interface TreeOutput {
  readonly name: string;
  readonly source: "scores" | "labels";
  readonly steps: readonly TailStep[];
}

/** A graph whose outputs come from one ensemble, with simple steps behind it. */
export interface TreeGraph {
  readonly ensemble: TreeEnsemble;
  /** The value that the ensemble reads. */
  readonly input: string;
  /** The graph's input that is this value, whatever its axes behind the rows; undefined where a head makes it. */
  readonly fedInput: string | undefined;
  /** ONNX's number of its element type. */
  readonly inputType: number;
  /** Its declared columns; 0 where it does not say. */
  readonly columnCount: number;
  readonly outputs: readonly TreeOutput[];
  /** What stands before the ensemble, as a model of its own, and its outputs by name; undefined where the input is the graph's. */
  readonly head: { readonly bytes: Uint8Array; readonly outputNames: readonly string[] } | undefined;
  /** The ensemble and what stands behind it, as a model of its own. */
  readonly rest: Uint8Array;
}

const FLOAT = 1;
const DOUBLE = 11;
const INPUT_TYPES: ReadonlySet<number> = new Set([FLOAT, 6, 7, DOUBLE]);
const MAX_STEPS = 16;

/**
 * Finds the ensemble of a model's file and what stands around it. Throws TreeError where the graph is of another form than this: any
 * head, one ensemble, and Identity, Cast, Reshape, Mul, Div and Exp behind it.
 */
export function readTreeGraph(bytes: Uint8Array): TreeGraph {
  const parts = readGraphParts(bytes);
  const ensembles = parts.nodes.filter(isEnsemble);
  const [node] = ensembles;
  if (node === undefined || ensembles.length > 1)
    throw new TreeError(`the graph has ${ensembles.length} ensembles of trees`);
  const input = node.inputs[0] ?? "";
  const behind = nodesBehind(parts, node);
  const producers = new Map(
    [...behind].flatMap((one) => one.outputs.map((output) => [output, one] as const)),
  );
  const ends = parts.outputs.filter(({ name }) => producers.has(name));
  const outputs = ends.map(({ name }) => traceOutput(name, node, producers, parts));
  const direct = parts.inputs.find(({ name }) => name === input);
  const reshaped = direct === undefined ? reshapedInput(parts, input) : undefined;
  const declared = direct ?? reshaped;
  const isAll = declared !== undefined && ends.length === parts.outputs.length;
  const isWhole = direct !== undefined && isAll;
  const ensemble = readTreeEnsemble(bytes, node.start, node.end, node.opType as TreeEnsemble["operator"]);
  const inputType = declared?.elementType ?? (ensemble.isDouble ? DOUBLE : FLOAT);
  const columnCount = columnsOf(declared, inputType);
  const features = ensemble.nodes.features.reduce((most, feature) => Math.max(most, feature + 1), 1);
  if (columnCount !== 0 && features > columnCount)
    throw new TreeError(`the trees read ${features} columns of ${columnCount}`);
  return {
    ensemble: { ...ensemble, isDouble: ensemble.isDouble || inputType === DOUBLE },
    input,
    fedInput: isAll ? declared.name : undefined,
    inputType,
    columnCount: columnCount === 0 ? features : columnCount,
    outputs,
    head: isAll ? undefined : headOf(parts, behind, { name: input, elementType: inputType }),
    rest: isWhole
      ? bytes
      : cutGraph(parts, {
          nodes: withConstants(parts, behind),
          inputs: [{ name: input, elementType: inputType }],
          outputs: ends,
        }),
  };
}

function columnsOf(declared: ValuePart | undefined, inputType: number): number {
  if (!INPUT_TYPES.has(inputType)) throw new TreeError("its input has a type of its own");
  if (declared?.axes !== undefined && declared.axes.length !== 2)
    throw new TreeError(`its input has ${declared.axes.length} axes`);
  return declared?.axes?.[1] ?? 0;
}

/** The input of the graph that is the ensemble's once its axes behind the rows are one; undefined where there is none. */
function reshapedInput(parts: GraphParts, input: string): ValuePart | undefined {
  const node = parts.nodes.find(({ outputs }) => outputs.includes(input));
  if (node?.opType !== "Reshape") return undefined;
  const outer = parts.inputs.find(({ name }) => name === node.inputs[0]);
  const [rows, columns, ...more] = constantOf(parts, node.inputs[1] ?? "") ?? [];
  if (outer === undefined || columns === undefined || more.length > 0) return undefined;
  return (rows === 0 || rows === -1) && columns > 0 ? { ...outer, axes: [0, columns] } : undefined;
}

/** The numbers of a value that is the same in every run. */
function constantOf({ bytes, nodes, initializers }: GraphParts, name: string): Float64Array | undefined {
  const stored = initializers.get(name);
  if (stored !== undefined) return new NodeAttributes(bytes, 0, 0).tensor(stored).values;
  const node = nodes.find(({ opType, outputs }) => opType === "Constant" && outputs.includes(name));
  return node && new NodeAttributes(bytes, node.start, node.end).numbers("value")?.values;
}

/** Nodes, and the constants that they read. */
function withConstants({ nodes }: GraphParts, some: ReadonlySet<NodePart>): ReadonlySet<NodePart> {
  const read = new Set([...some].flatMap(({ inputs }) => inputs));
  const constants = nodes.filter(
    ({ opType, outputs }) => opType === "Constant" && outputs.some((name) => read.has(name)),
  );
  return new Set([...constants, ...some]);
}

/** The ensemble and all that depends on it. */
function nodesBehind({ nodes }: GraphParts, ensemble: NodePart): ReadonlySet<NodePart> {
  const behind = new Set([ensemble]);
  for (let size = 0; size < behind.size; ) {
    size = behind.size;
    const made = new Set([...behind].flatMap(({ outputs }) => outputs));
    for (const node of nodes) if (node.inputs.some((name) => made.has(name))) behind.add(node);
  }
  return behind;
}

function traceOutput(
  name: string,
  ensemble: NodePart,
  producers: ReadonlyMap<string, NodePart>,
  parts: GraphParts,
): TreeOutput {
  const steps: TailStep[] = [];
  let value = name;
  for (let count = 0; count < MAX_STEPS; count++) {
    const node = producers.get(value);
    if (node === undefined) break;
    if (node === ensemble) {
      const isLabel = ensemble.opType === "TreeEnsembleClassifier" && ensemble.outputs[0] === value;
      return { name, source: isLabel ? "labels" : "scores", steps: steps.reverse() };
    }
    const step = stepOf(node, producers, parts);
    if (step !== "identity") steps.push(step);
    value = node.inputs.find((one) => producers.has(one)) ?? "";
  }
  throw new TreeError("what stands behind the trees is too long");
}

function stepOf(
  node: NodePart,
  producers: ReadonlyMap<string, NodePart>,
  parts: GraphParts,
): TailStep | "identity" {
  if (node.domain === "" || node.domain === "ai.onnx") {
    if (node.opType === "Identity") return "identity";
    if (node.opType === "Cast") {
      const elementType = new NodeAttributes(parts.bytes, node.start, node.end).integer("to", 0);
      return { kind: "cast", elementType };
    }
    if (node.opType === "Exp") return { kind: "exponentiate" };
    const other = node.inputs.find((one) => !producers.has(one)) ?? "";
    const values = constantOf(parts, other);
    if (node.opType === "Reshape" && node.inputs[1] === other && values !== undefined) {
      const target = [...values];
      if (
        !target.includes(0) ||
        new NodeAttributes(parts.bytes, node.start, node.end).integer("allowzero", 0) === 0
      )
        return { kind: "reshape", target };
    }
    if (values?.length === 1) {
      if (node.opType === "Mul" && node.inputs.length === 2) return { kind: "multiply", factor: values[0]! };
      if (node.opType === "Div" && node.inputs[1] === other) return { kind: "divide", divisor: values[0]! };
    }
  }
  throw new TreeError(`${node.opType} stands behind the trees`);
}

function headOf(
  parts: GraphParts,
  behind: ReadonlySet<NodePart>,
  input: Pick<ValuePart, "name" | "elementType">,
): TreeGraph["head"] {
  const made = new Set([...behind].flatMap(({ outputs }) => outputs));
  const others = parts.outputs.filter(({ name }) => !made.has(name));
  const outputs = others.some(({ name }) => name === input.name) ? others : [input, ...others];
  const nodes = new Set(parts.nodes.filter((node) => !behind.has(node)));
  if (parts.inputs.some(({ name }) => outputs.some((output) => output.name === name)))
    throw new TreeError("an input of the graph is read by the trees and given out as it is");
  const bytes = cutGraph(parts, { nodes, inputs: parts.inputs, outputs });
  return { bytes, outputNames: outputs.map(({ name }) => name) };
}
