/** Calls of the Open Inference Protocol, as clients of Triton and KServe make them. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { PredictRequest } from "../../../gen/assay/v1/scoring_service_pb.ts";
import {
  GRPCInferenceService,
  ModelInferRequestSchema,
  ModelInferResponseSchema,
} from "../../../gen/inference/grpc_service_pb.ts";
import { type NumericArray, numbersOf, rowOf } from "../../tensor/datatype.ts";
import { rawContents } from "../../tensor/tensor-contents.ts";
import type { TensorData } from "../../tensor/tensor-data.ts";
import { invalidRequest } from "../bench-request.ts";
import { type Failure, unreadable } from "../failure.ts";
import { UNCHECKED } from "./answer-check.ts";
import { type CallAnswer, type CallForm, foreignAnswer, USER_AGENT } from "./call-form.ts";
import { grpcForm } from "./grpc.ts";

/** Who scores. */
type Named = Pick<PredictRequest, "modelName" | "modelVersion">;

/** `ModelInfer` over gRPC, with raw contents as tritonclient sends them. */
export function inferenceForm(
  { modelName, modelVersion }: Named,
  tensors: readonly TensorData[],
  check: boolean,
): CallForm {
  const message = create(ModelInferRequestSchema, {
    modelName,
    modelVersion,
    inputs: tensors.map(({ name, datatype, shape }) => ({ name, datatype, shape: shape.map(BigInt) })),
    rawInputContents: tensors.map(rawContents),
  });
  const form = grpcForm(toBinary(ModelInferRequestSchema, message), check ? binaryOutputs : UNCHECKED);
  const { typeName, method } = GRPCInferenceService;
  return { ...form, path: `/${typeName}/${method.modelInfer.name}` };
}

/** `POST /v2/models/{model}/infer` with its values in JSON. Throws CONFIG_INVALID for values that JSON has no form for. */
export function inferenceRestForm(
  { modelName, modelVersion }: Named,
  tensors: readonly TensorData[],
  check: boolean,
): CallForm {
  const version = modelVersion === "" ? "" : `/versions/${encodeURIComponent(modelVersion)}`;
  return {
    path: `/v2/models/${encodeURIComponent(modelName)}${version}/infer`,
    fields: [["content-type", "application/json"], USER_AGENT],
    body: Buffer.from(`{"inputs":[${tensors.map(tensorJson).join(",")}]}`),
    failure(answer) {
      const name = "POST /v2/models/…/infer";
      if (answer.status !== 200) return errorFailure(answer) ?? foreignAnswer(answer, name);
      const isJson = answer.field("content-type")?.startsWith("application/json") === true;
      if (!isJson) return foreignAnswer(answer, name);
      return check ? jsonOutputs(answer.body) : undefined;
    },
  };
}

function tensorJson(tensor: TensorData): string {
  const { name, datatype, shape } = tensor;
  return `{"name":${JSON.stringify(name)},"datatype":"${datatype}","shape":[${shape.join(",")}],"data":[${valuesJson(tensor)}]}`;
}

function valuesJson({ name, datatype, data }: TensorData): string {
  const { kind, bits } = rowOf(datatype);
  if (bits !== undefined)
    throw invalidRequest(`JSON carries no ${datatype}, which ${name} is: use --protocol inference`);
  if (kind === "text") return JSON.stringify(data).slice(1, -1);
  if (kind === "integer") return (data as NumericArray).join(",");
  const numbers = Array.from(numbersOf(datatype, data as NumericArray));
  return JSON.stringify(kind === "flag" ? numbers.map(Boolean) : numbers).slice(1, -1);
}

function errorFailure({ status, body }: CallAnswer): Failure | undefined {
  try {
    const { error } = JSON.parse(body.toString()) as { readonly error?: unknown };
    return typeof error === "string" ? { code: `HTTP ${status}`, reason: "", message: error } : undefined;
  } catch {
    return undefined;
  }
}

function binaryOutputs(message: Uint8Array): Failure | undefined {
  try {
    return hasOutputs(fromBinary(ModelInferResponseSchema, message).outputs);
  } catch (error) {
    return unreadable((error as Error).message);
  }
}

function jsonOutputs(body: Buffer): Failure | undefined {
  try {
    return hasOutputs((JSON.parse(body.toString()) as { readonly outputs?: unknown }).outputs);
  } catch (error) {
    return unreadable((error as Error).message);
  }
}

function hasOutputs(outputs: unknown): Failure | undefined {
  return Array.isArray(outputs) && outputs.length > 0 ? undefined : unreadable("it has no outputs");
}
