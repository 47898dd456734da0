import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Model, ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { passGoldenGate } from "../../../src/model/gate/golden-gate.ts";
import { madeUpInput } from "../../../src/model/gate/probe-rows.ts";
import type { ModelSignature } from "../../../src/model/signature.ts";
import type { TensorData } from "../../../src/tensor/tensor-data.ts";
import { testFolder } from "../../support/folders.ts";
import { openBareSession, openPreparedSession } from "../../support/models/bare-session.ts";
import { prepared } from "../../support/models/prepare.ts";
import { FIXED_ROWS, type RandomGraph, randomGraph } from "../../support/models/random-graph.ts";
import { fromMessage, toMessage } from "../../support/models/tensor-messages.ts";
import { startAppServer } from "../../support/servers/app-server.ts";

function madeUpInputs(graph: RandomGraph, signature: ModelSignature, rows: number): TensorData[] {
  // The unchanged file takes as many rows as it fixes.
  const rowCount = graph.rows === "fixed-at-one" ? 1 : graph.rows === "fixed" ? FIXED_ROWS : rows;
  return signature.inputs.map((spec) => madeUpInput(spec, rowCount, signature, { openLength: 3 }));
}

/** Outputs by name; their order is the graph's and of no matter. */
const named = (outputs: readonly TensorData[]) =>
  new Map(outputs.map(({ name, ...tensor }) => [name, tensor] as const));

test("a prepared model answers as a bare session of the unchanged file does", async () => {
  await fc.assert(
    fc.asyncProperty(randomGraph, fc.integer({ min: 1, max: 4 }), async (graph, rows) => {
      const model = prepared(graph.bytes);
      const bare = await openBareSession(graph.bytes);
      const session = await openPreparedSession(model);
      try {
        const outcome = await passGoldenGate(model, session.run);
        if (outcome.kind === "refused") throw new Error(outcome.reason);
        const { signature } = outcome;
        expect(signature.inputs.map(({ name, datatype }) => ({ name, datatype }))).toEqual(graph.inputs);
        const inputs = madeUpInputs(graph, signature, rows);
        const wanted = await bare.run(inputs);
        expect(named(await session.run(inputs))).toEqual(named(wanted));
        for (const { name, shape, datatype } of wanted) {
          const spec = signature.outputs.find((output) => output.name === name);
          expect(spec?.datatype).toBe(datatype);
          expect(spec?.shape.map((length, axis) => (length === -1 ? -1 : shape[axis]))).toEqual(spec?.shape);
        }
        if (graph.rows === "coupled") expect(signature.batching).not.toBe("across-requests");
        if (graph.rows === "fixed")
          expect(["across-requests", "no-batch-dimension"]).toContain(signature.batching);
      } finally {
        await bare.release();
        await session.release();
      }
    }),
    { numRuns: 100 },
  );
}, 120_000);

test("a server answers as a bare session of the unchanged file does, alone and in company", async () => {
  const seed = Date.now();
  const graphs = fc.sample(randomGraph, { numRuns: 24, seed });
  const root = testFolder();
  for (const [index, { bytes }] of graphs.entries()) {
    mkdirSync(join(root, `g${index}/1`), { recursive: true });
    writeFileSync(join(root, `g${index}/1/model.onnx`), bytes);
  }
  const { app, url: baseUrl } = await startAppServer(root);
  try {
    const models = new Map<string, Model>(app.models().map((model) => [model.modelName, model]));
    const clients = [
      createClient(ScoringService, createGrpcTransport({ baseUrl })),
      createClient(
        ScoringService,
        createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat: false }),
      ),
    ];
    for (const [index, graph] of graphs.entries()) {
      const modelName = `g${index}`;
      const place = `seed ${seed}, graph ${index}`;
      expect(models.get(modelName)?.state, place).toBe(ModelState.READY);
      const bare = await openBareSession(graph.bytes);
      const signature = prepared(graph.bytes).signature;
      const calls = [1, 2, 3].flatMap((rows) =>
        clients.map(async (client, protocol) => {
          const inputs = madeUpInputs(graph, signature, rows);
          const wanted = named(await bare.run(inputs));
          const { outputs } = await client.predict({
            modelName,
            inputs: inputs.map((input) => toMessage(input, protocol === 0)),
            outputNames: ["*"],
          });
          expect(named(outputs.map(fromMessage)), place).toEqual(wanted);
        }),
      );
      await Promise.all(calls);
      await bare.release();
    }
  } finally {
    await app.close();
  }
}, 120_000);
