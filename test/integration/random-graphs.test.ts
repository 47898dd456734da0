import fc from "fast-check";
import { expect, test } from "vitest";
import { passGoldenGate } from "../../src/model/golden-gate.ts";
import { madeUpInput } from "../../src/model/probe-rows.ts";
import { openBareSession } from "../bare-session.ts";
import { prepared } from "../prepare.ts";
import { randomGraph } from "../random-graph.ts";

const RUNS = 100;

test("a prepared model answers as a bare session of the unchanged file does", async () => {
  await fc.assert(
    fc.asyncProperty(randomGraph, fc.integer({ min: 1, max: 4 }), async (graph, rows) => {
      const model = prepared(graph.bytes);
      const bare = await openBareSession(graph.bytes);
      const session = await openBareSession(model.bytes);
      try {
        const outcome = await passGoldenGate(model, session.run);
        if (outcome.kind === "refused") throw new Error(outcome.reason);
        const { signature } = outcome;
        expect(signature.inputs.map(({ name }) => name)).toEqual(graph.inputs.map(({ name }) => name));
        expect(signature.inputs.map(({ datatype }) => datatype)).toEqual(
          graph.inputs.map(({ datatype }) => datatype),
        );
        const fixed = graph.rows === "fixed-at-one";
        const inputs = signature.inputs.map((spec) =>
          madeUpInput(spec, fixed ? 1 : rows, signature, { openLength: 3 }),
        );
        const wanted = await bare.run(inputs);
        const came = await session.run(inputs);
        expect(came).toEqual(wanted);
        for (const { name, shape, datatype } of wanted) {
          const spec = signature.outputs.find((output) => output.name === name);
          expect(spec?.datatype).toBe(datatype);
          expect(spec?.shape.map((length, axis) => (length === -1 ? -1 : shape[axis]))).toEqual(spec?.shape);
        }
        if (graph.rows === "coupled") expect(signature.batching).not.toBe("across-requests");
        if (graph.rows === "none") expect(signature.batching).toBe("no-batch-dimension");
      } finally {
        await bare.release();
        await session.release();
      }
    }),
    { numRuns: RUNS },
  );
}, 120_000);
