import type { ModelConfig } from "../../gen/assay/config/v1/model_config_pb.ts";
import type { GraphProto } from "../../gen/onnx/onnx-ml_pb.ts";
import { openBatchDimension } from "./batch-dimension.ts";
import { buildSignature } from "./build-signature.ts";
import { isClassPosition, traceClassLabels } from "./class-labels.ts";
import { gatherColumns } from "./column-outputs.ts";
import type { ConfigMistakes } from "./config-mistakes.ts";
import {
  type DeclaredTensor,
  describeShape,
  readDeclaredTensor,
  writeDeclaredTensor,
} from "./declared-tensor.ts";
import { indexGraph } from "./graph-index.ts";
import { createEdits, type OnnxEdits } from "./onnx-edit.ts";
import type { OnnxOutline } from "./onnx-outline.ts";
import { readGraphInputs } from "./overridable-inputs.ts";
import { refusal } from "./refusal.ts";
import { checkOpsets, lowerIrVersion } from "./runtime-limits.ts";
import { renameForSession } from "./session-names.ts";
import type { ModelSignature, Repair } from "./signature.ts";
import { importOnnxOpset, removeZipMap } from "./zip-map.ts";

/** A graph as it will be served: the signature, and the changes to the file that make it true. */
export interface PreparedGraph {
  readonly edits: OnnxEdits;
  readonly signature: ModelSignature;
  readonly repairs: readonly Repair[];
  readonly notices: readonly string[];
}

/** Decides what to repair in a graph and what it is then; throws MODEL_INVALID for what cannot be served. */
export function prepareGraph(
  outline: OnnxOutline,
  config: ModelConfig,
  mistakes: ConfigMistakes,
): PreparedGraph {
  const { model } = outline;
  const { graph } = model;
  if (graph === undefined || (graph.node.length === 0 && graph.output.length === 0)) {
    throw refusal("the file holds no graph: it is no ONNX model, export it again");
  }
  checkOpsets(model);
  const edits = createEdits();
  const repairs: Repair[] = [];
  const lowered = lowerIrVersion(model, edits);
  if (lowered !== undefined) repairs.push(lowered);
  const inputs = readGraphInputs(graph, model.irVersion, edits);
  if (inputs.required.length + inputs.overridable.length === 0) {
    throw refusal(
      "the graph has no inputs, so there is nothing to score: export the model with its data as an input",
    );
  }
  repairs.push(...inputs.repairs);
  const outputs = readOutputs(graph, edits, repairs);
  const corrected = outputs.declared.map((output) => correctShape(output, inputs.batchDimension, repairs));
  if (inputs.batchDimension === "fixed-at-one") edits.dropValueInfo = true;
  const declaredInputs = [...inputs.required, ...inputs.overridable.map(({ declared }) => declared)];
  if (edits.dropValueInfo && inputs.batchDimension === "fixed-at-one") {
    edits.inputs = graph.input.flatMap((value) => {
      const declared = declaredInputs.find(({ name }) => name === value.name);
      return declared === undefined ? [value] : [writeDeclaredTensor(openBatchDimension(declared))];
    });
  }
  const rewritten = corrected.some((output, i) => output !== outputs.read[i]);
  if (rewritten) edits.outputs = corrected.map(writeDeclaredTensor);
  renameForSession(graph, edits);
  if (edits.replaceNodes.size > 0 || edits.appendNodes.length > 0) importOnnxOpset(model.opsetImport, edits);
  const { signature, notices } = buildSignature({
    inputs,
    outputs: corrected,
    labels: outputs.labels,
    positions: outputs.positions,
    metadata: model.metadataProps,
    config,
    mistakes,
  });
  return { edits, signature, repairs, notices: [...inputs.notices, ...notices] };
}

interface GraphOutputs {
  /** As the file declares them; undefined where it declares something else. */
  readonly read: readonly (DeclaredTensor | undefined)[];
  readonly declared: readonly DeclaredTensor[];
  readonly labels: ReadonlyMap<string, readonly string[]>;
  /** Label outputs whose labels are the positions 0, 1, …. */
  readonly positions: ReadonlySet<string>;
}

function readOutputs(graph: GraphProto, edits: OnnxEdits, repairs: Repair[]): GraphOutputs {
  const index = indexGraph(graph);
  const labels = new Map<string, readonly string[]>();
  const positions = new Set<string>();
  const read: (DeclaredTensor | undefined)[] = [];
  const declared: DeclaredTensor[] = [];
  for (const value of graph.output) {
    const type = value.type?.value.case;
    const zipMap =
      type === "sequenceType" || type === undefined
        ? removeZipMap(value.name, graph, index, edits)
        : undefined;
    if (zipMap !== undefined) {
      read.push(undefined);
      declared.push(zipMap.output);
      labels.set(value.name, zipMap.labels);
      repairs.push(zipMap.repair);
      continue;
    }
    const output = readDeclaredTensor(value, "output");
    read.push(output);
    declared.push(output);
    const traced = traceClassLabels(value.name, index);
    if (traced !== undefined) labels.set(value.name, traced);
    else if (isClassPosition(value.name, index)) positions.add(value.name);
  }
  const label = declared.find(({ datatype, name }) => !datatype.startsWith("FP") && labels.has(name));
  const hasMatrix = declared.some(
    ({ datatype, dimensions }) =>
      datatype.startsWith("FP") && dimensions?.length === 2 && dimensions[1] !== 1,
  );
  const gathered = gatherColumns(
    declared,
    label === undefined ? undefined : labels.get(label.name),
    hasMatrix,
    (name) => index.isValue(name),
    edits,
  );
  if (gathered !== undefined) {
    read.push(undefined);
    declared.push(gathered.output);
    labels.set(gathered.output.name, gathered.labels);
    repairs.push(gathered.repair);
  }
  return { read, declared, labels, positions };
}

/** Inputs with open rows and an output that declares one: exporters of boosted trees do, and N values come. */
function correctShape(output: DeclaredTensor, batch: string, repairs: Repair[]): DeclaredTensor {
  if (output.dimensions?.[0] !== 1) return output;
  if (batch === "fixed-at-one") return openBatchDimension(output);
  if (batch !== "open") return output;
  const opened = openBatchDimension(output);
  repairs.push({
    kind: "output_shape_corrected",
    target: output.name,
    description: `declares ${describeShape(output.dimensions)} though the rows of the inputs are open; served as one value a row, [${["-1", ...opened.dimensions!.slice(1)].join(",")}]`,
  });
  return opened;
}
