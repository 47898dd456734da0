import { create, type JsonObject } from "@bufbuild/protobuf";
import { type PredictRequest, PredictRequestSchema } from "../../gen/assay/v1/scoring_service_pb.ts";
import { TensorSchema } from "../../gen/assay/v1/tensor_pb.ts";
import { numberOf, rowOf } from "../tensor/datatype.ts";
import { rawContents, typedContents } from "../tensor/tensor-contents.ts";
import { elementCount, type TensorData } from "../tensor/tensor-data.ts";
import { madeUpInput } from "./gate/probe-rows.ts";
import type { PreparedModel } from "./prepared-model.ts";
import { hasRows, type ModelSignature, type TensorSpec } from "./signature.ts";

/**
 * A request of one row that fits the signature: the first row of the first golden case where there is one, else of
 * the rows that the gate ran, else made-up values. `features` for a model with one float vector, `rows` where every input is a column, `inputs` for the rest.
 */
export function exampleRequest(
  model: Pick<PreparedModel, "modelName" | "signature" | "goldenCases" | "exampleInputs">,
): PredictRequest {
  const { signature, modelName } = model;
  const inputs = signature.inputs.filter(({ optional }) => !optional);
  const tensors = inputs.map(
    (spec) =>
      firstRow(spec, model.goldenCases[0]?.inputs, signature) ??
      firstRow(spec, model.exampleInputs, signature) ??
      madeUpInput(spec, 1, signature),
  );
  const request = create(PredictRequestSchema, { modelName });
  const features = !hasRows(signature) ? undefined : featureValues(inputs, tensors);
  const row = features === undefined ? columnRow(inputs, tensors, signature) : undefined;
  if (features !== undefined) request.features = features;
  else if (row !== undefined) request.rows = [row];
  else {
    request.inputs = tensors.map((tensor) => {
      const { name, datatype } = tensor;
      const shape = tensor.shape.map(BigInt);
      return rowOf(datatype).contents === undefined
        ? create(TensorSchema, { name, datatype, shape, rawContents: rawContents(tensor) })
        : create(TensorSchema, { name, datatype, shape, contents: typedContents(tensor) });
    });
  }
  return request;
}

function firstRow(
  spec: TensorSpec,
  tensors: readonly TensorData[] | undefined,
  signature: ModelSignature,
): TensorData | undefined {
  const tensor = tensors?.find(({ name }) => name === spec.name);
  if (tensor === undefined || tensor.datatype !== spec.datatype) return undefined;
  if (!hasRows(signature)) return tensor;
  if (tensor.shape.length !== spec.shape.length || tensor.shape[0] === 0) return undefined;
  const shape = [1, ...tensor.shape.slice(1)];
  return { ...tensor, shape, data: tensor.data.slice(0, elementCount(shape)) };
}

/** JSON knows no NaN, so a golden row with missing values is shown in another form. */
function featureValues(inputs: readonly TensorSpec[], tensors: readonly TensorData[]): number[] | undefined {
  const spec = inputs[0];
  const tensor = tensors[0];
  const vector = inputs.length === 1 && spec?.datatype === "FP32" && spec.shape.length === 2;
  if (!vector || tensor === undefined || tensor.shape.length !== 2 || tensor.shape[0] !== 1) return undefined;
  const values = Array.from(tensor.data as Float32Array);
  return values.length > 0 && values.length <= 10_000 ? values.map(shortFloat) : undefined;
}

function columnRow(
  inputs: readonly TensorSpec[],
  tensors: readonly TensorData[],
  signature: ModelSignature,
): JsonObject | undefined {
  if (!hasRows(signature)) return undefined;
  const row: JsonObject = Object.create(null) as JsonObject;
  for (const [index, spec] of inputs.entries()) {
    const { data, datatype } = tensors[index]!;
    const names = spec.featureNames.length > 0 ? spec.featureNames : [spec.name];
    const isColumns = spec.featureNames.length > 0 || !spec.shape.slice(1).includes(-1);
    if (!isColumns || data.length !== names.length) return undefined;
    for (const [position, name] of names.entries()) {
      const value = data[position]!;
      if (typeof value === "string") row[name] = value;
      else if (datatype === "BOOL") row[name] = value !== 0;
      else {
        const number = numberOf(datatype, Number(value));
        row[name] = Number.isFinite(number) ? (datatype === "FP32" ? shortFloat(number) : number) : null;
      }
    }
  }
  return row;
}

/** 5.1 instead of 5.099999904632568: the shortest decimal that is the same float32. */
function shortFloat(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}
