import { expect, test } from "vitest";
import { endlessModel, loopingModel } from "../../support/models/hanging-models.ts";
import { serveModels } from "../../support/servers/model-server.ts";

async function hitsOf(url: string, limit: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^assay_limit_hits_total\\{limit="${limit}"\\} (\\d+)$`, "m").exec(text)![1]);
}

test("a run that hangs in a process fails what it held, another model answers on, and the next call works", async () => {
  const server = await serveModels(
    { looping: loopingModel() },
    ...["--isolation", "process", "--run-timeout-ms", "500"],
  );
  const hung = server.predict("looping", [1e15, 0]);
  expect(await server.predict("affine", [1, 2])).toMatchObject({ status: 200 });
  expect(await hung).toMatchObject({ status: 504, body: { reason: "RUN_TIMEOUT" } });
  expect(await hitsOf(server.url, "run-timeout-ms")).toBe(1);
  await expect
    .poll(async () => (await server.predict("looping", [1, 2])).status, { timeout: 20_000 })
    .toBe(200);
  expect(await server.terminate()).toBe(0);
});

test("a model that does not answer its first run in time is FAILED, counted, and the others serve", async () => {
  const server = await serveModels(
    { endless: endlessModel() },
    ...["--isolation", "process", "--load-timeout-ms", "1500"],
  );
  const ready = (await (await fetch(`${server.url}/readyz`)).json()) as { not_serving: unknown[] };
  expect(ready.not_serving).toMatchObject([
    { model_name: "endless", state: "FAILED", reason: expect.stringContaining("load time-out of 1500 ms") },
  ]);
  expect(await hitsOf(server.url, "load-timeout-ms")).toBe(1);
  expect(await server.predict("affine", [1, 2])).toMatchObject({ status: 200 });
});
