import { readdirSync, rmSync } from "node:fs";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Model, ModelState } from "../../gen/assay/v1/model_service_pb.ts";
import { type PredictResponse, ScoringService } from "../../gen/assay/v1/scoring_service_pb.ts";
import { compareOutputs } from "../../src/model/compare-outputs.ts";
import { takeRows } from "../../src/model/row-tensors.ts";
import type { TensorData } from "../../src/tensor/tensor-data.ts";
import { type AppServer, startAppServer } from "../app-server.ts";
import {
  type ExportCase,
  readExportCase,
  readRequestCase,
  SHARED_MODELS,
  sharedModelsMissing,
} from "../shared-models.ts";
import { linkSharedModels } from "../shared-repository.ts";
import { fromMessage, toMessage } from "../tensor-messages.ts";

type Case = Omit<ExportCase, "coupled"> & { coupled?: boolean };
type Predict = (model: string, inputs: readonly TensorData[]) => Promise<PredictResponse>;

/** What is refused, and by which words. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  "corrupt-model": /no ONNX protobuf/,
  foo_truncated: /operator "Foo", which does not exist in opset 7/,
  test_arbitrary_external_file: /expected a file inside the version folder/,
  test_evil_weights: /expected a file inside the version folder/,
  add_opset_314159: /opset 314159.*newest that can be run is 26/,
  initializer_as_output: /no inputs/,
  sequence_construct: /a sequence that does not come from a ZipMap/,
  "dictvectorizer-string": /input "X" is a map/,
  pipeline_vectorize: /input "float_input" is a map/,
};

describe.skipIf(sharedModelsMissing !== undefined)("models that others made, served", () => {
  const list = (folder: string) =>
    sharedModelsMissing === undefined ? readdirSync(`${SHARED_MODELS}${folder}`) : [];
  const cases: Case[] = [...list("exports/cases").map(readExportCase), ...list("cases").map(readRequestCase)];
  let root: string;
  let server: AppServer;
  let models: ReadonlyMap<string, Model>;
  const protocols: Record<string, Predict> = {};

  beforeAll(async () => {
    root = linkSharedModels();
    server = await startAppServer(root);
    models = new Map(server.app.models().map((model) => [model.modelName, model]));
    const baseUrl = server.url;
    const clients = {
      gRPC: createClient(ScoringService, createGrpcTransport({ baseUrl })),
      JSON: createClient(
        ScoringService,
        createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false }),
      ),
    };
    for (const [name, client] of Object.entries(clients)) {
      protocols[name] = (modelName, inputs) =>
        client.predict({
          modelName,
          inputs: inputs.map((input) => toMessage(input, name === "gRPC")),
          outputNames: ["*"],
        });
    }
  }, 120_000);

  afterAll(async () => {
    await server.app.close();
    rmSync(root, { recursive: true });
  });

  it("every model is served, or refused by name with its reason", () => {
    expect(models.size).toBeGreaterThan(50);
    const refused = new Map<string, string>();
    for (const [name, { state, stateReason }] of models) {
      if (state !== ModelState.READY) refused.set(name, stateReason);
    }
    expect([...refused.keys()].sort()).toEqual(Object.keys(REFUSED).sort());
    for (const [name, pattern] of Object.entries(REFUSED)) expect(refused.get(name)).toMatch(pattern);
    for (const reason of refused.values()) expect(reason).not.toMatch(/\.(cc|h):\d|onnxruntime::/);
  });

  it("ListModels' reasons stand in /readyz, and the server is ready", async () => {
    const response = await fetch(`${server.url}/readyz`);
    expect(response.status).toBe(200);
    const body = await response.text();
    for (const name of Object.keys(REFUSED)) expect(body).toContain(`"${name}"`);
  });

  describe.each(["gRPC", "JSON"])("through %s", (protocol) => {
    it.each(cases.map((one) => [one.file, one] as const))("%s alone", async (_, one) => {
      await check(protocols[protocol]!, one, one.inputs, one.outputs);
    });

    it("all cases, joined with each other and cut into single rows, at once", async () => {
      const calls: Promise<void>[] = [];
      for (let round = 0; round < 3; round++) {
        for (const one of cases) {
          calls.push(check(protocols[protocol]!, one, one.inputs, one.outputs));
          if (one.coupled === true) continue;
          const rowCount = one.inputs[0]!.shape[0]!;
          for (let row = 0; row < rowCount; row++) {
            const only = (tensors: readonly TensorData[]) => tensors.map((tensor) => takeRows(tensor, [row]));
            calls.push(check(protocols[protocol]!, one, only(one.inputs), only(one.outputs)));
          }
        }
      }
      await Promise.all(calls);
    }, 60_000);

    it("the example request of every served model is answered", async () => {
      for (const model of models.values()) {
        if (model.state !== ModelState.READY) continue;
        const { exampleRequest } = model;
        const transport =
          protocol === "gRPC"
            ? createGrpcTransport({ baseUrl: server.url })
            : createConnectTransport({ baseUrl: server.url, httpVersion: "1.1", useBinaryFormat: false });
        const response = await createClient(ScoringService, transport)
          .predict({ ...exampleRequest!, outputNames: ["*"] })
          .catch((cause: Error) => {
            throw new Error(`${model.modelName}: ${cause.message}`);
          });
        expect(response.outputs.length, model.modelName).toBe(model.outputs.length);
      }
    }, 60_000);
  });

  it("GetModel names the repairs", () => {
    const kinds = (name: string) => models.get(name)!.repairs.map(({ kind }) => kind);
    expect(kinds("census-rf")).toEqual(["zipmap_removed"]);
    expect(kinds("bank-lgbm")).toEqual(["zipmap_removed", "output_shape_corrected"]);
    expect(kinds("iris-columns")).toEqual(["columns_gathered"]);
    expect(kinds("torch-fixed1")).toEqual(["batch_dimension_opened"]);
    expect(kinds("overridable_initializer")).toContain("default_input_opened");
    expect(kinds("bank-xgb")).toEqual([]);
  });
});

async function check(
  predict: Predict,
  one: Case,
  inputs: readonly TensorData[],
  wanted: readonly TensorData[],
): Promise<void> {
  const response = await predict(one.model, inputs);
  const rowCount = inputs[0]!.shape[0]!;
  const outputs = response.outputs.map(fromMessage);
  expect(compareOutputs(outputs, wanted, rowCount, one.tolerance), one.file).toBeUndefined();
  if (response.scores.length > 0) expect(response.scores).toHaveLength(rowCount);
}
