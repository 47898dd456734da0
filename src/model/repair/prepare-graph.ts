import type { ModelConfig } from "../../../gen/assay/config/v1/model_config_pb.ts";
import type { GraphProto, ValueInfoProto } from "../../../gen/onnx/onnx-ml_pb.ts";
import { isFloat } from "../../tensor/datatype.ts";
import { buildSignature } from "../build-signature.ts";
import type { ConfigMistakes } from "../config/config-mistakes.ts";
import {
  type DeclaredTensor,
  describeShape,
  readDeclaredTensor,
  writeDeclaredTensor,
} from "../onnx/declared-tensor.ts";
import { datatypeOf } from "../onnx/element-type.ts";
import { type GraphIndex, indexGraph, inputCategories } from "../onnx/graph-index.ts";
import { madeElementType } from "../onnx/inferred-type.ts";
import { createEdits, type OnnxEdits } from "../onnx/onnx-edit.ts";
import type { OnnxOutline } from "../onnx/onnx-outline.ts";
import { refusal } from "../refusal.ts";
import { traceClassLabels } from "../scores/class-labels.ts";
import { type OutputOrigins, readOutputOrigins } from "../scores/output-origins.ts";
import type { ModelSignature, Repair } from "../signature.ts";
import { TensorFit } from "../triton/tensor-fit.ts";
import { applyReshapes, type Reshape } from "../triton/tensor-reshape.ts";
import type { TritonConfig } from "../triton/triton-config.ts";
import { openBatchDimension, openEmptyAxes } from "./batch-dimension.ts";
import { gatherColumns } from "./column-outputs.ts";
import { flattenLabel } from "./flat-labels.ts";
import { type GraphInputs, readGraphInputs } from "./overridable-inputs.ts";
import { checkOpsets, lowerIrVersion } from "./runtime-limits.ts";
import { renameForSession } from "./session-names.ts";
import { importOnnxOpset, removeZipMap } from "./zip-map.ts";

/** A graph as it will be served: the signature, and the changes to the file that make it true. */
export interface PreparedGraph {
  readonly edits: OnnxEdits;
  readonly signature: ModelSignature;
  readonly origins: OutputOrigins;
  /** Rows that the file's batch dimension is fixed at; undefined where it is open or there is none. */
  readonly fixedRows: number | undefined;
  readonly repairs: readonly Repair[];
  readonly notices: readonly string[];
}

/** What config.pbtxt says of a model's tensors, and where its mistakes go. */
export interface OwnersTensors {
  readonly config: TritonConfig;
  readonly mistakes: ConfigMistakes;
  /** Class labels by output. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
}

/** Decides what to repair in a graph and what it is then; throws MODEL_INVALID for what cannot be served. */
export function prepareGraph(
  outline: OnnxOutline,
  config: ModelConfig,
  mistakes: ConfigMistakes,
  triton?: OwnersTensors,
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
  const fit = triton === undefined ? undefined : new TensorFit(triton.config, graph, triton.mistakes);
  const inputs = readGraphInputs(graph, model.irVersion, edits, fit);
  if (inputs.required.length + inputs.overridable.length === 0) {
    throw refusal(
      "the graph has no inputs, so there is nothing to score: export the model with its data as an input",
    );
  }
  repairs.push(...inputs.repairs);
  const wanted = fit?.outputNames(graph);
  const outputs = readOutputs(graph, inputs, edits, repairs, wanted);
  const corrected = outputs.declared.map((output) => {
    const isConstant = outputs.origins.get(output.name)?.kind === "constant";
    return isConstant ? output : correctShape(openEmptyAxes(output), inputs.batchDimension, repairs);
  });
  openInputs(graph, inputs, edits, repairs);
  const rewritten = corrected.some((output, i) => output !== outputs.read[i]);
  const isMany = inputs.batchDimension === "fixed-at-many";
  if (rewritten || isMany) {
    // The signature says what the file fixes until a check shows that other numbers of rows do as well.
    edits.outputs = corrected.map((output) =>
      writeDeclaredTensor(isMany ? openBatchDimension(output) : output),
    );
  } else if (wanted !== undefined && corrected.length < graph.output.length)
    edits.outputs = graph.output.filter(({ name }) => wanted.has(name));
  const served = fit?.outputs(corrected) ?? corrected;
  triton?.mistakes.throwIfAny();
  const reshapes = fit?.reshapes ?? new Map<string, Reshape>();
  applyReshapes(graph, edits, reshapes, inputs.batchDimension !== "none");
  renameForSession(graph, edits);
  if (edits.replaceNodes.size > 0 || edits.appendNodes.length > 0) importOnnxOpset(model.opsetImport, edits);
  const { signature, notices } = buildSignature({
    inputs: { ...inputs, required: inputs.required.map((one) => reshapes.get(one.name)?.served ?? one) },
    outputs: served.map((one) => reshapes.get(one.name)?.served ?? one),
    labels: triton?.labels ?? new Map(),
    origins: outputs.origins,
    metadata: model.metadataProps,
    config,
    mistakes,
  });
  const fixedRows = inputs.batchDimension.startsWith("fixed")
    ? Number(inputs.required[0]!.dimensions![0])
    : undefined;
  return {
    edits,
    signature: withCategories(signature, graph),
    origins: outputs.origins,
    fixedRows,
    repairs,
    notices: [...inputs.notices, ...notices],
  };
}

/** Adds to columns the values that the graph knows of them. */
function withCategories(signature: ModelSignature, graph: GraphProto): ModelSignature {
  const index = indexGraph(graph);
  const inputs = signature.inputs.map((spec) => {
    const categories = inputCategories(spec.name, index);
    return categories.length === 0 ? spec : { ...spec, categories };
  });
  return { ...signature, inputs };
}

/** Declares the inputs as they are served, where the file fixes their rows or declares none. */
function openInputs(graph: GraphProto, inputs: GraphInputs, edits: OnnxEdits, repairs: Repair[]): void {
  const isFixed = inputs.batchDimension.startsWith("fixed");
  const served = [...inputs.required, ...inputs.overridable.map(({ declared }) => declared)];
  const isEmpty = (value: ValueInfoProto) => {
    const tensor = value.type?.value;
    return (
      tensor?.case === "tensorType" &&
      tensor.value.shape?.dim.some(({ value: dim }) => dim.value === 0n) === true
    );
  };
  const empty = graph.input.filter(
    (value) => isEmpty(value) && inputs.required.some(({ name }) => name === value.name),
  );
  for (const { name } of empty) {
    const description = 'declares an axis of length 0, which no row has; served as "any length"';
    repairs.push({ kind: "empty_axis_opened", target: name, description });
  }
  if (!isFixed && empty.length === 0) return;
  edits.dropValueInfo = true;
  edits.inputs = graph.input.map((value) => {
    const declared = served.find(({ name }) => name === value.name);
    if (declared === undefined) return value;
    return writeDeclaredTensor(isFixed ? openBatchDimension(declared) : declared);
  });
}

interface GraphOutputs {
  /** As the file declares them; undefined where it declares something else. */
  readonly read: readonly (DeclaredTensor | undefined)[];
  readonly declared: readonly DeclaredTensor[];
  readonly origins: OutputOrigins;
}

function readOutputs(
  graph: GraphProto,
  inputs: GraphInputs,
  edits: OnnxEdits,
  repairs: Repair[],
  wanted: ReadonlySet<string> | undefined,
): GraphOutputs {
  const index = indexGraph(graph, new Set(edits.initializers.keys()));
  const rows = inputs.required.map(({ dimensions }) => dimensions?.[0]);
  const rowSymbols = new Set(rows.filter((symbol) => typeof symbol === "string"));
  const labels = new Map<string, readonly string[]>();
  const values = new Map<string, string>();
  const read: (DeclaredTensor | undefined)[] = [];
  const declared: DeclaredTensor[] = [];
  for (const value of graph.output) {
    if (wanted?.has(value.name) === false) continue;
    values.set(value.name, value.name);
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
    const typed = correctType(output, graph, index, edits, repairs);
    const flat =
      inputs.batchDimension === "open" ? flattenLabel(typed, rowSymbols, graph, index, edits) : undefined;
    if (flat !== undefined) repairs.push(flat.repair);
    declared.push(flat?.output ?? typed);
  }
  // Where the outputs are listed, none is added to them.
  const gathered =
    wanted === undefined
      ? gatherColumns(declared, index, (name) => traceClassLabels(name, index), edits)
      : undefined;
  if (gathered !== undefined) {
    read.push(undefined);
    declared.push(gathered.output);
    labels.set(gathered.output.name, gathered.labels);
    values.set(gathered.output.name, gathered.matrix);
    repairs.push(gathered.repair);
  }
  return { read, declared, origins: readOutputOrigins(values, labels, index) };
}

/** A float output whose operators make floats of another length than it declares: ONNX Runtime refuses the file for that alone. */
function correctType(
  output: DeclaredTensor,
  graph: GraphProto,
  index: GraphIndex,
  edits: OnnxEdits,
  repairs: Repair[],
): DeclaredTensor {
  const made = datatypeOf(madeElementType(output.name, graph, index) ?? 0);
  const isOther = made !== undefined && isFloat(made) && isFloat(output.datatype) && made !== output.datatype;
  if (!isOther) return output;
  edits.dropValueInfo = true;
  repairs.push({
    kind: "output_type_corrected",
    target: output.name,
    description: `declares ${output.datatype} and its operators give ${made}, which is served`,
  });
  return { ...output, datatype: made };
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
