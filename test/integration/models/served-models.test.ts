import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Model, ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import { EXPORTED_MODELS, exportCases, readExportCase } from "../../support/models/exports.ts";
import { describeServed } from "../../support/scores/served-cases.ts";
import { type AppServer, startAppServer } from "../../support/servers/app-server.ts";

describe("exports as training scripts leave them, served", () => {
  const cases = exportCases().map(readExportCase);
  let server: AppServer;
  let models: ReadonlyMap<string, Model>;

  beforeAll(async () => {
    server = await startAppServer(EXPORTED_MODELS);
    models = new Map(server.app.models().map((model) => [model.modelName, model]));
  }, 60_000);

  afterAll(() => server.app.close());

  it("every model is served", () => {
    expect(models.size).toBeGreaterThan(10);
    for (const { state, stateReason } of models.values())
      expect({ state, stateReason }).toEqual({ state: ModelState.READY, stateReason: "" });
  });

  describeServed(cases, cases, () => ({ url: server.url, models: models.values() }));

  it("GetModel names the repairs", () => {
    const kinds = (name: string) => models.get(name)!.repairs.map(({ kind }) => kind);
    expect(kinds("census-rf")).toEqual(["zipmap_removed"]);
    expect(kinds("bank-lgbm")).toEqual(["zipmap_removed", "output_shape_corrected"]);
    expect(kinds("iris-columns")).toEqual(["columns_gathered"]);
    expect(kinds("torch-fixed1")).toEqual(["batch_dimension_opened"]);
    expect(kinds("bank-xgb")).toEqual([]);
  });
});
