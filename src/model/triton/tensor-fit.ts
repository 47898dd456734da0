/**
 * Holds the inputs and outputs of config.pbtxt against those of the graph. Comes in: both. Goes out: the inputs and outputs as
 * the owner wants them served, and whether axis 0 counts rows. Promises: what contradicts the graph is told with both sides;
 * lengths that the graph leaves open are narrowed to those that the owner names.
 */

import { DataTypeSchema, type ModelInput, type ModelOutput } from "../../../gen/inference/model_config_pb.ts";
import type { GraphProto } from "../../../gen/onnx/onnx-ml_pb.ts";
import type { Datatype } from "../../tensor/datatype.ts";
import { didYouMean } from "../../wording/nearest-name.ts";
import type { ConfigMistakes, ConfigPath } from "../config/config-mistakes.ts";
import { type DeclaredTensor, type Dimension, describeShape } from "../onnx/declared-tensor.ts";
import { quoted } from "../refusal.ts";
import { type BatchDimension, readBatchDimension } from "../repair/batch-dimension.ts";
import { type Reshape, reshapeTensor } from "./tensor-reshape.ts";
import type { TritonConfig } from "./triton-config.ts";

/** The inputs of a graph as config.pbtxt wants them served. */
export interface FittedInputs {
  /** As the graph takes them. */
  readonly required: readonly DeclaredTensor[];
  readonly batchDimension: BatchDimension;
  /** Axis 0 counts rows and max_batch_size is 0: each request is a run of its own. */
  readonly oneRequestARun: boolean;
}

/** Fits the tensors of one model, in the order of its methods; mistakes go to the collection that it was made with. */
export class TensorFit {
  /** Tensors that callers see in another shape than the graph, by name. */
  readonly reshapes = new Map<string, Reshape>();
  private readonly triton: TritonConfig;
  private readonly mistakes: ConfigMistakes;
  /** `dims` leaves out an axis in front that counts rows. */
  private readonly hasRows: boolean;

  constructor(triton: TritonConfig, graph: GraphProto, mistakes: ConfigMistakes) {
    this.triton = triton;
    this.mistakes = mistakes;
    const { maxBatchSize, input, output } = triton.message;
    // What Triton completes by itself where inputs or outputs are not listed.
    const completes = input.length === 0 || output.length === 0;
    this.hasRows = maxBatchSize > 0 || (completes && isOpenEverywhere(graph));
  }

  /** The names of the outputs to serve; undefined where all are. */
  outputNames(graph: GraphProto): ReadonlySet<string> | undefined {
    const { output } = this.triton.message;
    if (output.length === 0) return undefined;
    const known = graph.output.map(({ name }) => name);
    this.checkNames("output", output, known, []);
    return new Set(output.map(({ name }) => name));
  }

  /** Fits the inputs that a request must bring; `settable` are the names of those that have a value in the file. */
  inputs(required: readonly DeclaredTensor[], settable: readonly string[]): FittedInputs {
    const { input, output, maxBatchSize } = this.triton.message;
    const names = required.map(({ name }) => name);
    if (input.length > 0) this.checkNames("input", input, [...names, ...settable], names);
    const fitted = required.map((tensor) => this.tensor("input", input, tensor));
    if (maxBatchSize > 0) {
      const batchDimension = this.rowsOf(fitted);
      return { required: fitted, batchDimension, oneRequestARun: false };
    }
    const batchDimension = readBatchDimension(fitted);
    if (input.length === 0 || output.length === 0)
      return { required: fitted, batchDimension, oneRequestARun: false };
    const isOpen = batchDimension === "open" && input.every(({ dims }) => dims[0] === -1n);
    return { required: fitted, batchDimension: isOpen ? "open" : "none", oneRequestARun: isOpen };
  }

  /** Fits the outputs, whose shapes are those of the graph. */
  outputs(outputs: readonly DeclaredTensor[]): DeclaredTensor[] {
    const { output } = this.triton.message;
    return outputs.map((tensor) => this.tensor("output", output, tensor));
  }

  /** The owner says that axis 0 counts rows: symbols that stand elsewhere too do not matter. */
  private rowsOf(inputs: readonly DeclaredTensor[]): BatchDimension {
    const without = inputs.find(({ dimensions }) => dimensions?.length === 0);
    const lengths = inputs.map(({ dimensions }) => dimensions?.[0]);
    const fixed = lengths.filter((length) => typeof length === "number");
    const isMixed = fixed.length > 0 && lengths.some((length) => length !== fixed[0]);
    if (without === undefined && !isMixed)
      return fixed.length === 0 ? "open" : fixed[0] === 1 ? "fixed-at-one" : "fixed-at-many";
    const { name, dimensions } = without ?? inputs.find((one) => typeof one.dimensions?.[0] === "number")!;
    const what = `input ${quoted(name)} is ${describeShape(dimensions)} in the file, without an axis in front that counts rows`;
    const { maxBatchSize } = this.triton.message;
    this.mistakes.add(
      ["max_batch_size"],
      `${maxBatchSize} came, and ${what}: write max_batch_size: 0 and whole shapes in dims, or export the model with an open axis in front`,
    );
    return "none";
  }

  private checkNames(
    role: "input" | "output",
    listed: readonly { readonly name: string }[],
    known: readonly string[],
    needed: readonly string[],
  ): void {
    const seen = new Set<string>();
    for (const [index, { name }] of listed.entries()) {
      const path = [role, index, "name"];
      if (name === "")
        this.mistakes.add(path, `the name is missing; the model has ${known.map(quoted).join(", ")}`);
      else if (!known.includes(name)) {
        const hint = didYouMean(name, known) || `; it has ${known.map(quoted).join(", ")}`;
        this.mistakes.add(path, `the model has no ${role} ${quoted(name)}${hint}`);
      } else if (seen.has(name)) this.mistakes.add(path, `${quoted(name)} came a second time`);
      seen.add(name);
    }
    const missing = needed.filter((name) => !seen.has(name));
    if (missing.length > 0) {
      const what = `${missing.map(quoted).join(", ")} of the model ${missing.length === 1 ? "is" : "are"} missing`;
      this.mistakes.add([role], `${what}: list every ${role} that a request brings, or none of them`);
    }
  }

  /** One tensor: narrowed where nothing is reshaped, else as it is and noted. */
  private tensor(
    role: "input" | "output",
    listed: readonly (ModelInput | ModelOutput)[],
    tensor: DeclaredTensor,
  ): DeclaredTensor {
    const index = listed.findIndex(({ name }) => name === tensor.name);
    const spec = listed[index];
    if (spec === undefined) return tensor;
    const path = [role, index];
    this.checkType(spec, tensor, role, path);
    const wanted = spec.dims.map(Number);
    const wrong = [...wanted, ...(spec.reshape?.shape ?? []).map(Number)].find(
      (length) => length < 1 && length !== -1,
    );
    if (wanted.length === 0 || wrong !== undefined) {
      const what =
        wrong === undefined ? "no dims came" : `${wrong} came; expected lengths from 1, or -1 for any`;
      this.mistakes.add([...path, "dims"], `${what}: ${this.advice(tensor)}`);
      return tensor;
    }
    const isScalar =
      tensor.dimensions?.length === 0 && !this.hasRows && wanted.every((length) => length === 1);
    const inner = spec.reshape?.shape.map(Number) ?? (isScalar ? [] : wanted);
    const merged = this.merged(inner, tensor);
    if (merged === undefined) {
      const field = spec.reshape === undefined ? "dims" : "reshape";
      this.mistakes.add([...path, field], this.misfit(role, inner, tensor));
      return tensor;
    }
    const narrowed = { ...tensor, dimensions: merged };
    if (spec.reshape === undefined && !isScalar) return narrowed;
    const reshape = reshapeTensor(narrowed, wanted, role, this.hasRows);
    if (typeof reshape === "string") this.mistakes.add([...path, "reshape"], reshape);
    else this.reshapes.set(tensor.name, reshape);
    return narrowed;
  }

  private checkType(
    spec: ModelInput | ModelOutput,
    tensor: DeclaredTensor,
    role: string,
    path: ConfigPath,
  ): void {
    const type = DataTypeSchema.value[spec.dataType]?.name ?? String(spec.dataType);
    if (datatypeOf(type) === tensor.datatype) return;
    const came = type === "TYPE_INVALID" ? "no data_type" : type;
    const expected = tensor.datatype === "BYTES" ? "TYPE_STRING" : `TYPE_${tensor.datatype}`;
    this.mistakes.add(
      [...path, "data_type"],
      `${came} came, and ${role} ${quoted(tensor.name)} is ${tensor.datatype} in the file: write ${expected}, or export the model with another type`,
    );
  }

  /** The graph's axes with the owner's lengths where those say more; undefined where the two contradict each other. */
  private merged(inner: readonly number[], { dimensions }: DeclaredTensor): Dimension[] | undefined {
    const full = this.hasRows ? [-1, ...inner] : inner;
    if (dimensions === undefined) return full.map((length) => (length === -1 ? undefined : length));
    if (dimensions.length !== full.length) return undefined;
    const fits = dimensions.every(
      (length, axis) => typeof length !== "number" || full[axis] === -1 || full[axis] === length,
    );
    return fits ? dimensions.map((length, axis) => (full[axis] === -1 ? length : full[axis])) : undefined;
  }

  private misfit(role: string, inner: readonly number[], tensor: DeclaredTensor): string {
    const whole = this.hasRows ? `, with the rows in front [${[-1, ...inner].join(",")}]` : "";
    const file = `${role} ${quoted(tensor.name)} is ${tensor.datatype}${describeShape(tensor.dimensions)} in the file`;
    return `[${inner.join(",")}] came${whole}, and ${file}: ${this.advice(tensor)}`;
  }

  private advice({ dimensions }: DeclaredTensor): string {
    if (dimensions === undefined) return "write the length of each axis, -1 for any";
    const lengths = dimensions.map((one) => (typeof one === "number" ? one : -1));
    const isWhole = this.hasRows && lengths[0] !== -1 && lengths[0] !== 1;
    if (isWhole) {
      const whole = lengths.length === 0 ? "1" : lengths.join(", ");
      return `write max_batch_size: 0 and dims: [ ${whole} ], since no axis in front counts rows`;
    }
    const axes = this.hasRows ? lengths.slice(1) : lengths;
    return axes.length > 0
      ? `write dims: [ ${axes.join(", ")} ]`
      : "write dims: [ 1 ] and reshape: { shape: [ ] }";
  }
}

function datatypeOf(type: string): Datatype {
  return (type === "TYPE_STRING" ? "BYTES" : type.slice("TYPE_".length)) as Datatype;
}

/** Whether axis 0 of every input and output is open, by which Triton tells that a model takes rows. */
function isOpenEverywhere(graph: GraphProto): boolean {
  const stored = new Set(graph.initializer.map(({ name }) => name));
  const inputs = graph.input.filter(({ name }) => !stored.has(name));
  return [...inputs, ...graph.output].every(({ type }) => {
    const tensor = type?.value;
    const first = tensor?.case === "tensorType" ? tensor.value.shape?.dim[0] : undefined;
    return first !== undefined && first.value.case !== "dimValue";
  });
}
