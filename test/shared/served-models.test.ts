import { readdirSync, rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Model, ModelState } from "../../gen/assay/v1/model_service_pb.ts";
import { exportCases, readExportCase } from "../support/models/exports.ts";
import { describeServed } from "../support/scores/served-cases.ts";
import { type AppServer, startAppServer } from "../support/servers/app-server.ts";
import { readRequestCase, SHARED_MODELS } from "./shared-models.ts";
import { linkSharedModels } from "./shared-repository.ts";

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

describe("models that others made, served", () => {
  const cases = readdirSync(`${SHARED_MODELS}cases`).map(readRequestCase);
  const joined = [...cases, ...exportCases().map(readExportCase)];
  let root: string;
  let server: AppServer;
  let models: ReadonlyMap<string, Model>;

  beforeAll(async () => {
    root = linkSharedModels();
    server = await startAppServer(root);
    models = new Map(server.app.models().map((model) => [model.modelName, model]));
  });

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

  describeServed(cases, joined, () => ({ url: server.url, models: models.values() }));

  it("GetModel names the repairs", () => {
    const kinds = models.get("overridable_initializer")!.repairs.map(({ kind }) => kind);
    expect(kinds).toContain("default_input_opened");
  });
});
