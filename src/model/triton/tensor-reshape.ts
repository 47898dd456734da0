import type { GraphProto, ValueInfoProto } from "../../../gen/onnx/onnx-ml_pb.ts";
import {
  type DeclaredTensor,
  type Dimension,
  describeShape,
  writeDeclaredTensor,
} from "../onnx/declared-tensor.ts";
import { makeNode, makeShape } from "../onnx/made-nodes.ts";
import type { OnnxEdits } from "../onnx/onnx-edit.ts";
import { reshapedName } from "../repair/session-names.ts";

/** A tensor that callers see in another shape than the graph. */
export interface Reshape {
  readonly role: "input" | "output";
  /** As callers see it. */
  readonly served: DeclaredTensor;
  /** What a Reshape node is given: 0 for an axis that stays, -1 for one whose length follows. */
  readonly target: readonly bigint[];
}

/**
 * The reshape between the graph's tensor and `dims`, lengths as callers give them; or why there is none. With rows, axis 0 counts
 * them on both sides.
 */
export function reshapeTensor(
  inGraph: DeclaredTensor,
  dims: readonly number[],
  role: "input" | "output",
  hasRows: boolean,
): Reshape | string {
  const graphAxes = inGraph.dimensions ?? [];
  const open = (length: number): Dimension => (length === -1 ? undefined : length);
  const outer = hasRows ? [graphAxes[0], ...dims.map(open)] : dims.map(open);
  const tailOf = (axes: readonly Dimension[]) => (hasRows ? axes.slice(1) : axes);
  if (spans(tailOf(outer)) !== spans(tailOf(graphAxes))) {
    const [one, other] = [describeShape(tailOf(outer)), describeShape(tailOf(graphAxes))];
    return `dims ${one} and ${other} do not hold the same number of values between their open axes: write dims and reshape that do`;
  }
  const [from, to] = role === "input" ? [outer, graphAxes] : [graphAxes, outer];
  const target = nodeTarget(from, to, hasRows);
  if (target === undefined)
    return "more than one open axis changes its place, which no Reshape can do: keep all but one in their places";
  return { role, served: { ...inGraph, dimensions: outer, reshaped: true }, target };
}

/** How many values lie between the open axes, which pair up in their order: `[2,-1,6]` and `[1,2,-1,3,2]` are alike. */
function spans(axes: readonly Dimension[]): string {
  const counts = [1];
  for (const length of axes) {
    if (typeof length === "number") counts[counts.length - 1]! *= length;
    else counts.push(1);
  }
  return counts.join();
}

function nodeTarget(
  from: readonly Dimension[],
  to: readonly Dimension[],
  hasRows: boolean,
): bigint[] | undefined {
  const isOpen = (length: Dimension, axis: number) => typeof length !== "number" || (hasRows && axis === 0);
  const places = from.flatMap((length, axis) => (isOpen(length, axis) ? [axis] : []));
  let nth = 0;
  const target = to.map((length, axis) => {
    if (!isOpen(length, axis)) return BigInt(length as number);
    return places[nth++] === axis ? 0n : -1n;
  });
  return target.filter((length) => length === -1n).length > 1 ? undefined : target;
}

/** Puts a Reshape node behind each such input and before each such output, which get other names in the session. */
export function applyReshapes(
  graph: GraphProto,
  edits: OnnxEdits,
  reshapes: ReadonlyMap<string, Reshape>,
  hasRows: boolean,
): void {
  for (const [name, { role, served, target }] of reshapes) {
    const outside = reshapedName(name);
    const shape = `assay/${role}/${name}/shape`;
    const [from, to] = role === "input" ? [outside, name] : [name, outside];
    edits.appendNodes.push(makeShape(shape, target), makeNode("Reshape", [from, shape], to));
    const axes = served.dimensions!;
    const dimensions = hasRows ? [undefined, ...axes.slice(1)] : axes;
    const written = writeDeclaredTensor({ ...served, name: outside, dimensions });
    const replace = (values: readonly ValueInfoProto[]) =>
      values.map((value) => (value.name === name ? written : value));
    if (role === "input") edits.inputs = replace(edits.inputs ?? graph.input);
    else edits.outputs = replace(edits.outputs ?? graph.output);
  }
}
