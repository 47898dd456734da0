import type { GraphProto, ModelProto, NodeProto, TensorProto } from "../../../gen/onnx/onnx-ml_pb.ts";
import { type GraphIndex, indexGraph, isOperator } from "../onnx/graph-index.ts";
import { decodeTensor } from "../onnx/tensor-proto.ts";
import { quoted } from "../refusal.ts";

/** Trips of a loop whose count stands in the file that end soon, whatever its body does. */
const MAX_TRIPS = 100_000;
/** Elements that a size in the file may ask for: 1 GiB of float32. */
const MAX_ELEMENTS = 2 ** 28;

/** The inputs, by position, that say how much an operator makes. */
const SIZE_INPUTS: Readonly<Record<string, readonly number[]>> = {
  ConstantOfShape: [0],
  Expand: [1],
  Tile: [1],
  Range: [0, 1, 2],
  Pad: [1],
  OneHot: [1],
  Resize: [2, 3],
  Upsample: [1],
};

/**
 * Finds what in a graph lets a run take time or memory that the size of its inputs does not bound: a loop whose trips, or a tensor whose
 * size, come from values that callers send, or are huge in the file. Undefined where nothing does, as in trees, linear models
 * and most networks, which take their sizes from shapes.
 */
export function unboundedRun(model: ModelProto): string | undefined {
  const { graph } = model;
  if (graph === undefined) return undefined;
  const inFunction = model.functions.flatMap(({ node }) => node).find(isLoop);
  if (inFunction !== undefined) return `the loop ${named(inFunction)} may go on for any time`;
  return unboundedPart(graph, true);
}

function unboundedPart(graph: GraphProto, isTop: boolean): string | undefined {
  const index = indexGraph(graph);
  for (const node of graph.node) {
    if (isLoop(node) && !hasFewTrips(node, index, isTop))
      return `the loop ${named(node)} may go on for any time`;
    if (isTop && hasOpenSize(node, index)) return `the tensor that ${named(node)} makes may have any size`;
    for (const { g, graphs } of node.attribute) {
      for (const part of g === undefined ? graphs : [g, ...graphs]) {
        const found = unboundedPart(part, false);
        if (found !== undefined) return found;
      }
    }
  }
  return undefined;
}

function isLoop(node: NodeProto): boolean {
  return isOperator(node, "Loop");
}

/** In a subgraph, values of the graph around it may be what callers send. */
function hasFewTrips(node: NodeProto, index: GraphIndex, isTop: boolean): boolean {
  const trips = node.input[0] ?? "";
  if (trips === "") return false;
  const constant = index.constant(trips);
  if (constant !== undefined) return product(constant) <= MAX_TRIPS;
  return isTop && !index.dependsOnInputs(trips);
}

function hasOpenSize(node: NodeProto, index: GraphIndex): boolean {
  const positions = isOperator(node, node.opType) ? SIZE_INPUTS[node.opType] : undefined;
  return (positions ?? []).some((position) => {
    const name = node.input[position] ?? "";
    if (name === "") return false;
    const constant = index.constant(name);
    return constant === undefined ? index.dependsOnInputs(name) : product(constant) > MAX_ELEMENTS;
  });
}

/** What the numbers of a constant multiply to; 1 where it is no small tensor of numbers. */
function product(tensor: TensorProto): number {
  let elements = 1;
  try {
    for (const value of decodeTensor(tensor).data) elements *= Math.max(1, Number(value));
  } catch {
    return 1;
  }
  return elements;
}

function named(node: NodeProto): string {
  return node.name === "" ? `of output ${quoted(node.output[0] ?? "")}` : quoted(node.name);
}
