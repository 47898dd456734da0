import { setTimeout as delay } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { expect, onTestFinished, test } from "vitest";
import { loadScoringClient, predict } from "../../support/clients/grpc-js-client.ts";
import { serveModels } from "../../support/servers/model-server.ts";

const STOPPED_MS = 20_000;

async function stopAndGoOn(isolation: string): Promise<void> {
  const server = await serveModels({}, "--isolation", isolation, "--run-timeout-ms", "2000");
  const client = loadScoringClient(`127.0.0.1:${server.port}`);
  onTestFinished(() => client.close());
  const call = (timeoutMs: number) =>
    predict(client, { model_name: "affine", features: [1, 2] }, { deadline: Date.now() + timeoutMs });
  let isStopped = false;
  let isOver = false;
  const codes = new Set<number>();
  /** Some have a run in flight when the server is stopped. */
  const callers = Array.from({ length: 16 }, async () => {
    while (!isOver) {
      const wasStopped = isStopped;
      await call(wasStopped ? 2000 : 60_000).catch(({ code }: { code: number }) => codes.add(code));
      if (wasStopped) await delay(500);
    }
  });
  for (let i = 0; i < 100; i++) await call(10_000);
  process.kill(server.processId, "SIGSTOP");
  isStopped = true;
  const late = call(2000).catch(({ code }: { code: number }) => code);
  await delay(STOPPED_MS);
  process.kill(server.processId, "SIGCONT");
  isStopped = false;
  expect(await late).toBe(status.DEADLINE_EXCEEDED);
  expect(await call(10_000)).toMatchObject({ model_name: "affine" });
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  await delay(3000);
  isOver = true;
  await Promise.all(callers);
  expect([...codes].filter((code) => code !== status.DEADLINE_EXCEEDED)).toEqual([]);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toMatch(/^assay_instance_restarts_total\{model="affine".*\} 0$/m);
  expect(metrics).toMatch(/^assay_limit_hits_total\{limit="run-timeout-ms"\} 0$/m);
  expect(await server.terminate()).toBe(0);
}

test("servers that were stopped for 20 s go on: calls past their deadlines end so, the others are answered, and no worker counts as hung", async () => {
  // At once: a server that is stopped takes no core.
  await Promise.all(["thread", "process"].map(stopAndGoOn));
}, 90_000);
