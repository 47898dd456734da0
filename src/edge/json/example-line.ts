/** A body that a model takes, in one line, in the form of whoever sent one that it does not take. */
import { type JsonValue, toJson } from "@bufbuild/protobuf";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { TensorSpec } from "../../../gen/assay/v1/model_service_pb.ts";
import type { PredictRequest } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { type Tensor, TensorSchema } from "../../../gen/assay/v1/tensor_pb.ts";
import type { AssayError } from "../../errors.ts";
import type { Caller } from "../../registry/caller.ts";
import type { ServedModel } from "../../registry/served-model.ts";
import type { ScoringService } from "../../service/scoring.ts";
import { isDatatype } from "../../tensor/datatype.ts";
import { tensorElements } from "./tensor-elements.ts";

/** Whose body it is: `/predict`, protobuf's JSON, KServe v1 and TensorFlow Serving, MLflow, Open Inference. */
export type ExampleForm = "predict" | "connect" | "v1" | "mlflow" | "inference";

const MOST_CHARACTERS = 600;
/** Items that are shown of lists and objects which are too long, from the best fit to the least. */
const MOST_ITEMS = [32, 16, 8, 4, 2];

const known = new WeakMap<ServedModel, Partial<Record<ExampleForm, string>>>();

/** The body itself, whole. */
export function exampleBody(
  form: ExampleForm,
  example: PredictRequest,
  specs: readonly TensorSpec[],
): JsonValue {
  return BODIES[form](example, specs);
}

/** The line; undefined where there is none. It is no JSON where it had to be cut: `…` tells that. */
function exampleLine(model: ServedModel, form: ExampleForm): string | undefined {
  const lines = known.get(model) ?? {};
  known.set(model, lines);
  if (lines[form] === undefined) {
    const { exampleRequest: example, inputs } = model.describe();
    lines[form] = example === undefined ? "" : shortJson(BODIES[form](example, inputs));
  }
  return lines[form] || undefined;
}

/** The line of the model that a call names; undefined where there is no such model. */
export function exampleOf(
  scoring: Pick<ScoringService, "resolve">,
  modelName: string,
  modelVersion: string,
  caller: Caller,
  form: ExampleForm,
): string | undefined {
  try {
    return exampleLine(scoring.resolve(modelName, modelVersion, caller), form);
  } catch {
    return undefined;
  }
}

/** Whether an error is about what a request brings, and not only about the name of its model. */
export function isWrongForm({ reason, violations }: AssayError): boolean {
  if (reason !== Reason.INVALID_REQUEST) return false;
  return violations.length === 0 || violations.some(({ field }) => !OF_THE_MODEL.has(field));
}

const OF_THE_MODEL = new Set(["model_name", "model_version"]);

/** What stands behind a message. */
export function withExample(message: string, example: string | undefined): string {
  if (example === undefined) return message;
  const end = message.endsWith("?") ? "" : ".";
  return `${message}${end} This model takes, for example: ${example}`;
}

/** Makes a body of a model's example; `specs` are its inputs. */
type ExampleBody = (example: PredictRequest, specs: readonly TensorSpec[]) => JsonValue;

const BODIES: Readonly<Record<ExampleForm, ExampleBody>> = {
  predict(example) {
    const { features, rows, inputs } = example;
    if (features.length > 0) return { features };
    return rows.length > 0 ? { rows } : { inputs: inputs.map(dataTensor) };
  },
  connect({ features, rows, inputs }) {
    if (features.length > 0) return { features };
    if (rows.length > 0) return { rows };
    return { inputs: inputs.map((tensor) => toJson(TensorSchema, tensor, { useProtoFieldName: true })) };
  },
  v1({ features, rows, inputs }) {
    if (features.length > 0) return { instances: [features] };
    return { instances: rows.length > 0 ? rows : [instanceOf(inputs)] };
  },
  mlflow({ features, rows, inputs }) {
    const [row] = rows;
    if (features.length > 0) return { inputs: [features] };
    if (row !== undefined) {
      return { dataframe_split: { columns: Object.keys(row), data: [Object.values(row)] } };
    }
    const [only] = inputs;
    if (inputs.length === 1) return { inputs: nested(only!) };
    return { inputs: Object.fromEntries(inputs.map((tensor) => [tensor.name, nested(tensor)])) };
  },
  inference(example, specs) {
    const { inputs } = example;
    return { inputs: inputs.length > 0 ? inputs.map(dataTensor) : inputsOfRow(example, specs) };
  },
};

/** A tensor for each input that one row brings. */
function inputsOfRow({ features, rows: [row] }: PredictRequest, specs: readonly TensorSpec[]): JsonValue[] {
  const one = ({ name, datatype, shape }: TensorSpec, data: JsonValue[]): JsonValue => ({
    name,
    datatype,
    shape: shape.map((length, axis) => (axis === 0 ? 1 : length === -1n ? data.length : Number(length))),
    data,
  });
  if (row === undefined)
    return specs
      .filter(({ optional }) => !optional)
      .slice(0, 1)
      .map((spec) => one(spec, features));
  const columnsOf = ({ name, featureNames }: TensorSpec) => (featureNames.length > 0 ? featureNames : [name]);
  return specs
    .filter((spec) => columnsOf(spec).some((name) => name in row))
    .map((spec) =>
      one(
        spec,
        columnsOf(spec).map((name) => row[name] ?? null),
      ),
    );
}

function dataTensor(tensor: Tensor): JsonValue {
  const { name, datatype, shape } = tensor;
  if (datatype === "FP16" || datatype === "BF16") {
    return toJson(TensorSchema, tensor, { useProtoFieldName: true });
  }
  return { name, datatype, shape: shape.map(Number), data: flat(tensor) };
}

/** The first row: of several inputs by their names. */
function instanceOf(inputs: readonly Tensor[]): JsonValue {
  const [only] = inputs;
  if (inputs.length === 1) return firstOf(only!);
  return Object.fromEntries(inputs.map((tensor) => [tensor.name, firstOf(tensor)]));
}

function firstOf(tensor: Tensor): JsonValue {
  const values = nested(tensor);
  return Array.isArray(values) && values.length === 1 ? values[0]! : values;
}

function nested(tensor: Tensor): JsonValue {
  let values: JsonValue[] = flat(tensor);
  const shape = tensor.shape.map(Number);
  for (const length of shape.slice(1).reverse()) {
    const lists: JsonValue[] = [];
    for (let from = 0; from < values.length; from += length) lists.push(values.slice(from, from + length));
    values = lists;
  }
  return shape.length === 0 ? values[0]! : values;
}

function flat(tensor: Tensor): JsonValue[] {
  if (!isDatatype(tensor.datatype)) return [];
  const elements = tensorElements(tensor, tensor.datatype);
  return Array.from({ length: elements.count }, (_, index) => {
    const element = elements.at(index);
    return typeof element === "bigint" ? Number(element) : element;
  });
}

/** A value as JSON; long lists are cut, and say how many there are. */
function shortJson(value: JsonValue): string {
  const whole = JSON.stringify(value);
  if (whole.length <= MOST_CHARACTERS) return whole;
  for (const most of MOST_ITEMS) {
    const text = cut(value, most);
    if (text.length <= MOST_CHARACTERS) return text;
  }
  return `${whole.slice(0, MOST_CHARACTERS).toWellFormed()}…`;
}

function cut(value: JsonValue, most: number): string {
  if (typeof value === "string" && value.length > 40)
    return JSON.stringify(`${value.slice(0, 40).toWellFormed()}…`);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const parts = Array.isArray(value)
    ? value.slice(0, most).map((item) => cut(item, most))
    : Object.entries(value)
        .slice(0, most)
        .map(([name, item]) => `${JSON.stringify(name)}:${cut(item, most)}`);
  const { length } = Array.isArray(value) ? value : Object.keys(value);
  if (length > most) parts.push(`… ${length} in all`);
  return Array.isArray(value) ? `[${parts.join(",")}]` : `{${parts.join(",")}}`;
}
