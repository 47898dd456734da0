import { afterAll, describe, expect, it } from "vitest";
import { compareOutputs } from "../../../src/model/gate/compare-outputs.ts";
import { applyGateOutcome, passGoldenGate } from "../../../src/model/gate/golden-gate.ts";
import type { PreparedModel } from "../../../src/model/prepared-model.ts";
import { scanRepository } from "../../../src/model/repository.ts";
import { type BareSession, openBareSession } from "../../support/models/bare-session.ts";
import { EXPORTED_MODELS, exportCases, readExportCase } from "../../support/models/exports.ts";

const sessions: BareSession[] = [];

afterAll(async () => {
  for (const session of sessions.splice(0)) await session.release();
});

async function openExports(): Promise<Map<string, { model: PreparedModel; session: BareSession }>> {
  const models = new Map<string, { model: PreparedModel; session: BareSession }>();
  for (const found of await scanRepository(EXPORTED_MODELS)) {
    if (found.kind === "refused") continue;
    const session = await openBareSession(found.model.bytes);
    sessions.push(session);
    const outcome = await passGoldenGate(found.model, session.run);
    if (outcome.kind === "refused") throw new Error(`${found.model.modelName}: ${outcome.reason}`);
    models.set(found.model.modelName, { model: applyGateOutcome(found.model, outcome), session });
  }
  return models;
}

describe("exports as training scripts leave them", async () => {
  const cases = exportCases();
  const models = await openExports();

  it("every case has its model, and there are cases", () => {
    expect(cases.length).toBeGreaterThan(15);
  });

  it.each(cases)("%s: the prepared model gives what the training library predicts", async (file) => {
    const wanted = readExportCase(file);
    const { model, session } = models.get(wanted.model)!;
    const rowCount = wanted.inputs[0]!.shape[0]!;
    const outputs = await session.run(wanted.inputs);
    expect(compareOutputs(outputs, wanted.outputs, rowCount, wanted.tolerance)).toBeUndefined();
    for (const { name, shape, datatype } of outputs) {
      const spec = model.signature.outputs.find((candidate) => candidate.name === name);
      expect(spec?.datatype).toBe(datatype);
      expect(shape.map((length, axis) => (spec?.shape[axis] === -1 ? -1 : length))).toEqual(spec?.shape);
    }
  });

  it("only the coupled model is kept from joining requests", () => {
    const apart = [...models.values()].filter(({ model }) => model.signature.batching !== "across-requests");
    expect(apart.map(({ model }) => model.modelName)).toEqual(["coupled-max"]);
  });
});
