import type { GraphProto } from "../../../gen/onnx/onnx-ml_pb.ts";
import type { TensorData } from "../../tensor/tensor-data.ts";
import { type DeclaredTensor, readDeclaredTensor } from "../onnx/declared-tensor.ts";
import type { OnnxEdits } from "../onnx/onnx-edit.ts";
import { decodeTensor } from "../onnx/tensor-proto.ts";
import { quoted } from "../refusal.ts";
import type { Repair } from "../signature.ts";
import { type BatchDimension, openEmptyAxes, readBatchDimension } from "./batch-dimension.ts";

/** A true input whose value may be left out. */
export interface InputWithDefault {
  readonly declared: DeclaredTensor;
  readonly defaultValue: TensorData;
}

/** The inputs of a graph: those a request brings, those it may bring, and what was done about the latter. */
export interface GraphInputs {
  readonly required: readonly DeclaredTensor[];
  readonly overridable: readonly InputWithDefault[];
  readonly batchDimension: BatchDimension;
  /** Each request is a run of its own, though axis 0 counts rows. */
  readonly oneRequestARun?: boolean;
  readonly repairs: readonly Repair[];
  readonly notices: readonly string[];
}

/** What the model's owner says of inputs and their rows; `settable` are the names of those that have a value in the file. */
export interface InputFit {
  inputs(
    required: readonly DeclaredTensor[],
    settable: readonly string[],
  ): Pick<GraphInputs, "required" | "batchDimension" | "oneRequestARun">;
}

/** The values of larger inputs are weights, whatever the graph's list of inputs says. */
const MAX_DEFAULT_ELEMENTS = 4096;

/**
 * Reads the inputs. Before IR version 4 every initializer had to be listed as an input, so such inputs are constants; since
 * then they have a default that ONNX Runtime for Node.js does not let a caller overrule, so they are made true inputs where
 * one row's default is known, and the server feeds it when it is left out. Where that cannot be, a notice says so. `fit` has the
 * last word on which axes are open and whether axis 0 counts rows.
 */
export function readGraphInputs(
  graph: GraphProto,
  irVersion: bigint,
  edits: OnnxEdits,
  fit?: InputFit,
): GraphInputs {
  const stored = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const declaredInputs = graph.input
    .filter(({ name }) => !stored.has(name))
    .map((value) => openEmptyAxes(readDeclaredTensor(value, "input")));
  const settable = graph.input.map(({ name }) => name).filter((name) => stored.has(name));
  const rows = fit?.inputs(declaredInputs, settable) ?? {
    required: declaredInputs,
    batchDimension: readBatchDimension(declaredInputs),
  };
  const { batchDimension } = rows;
  const overridable: InputWithDefault[] = [];
  const repairs: Repair[] = [];
  const notices: string[] = [];
  for (const value of irVersion < 4n ? [] : graph.input) {
    const tensor = stored.get(value.name);
    if (tensor === undefined) continue;
    const defaultValue = tryDecode(() => decodeTensor(tensor));
    const declared = tryDecode(() => readDeclaredTensor(value, "input"));
    const fits =
      defaultValue !== undefined &&
      declared !== undefined &&
      defaultValue.data.length <= MAX_DEFAULT_ELEMENTS &&
      (batchDimension === "none" || (declared.dimensions?.[0] !== 0 && defaultValue.shape[0] === 1)) &&
      (batchDimension !== "open" || typeof declared.dimensions?.[0] !== "number");
    if (!fits) {
      notices.push(
        `input ${quoted(value.name)} has its value in the file and cannot be set by a request: it is served with that value`,
      );
      continue;
    }
    overridable.push({ declared, defaultValue });
    edits.initializers.set(value.name, undefined);
    repairs.push({
      kind: "default_input_opened",
      target: value.name,
      description:
        "has its value in the file, which a request could not overrule; served as an optional input with that value as its default",
    });
  }
  return { ...rows, overridable, repairs, notices };
}

function tryDecode<T>(decode: () => T): T | undefined {
  try {
    return decode();
  } catch {
    return undefined;
  }
}
