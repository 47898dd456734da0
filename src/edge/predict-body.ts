import { create, fromJson, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { type PredictRequest, PredictRequestSchema } from "../../gen/assay/v1/scoring_service_pb.ts";
import { type Tensor, TensorContentsSchema, TensorSchema } from "../../gen/assay/v1/tensor_pb.ts";
import { AssayError, type Violation } from "../errors.ts";

/**
 * Reads the body of `POST /predict`: `features` (one row), `rows` (objects) or `inputs` (tensors, with Open Inference
 * JSON's `data` or with `contents`), beside `model_version`, `request_id` and `output_names`. Throws INVALID_REQUEST
 * whose violations have Pydantic's error types as rules.
 */
export function readPredictBody(body: Uint8Array, modelName: string): PredictRequest {
  const json = parseJson(body);
  if (!isObject(json)) {
    throw invalid([
      violation(
        "",
        "Input should be a valid dictionary or object to extract fields from",
        "model_attributes_type",
      ),
    ]);
  }
  const violations: Violation[] = [];
  const { features, rows, inputs, ...rest } = json;
  if (features === undefined && rows === undefined && inputs === undefined) {
    throw invalid([violation("features", "Field required (or rows, or inputs)", "missing")]);
  }
  const request = readRest(rest, violations);
  if (modelName !== "") request.modelName = modelName;
  if (features !== undefined) request.features = readFeatures(features, violations);
  if (rows !== undefined) request.rows = readRows(rows, violations);
  if (inputs !== undefined) request.inputs = readInputs(inputs, violations);
  if (violations.length > 0) throw invalid(violations);
  return request;
}

function parseJson(body: Uint8Array): JsonValue {
  if (body.byteLength === 0) throw invalid([violation("", "Field required", "missing")]);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) as JsonValue;
  } catch (error) {
    throw invalid([violation("", `JSON decode error: ${(error as Error).message}`, "json_invalid")]);
  }
}

function readRest(rest: JsonObject, violations: Violation[]): PredictRequest {
  try {
    return fromJson(PredictRequestSchema, rest, { ignoreUnknownFields: true });
  } catch (error) {
    violations.push(violation("", (error as Error).message, "value_error"));
    return create(PredictRequestSchema);
  }
}

function readFeatures(features: JsonValue, violations: Violation[]): number[] {
  if (!Array.isArray(features)) {
    violations.push(violation("features", "Input should be a valid list", "list_type"));
    return [];
  }
  return features.map((value, index) => {
    const number = numberOf(value);
    if (number !== undefined) return number;
    violations.push(
      violation(`features[${index}]`, `Input should be a valid number, got ${shown(value)}`, "float_type"),
    );
    return 0;
  });
}

function readRows(rows: JsonValue, violations: Violation[]): JsonObject[] {
  if (!Array.isArray(rows)) {
    violations.push(violation("rows", "Input should be a valid list", "list_type"));
    return [];
  }
  return rows.filter((row, index): row is JsonObject => {
    if (isObject(row)) return true;
    violations.push(
      violation(`rows[${index}]`, `Input should be a valid dictionary, got ${shown(row)}`, "dict_type"),
    );
    return false;
  });
}

function readInputs(inputs: JsonValue, violations: Violation[]): Tensor[] {
  if (!Array.isArray(inputs)) {
    violations.push(violation("inputs", "Input should be a valid list", "list_type"));
    return [];
  }
  const tensors: Tensor[] = [];
  for (const [index, input] of inputs.entries()) {
    try {
      if (!isObject(input)) throw new Error(`Input should be a valid dictionary, got ${shown(input)}`);
      tensors.push(readTensor(input));
    } catch (error) {
      violations.push(violation(`inputs[${index}]`, (error as Error).message, "value_error"));
    }
  }
  return tensors;
}

function readTensor(input: JsonObject): Tensor {
  const { data, ...rest } = input;
  const tensor = fromJson(TensorSchema, rest, { ignoreUnknownFields: true });
  if (data === undefined) return tensor;
  const list = CONTENT_LISTS[tensor.datatype];
  if (list === undefined)
    throw new Error(`data cannot hold datatype ${shown(tensor.datatype)}; send raw_contents`);
  if (!Array.isArray(data)) throw new Error(`data should be a list, got ${shown(data)}`);
  const values = data.some(Array.isArray) ? unnested(data, tensor.shape, 0) : data;
  const encoded =
    tensor.datatype === "BYTES"
      ? values.map((value) => Buffer.from(textOf(value)).toString("base64"))
      : values;
  tensor.contents = fromJson(TensorContentsSchema, { [list]: encoded });
  return tensor;
}

const CONTENT_LISTS: Readonly<Record<string, string>> = {
  BOOL: "bool_contents",
  INT8: "int_contents",
  INT16: "int_contents",
  INT32: "int_contents",
  INT64: "int64_contents",
  UINT8: "uint_contents",
  UINT16: "uint_contents",
  UINT32: "uint_contents",
  UINT64: "uint64_contents",
  FP32: "fp32_contents",
  FP64: "fp64_contents",
  BYTES: "bytes_contents",
};

/** The values of nested lists, whose lengths must be those of the shape. */
function unnested(list: readonly JsonValue[], shape: readonly bigint[], axis: number): JsonValue[] {
  if (BigInt(list.length) !== shape[axis]) {
    const expected = shape[axis] === undefined ? `only ${shape.length} axes` : `${shape[axis]} items there`;
    throw new Error(`data has a list of ${list.length} items on axis ${axis}; the shape says ${expected}`);
  }
  if (axis === shape.length - 1) return [...list];
  return list.flatMap((item) => {
    if (!Array.isArray(item)) throw new Error(`data is nested unevenly: ${shown(item)} stands beside lists`);
    return unnested(item, shape, axis + 1);
  });
}

function textOf(value: JsonValue): string {
  if (typeof value === "string") return value;
  throw new Error(`data of datatype BYTES should be strings, got ${shown(value)}`);
}

function numberOf(value: JsonValue): number | undefined {
  if (typeof value === "number") return value;
  return value === "NaN" || value === "Infinity" || value === "-Infinity" ? Number(value) : undefined;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(value: JsonValue): string {
  const text = JSON.stringify(value);
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}

function violation(field: string, description: string, rule: string): Violation {
  return { field, description, rule };
}

function invalid(violations: Violation[]): AssayError {
  const first = violations[0]!;
  return new AssayError(Reason.INVALID_REQUEST, `${first.field || "body"}: ${first.description}`, {
    violations,
  });
}
