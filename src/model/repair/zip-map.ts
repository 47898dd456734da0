import { type GraphProto, TensorProto_DataType } from "../../../gen/onnx/onnx-ml_pb.ts";
import { isFloat } from "../../tensor/datatype.ts";
import type { DeclaredTensor } from "../onnx/declared-tensor.ts";
import { datatypeOf } from "../onnx/element-type.ts";
import type { GraphIndex } from "../onnx/graph-index.ts";
import { inferElementType } from "../onnx/inferred-type.ts";
import { makeCast } from "../onnx/made-nodes.ts";
import type { OnnxEdits } from "../onnx/onnx-edit.ts";
import { quoted } from "../refusal.ts";
import { zipMapLabels } from "../scores/class-labels.ts";
import type { Repair } from "../signature.ts";

/** A ZipMap that was taken off: the output it made is a tensor now. */
export interface RemovedZipMap {
  readonly output: DeclaredTensor;
  readonly labels: readonly string[];
  readonly repair: Repair;
}

/**
 * Takes a ZipMap off the output that it makes, by replacing the node by an Identity: the output keeps its name and
 * becomes a matrix `[N, classes]` of the type that the ZipMap was given: FP32, or FP64 where the model was exported in double
 * precision, which ONNX Runtime's own ZipMap does not take. Undefined where the output is not made by a ZipMap, directly
 * or through Identity nodes.
 */
export function removeZipMap(
  outputName: string,
  graph: GraphProto,
  index: GraphIndex,
  edits: OnnxEdits,
): RemovedZipMap | undefined {
  let node = index.producer(outputName);
  for (let i = 0; node?.opType === "Identity" && i < 100; i++) node = index.producer(node.input[0] ?? "");
  if (node?.opType !== "ZipMap" || !readOnlyByIdentities(node.output[0] ?? "", graph, index))
    return undefined;
  const labels = zipMapLabels(node);
  const given = datatypeOf(inferElementType(node.input[0] ?? "", graph, index) ?? 0);
  const isFloats = given !== undefined && isFloat(given);
  // It is cast where the graph does not tell its type.
  const cast = isFloats ? undefined : TensorProto_DataType.FLOAT;
  const replacement = makeCast(node.input[0] ?? "", node.output[0] ?? "", cast);
  edits.replaceNodes.set(graph.node.indexOf(node), { ...replacement, name: node.name });
  const served = isFloats ? given : "FP32";
  edits.dropValueInfo = true;
  const width = labels.length > 0 ? labels.length : undefined;
  return {
    output: { name: outputName, datatype: served, dimensions: [undefined, width] },
    labels,
    repair: {
      kind: "zipmap_removed",
      target: outputName,
      description: `a sequence of maps (ZipMap) over ${labels.length} classes; served as ${served} [-1,${labels.length}] with the labels ${listed(labels)}`,
    },
  };
}

/** An Identity needs ONNX's own operator set, which files of the ML domain alone do not import. */
export function importOnnxOpset(imported: readonly { domain: string }[], edits: OnnxEdits): void {
  const has = imported.some(({ domain }) => domain === "" || domain === "ai.onnx");
  if (!has && !edits.addOpsets.some(({ domain }) => domain === "")) {
    edits.addOpsets.push({ domain: "", version: 13 });
  }
}

function readOnlyByIdentities(valueName: string, graph: GraphProto, index: GraphIndex): boolean {
  return index
    .consumers(valueName)
    .every((node) => node.opType === "Identity" && readOnlyByIdentities(node.output[0] ?? "", graph, index));
}

function listed(labels: readonly string[]): string {
  const shown = labels.slice(0, 10).map(quoted).join(", ");
  return labels.length > 10 ? `${shown}, …` : shown;
}
