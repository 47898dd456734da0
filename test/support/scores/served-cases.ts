import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { describe, expect, it } from "vitest";
import { type Model, ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { compareOutputs } from "../../../src/model/gate/compare-outputs.ts";
import { takeRows } from "../../../src/model/gate/row-tensors.ts";
import type { TensorData } from "../../../src/tensor/tensor-data.ts";
import type { ExportCase } from "../models/exports.ts";
import { fromMessage, toMessage } from "../models/tensor-messages.ts";
import { checkForeignExamples, checkForeignForms } from "./foreign-cases.ts";
import { checkInferenceCase, checkInferenceExamples, INFERENCE_FORMS } from "./inference-cases.ts";

/** Tests, over each protocol, that cases are answered as the training library does, one by one and at once, and example requests too. */
export function describeServed(
  cases: readonly ExportCase[],
  joined: readonly ExportCase[],
  server: () => { readonly url: string; readonly models: Iterable<Model> },
): void {
  describe.each(SERVED_PROTOCOLS)("through %s", (protocol) => {
    it.each(cases.map((one) => [one.file, one] as const))("%s alone", async (_, one) => {
      await checkServedCase(server().url, protocol, one);
    });

    it("all cases, joined with each other and cut into single rows, at once", async () => {
      await checkJoinedCases(server().url, protocol, joined);
    });

    it("the example request of every served model is answered", async () => {
      await checkExampleRequests(server().url, protocol, server().models);
    });
  });

  describe.each(INFERENCE_FORMS)("through Open Inference, %s", (form) => {
    it.each(cases.map((one) => [one.file, one] as const))("%s", async (_, one) => {
      await checkInferenceCase(server().url, form, one);
    });
  });

  it("the example request of every served model is answered alike natively and in each form of Open Inference", async () => {
    await checkInferenceExamples(server().url, server().models);
  });

  it.each(cases.map((one) => [one.file, one] as const))("%s through KServe v1 and MLflow", async (_, one) => {
    await checkForeignForms(server().url, one);
  });

  it("the example request of every served model scores alike natively, through KServe v1 and MLflow", async () => {
    await checkForeignExamples(server().url, server().models);
  });
}

const SERVED_PROTOCOLS = ["gRPC", "JSON"] as const;

type Protocol = (typeof SERVED_PROTOCOLS)[number];

/** Sends one case, alone, and fails unless the answer is the training library's. */
async function checkServedCase(url: string, protocol: Protocol, one: ExportCase): Promise<void> {
  await check(clientOf(url, protocol), protocol, one, one.inputs, one.outputs);
}

/** Sends all cases three times at once, whole and cut into single rows, so that the server joins them with each other. */
async function checkJoinedCases(
  url: string,
  protocol: Protocol,
  cases: readonly ExportCase[],
): Promise<void> {
  const client = clientOf(url, protocol);
  const calls: Promise<void>[] = [];
  for (let round = 0; round < 3; round++) {
    for (const one of cases) {
      calls.push(check(client, protocol, one, one.inputs, one.outputs));
      if (one.coupled) continue;
      const rowCount = one.inputs[0]!.shape[0]!;
      for (let row = 0; row < rowCount; row++) {
        const only = (tensors: readonly TensorData[]) => tensors.map((tensor) => takeRows(tensor, [row]));
        calls.push(check(client, protocol, one, only(one.inputs), only(one.outputs)));
      }
    }
  }
  await Promise.all(calls);
}

/** Sends the example request of each model that is ready, and fails unless every output comes. */
async function checkExampleRequests(url: string, protocol: Protocol, models: Iterable<Model>): Promise<void> {
  const client = clientOf(url, protocol);
  for (const model of models) {
    if (model.state !== ModelState.READY) continue;
    const response = await client
      .predict({ ...model.exampleRequest!, outputNames: ["*"] })
      .catch((cause: Error) => {
        throw new Error(`${model.modelName}: ${cause.message}`);
      });
    expect(response.outputs.length, model.modelName).toBe(model.outputs.length);
  }
}

function clientOf(baseUrl: string, protocol: Protocol) {
  const transport =
    protocol === "gRPC"
      ? createGrpcTransport({ baseUrl })
      : createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false });
  return createClient(ScoringService, transport);
}

async function check(
  client: ReturnType<typeof clientOf>,
  protocol: Protocol,
  one: ExportCase,
  inputs: readonly TensorData[],
  wanted: readonly TensorData[],
): Promise<void> {
  const response = await client.predict({
    modelName: one.model,
    inputs: inputs.map((input) => toMessage(input, protocol === "gRPC")),
    outputNames: ["*"],
  });
  const rowCount = inputs[0]!.shape[0]!;
  const outputs = response.outputs.map(fromMessage);
  expect(compareOutputs(outputs, wanted, rowCount, one.tolerance), one.file).toBeUndefined();
  if (response.scores.length > 0) expect(response.scores).toHaveLength(rowCount);
}
