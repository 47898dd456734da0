import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { expect } from "vitest";
import { type Model, ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { TensorContentsSchema, TensorSchema } from "../../../gen/assay/v1/tensor_pb.ts";
import { GRPCInferenceService, type ModelInferResponse } from "../../../gen/inference/grpc_service_pb.ts";
import { inferTensors } from "../../../src/load/infer-tensors.ts";
import { inferenceRestForm } from "../../../src/load/protocol/inference.ts";
import { compareOutputs } from "../../../src/model/gate/compare-outputs.ts";
import { type Datatype, rowOf } from "../../../src/tensor/datatype.ts";
import { tensorFromJson } from "../../../src/tensor/json-tensor.ts";
import { rawContents, typedContents } from "../../../src/tensor/tensor-contents.ts";
import type { TensorData } from "../../../src/tensor/tensor-data.ts";
import type { ExportCase } from "../models/exports.ts";
import { fromMessage, toMessage } from "../models/tensor-messages.ts";

/** A form of the Open Inference Protocol. */
export const INFERENCE_FORMS = ["gRPC, raw", "gRPC, typed", "REST, JSON", "REST, binary"] as const;

type Form = (typeof INFERENCE_FORMS)[number];

const LENGTH_FIELD = "inference-header-content-length";

/** Sends one case in a form, and fails unless all outputs are the training library's. */
export async function checkInferenceCase(url: string, form: Form, one: ExportCase): Promise<void> {
  const rowCount = one.inputs[0]!.shape[0]!;
  const outputs = await answered(url, form, one.model, one.inputs);
  const known = outputs.filter(({ name }) => one.outputs.some((output) => output.name === name));
  expect(compareOutputs(known, one.outputs, rowCount, one.tolerance), one.file).toBeUndefined();
}

/** Sends the example request of each model that is ready natively and in every form, and fails unless the outputs are the same. */
export async function checkInferenceExamples(url: string, models: Iterable<Model>): Promise<void> {
  const client = createClient(ScoringService, createConnectTransport({ baseUrl: url, httpVersion: "1.1" }));
  for (const model of models) {
    if (model.state !== ModelState.READY) continue;
    const { modelName, exampleRequest } = model;
    const inputs = inferTensors(exampleRequest!, model);
    const request = { modelName, inputs: inputs.map((input) => toMessage(input, true)), outputNames: ["*"] };
    const { outputs } = await client.predict(request);
    const expected = outputs.map(fromMessage);
    for (const form of INFERENCE_FORMS)
      expect([modelName, form, await answered(url, form, modelName, inputs)]).toEqual([
        modelName,
        form,
        expected,
      ]);
  }
}

function answered(
  url: string,
  form: Form,
  modelName: string,
  inputs: readonly TensorData[],
): Promise<TensorData[]> {
  // Halves have no form but octets.
  const hasHalves = inputs.some(({ datatype }) => rowOf(datatype).contents === undefined);
  if (form === "gRPC, raw" || (form === "gRPC, typed" && hasHalves))
    return byGrpc(url, modelName, inputs, true);
  if (form === "gRPC, typed") return byGrpc(url, modelName, inputs, false);
  return byRest(url, modelName, inputs, form === "REST, binary" || hasHalves, form === "REST, binary");
}

async function byGrpc(
  url: string,
  modelName: string,
  tensors: readonly TensorData[],
  isRaw: boolean,
): Promise<TensorData[]> {
  const client = createClient(GRPCInferenceService, createGrpcTransport({ baseUrl: url }));
  const inputs = tensors.map((tensor) => ({
    name: tensor.name,
    datatype: tensor.datatype,
    shape: tensor.shape.map(BigInt),
    ...(isRaw ? {} : { contents: fieldsOf(tensor) }),
  }));
  const rawInputContents = isRaw ? tensors.map(rawContents) : [];
  const response = await client.modelInfer({ modelName, inputs, rawInputContents });
  const outputs = outputsOf(response, true);
  // Whoever sends values reads values, where the datatype has any.
  if (!isRaw) {
    const typed = outputsOf(response, false);
    expect(typed).toEqual(outputs.filter(({ datatype }) => rowOf(datatype).contents !== undefined));
  }
  return outputs;
}

function fieldsOf(tensor: TensorData) {
  const { $typeName: _, ...fields } = typedContents(tensor);
  return fields;
}

function outputsOf({ outputs, rawOutputContents }: ModelInferResponse, isRaw: boolean): TensorData[] {
  return outputs.flatMap(({ name, datatype, shape, contents }, index) => {
    const head = { name, datatype, shape };
    if (isRaw)
      return [fromMessage(create(TensorSchema, { ...head, rawContents: rawOutputContents[index]! }))];
    if (contents === undefined) return [];
    const { $typeName: _, ...fields } = contents;
    return [fromMessage(create(TensorSchema, { ...head, contents: create(TensorContentsSchema, fields) }))];
  });
}

async function byRest(
  url: string,
  modelName: string,
  inputs: readonly TensorData[],
  isBinaryIn: boolean,
  isBinaryOut: boolean,
): Promise<TensorData[]> {
  const { path, body } = inferenceRestForm({ modelName, modelVersion: "" }, isBinaryIn ? [] : inputs, false);
  const parameters = { binary_data_output: isBinaryOut };
  const heads = inputs.map((tensor) => {
    const { name, datatype, shape } = tensor;
    return { name, datatype, shape, parameters: { binary_data_size: rawContents(tensor).length } };
  });
  const binaryJson = Buffer.from(JSON.stringify({ inputs: heads, parameters }));
  const sent = isBinaryIn ? Buffer.concat([binaryJson, ...inputs.map(rawContents)]) : Buffer.from(body);
  const response = await fetch(`${url}${path}`, {
    method: "POST",
    headers: isBinaryIn
      ? { [LENGTH_FIELD]: String(binaryJson.length) }
      : { "content-type": "application/json" },
    body: sent,
  });
  const octets = Buffer.from(await response.arrayBuffer());
  if (response.status !== 200)
    throw new Error(`${path}: ${response.status} ${octets.toString().slice(0, 500)}`);
  const jsonBytes = Number(response.headers.get(LENGTH_FIELD) ?? octets.length);
  const { outputs } = JSON.parse(octets.toString("utf8", 0, jsonBytes)) as {
    readonly outputs: readonly RestOutput[];
  };
  let at = jsonBytes;
  return outputs.map((output) => {
    const size = output.parameters?.binary_data_size;
    expect(size !== undefined).toBe(isBinaryOut);
    if (size === undefined) return tensorFromJson(output.name, output);
    const raw = octets.subarray(at, at + size);
    at += size;
    const { name, datatype, shape } = output;
    return fromMessage(create(TensorSchema, { name, datatype, shape: shape.map(BigInt), rawContents: raw }));
  });
}

interface RestOutput {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data?: readonly unknown[];
  readonly parameters?: { readonly binary_data_size?: number };
}
