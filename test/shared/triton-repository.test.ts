import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ModelState } from "../../gen/assay/v1/model_service_pb.ts";
import { startAppServer } from "../support/servers/app-server.ts";
import { SHARED_MODELS } from "./shared-models.ts";

test("the repository of Triton's own examples is served as its config.pbtxt files say", async () => {
  const root = join(SHARED_MODELS, "triton");
  const names = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const server = await startAppServer(root);
  try {
    const models = server.app.models();
    expect(models.map(({ modelName }) => modelName)).toEqual(names.map(({ name }) => name).sort());
    for (const { state, inputs, outputs, config } of models) {
      expect(state).toBe(ModelState.READY);
      expect([...inputs, ...outputs].map(({ shape }) => shape)).toEqual(Array(4).fill([-1n, 16n]));
      expect(config?.maxBatchSize).toBe(8);
    }
  } finally {
    await server.app.close();
  }
});
