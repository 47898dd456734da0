import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { status } from "@grpc/grpc-js";
import { afterAll, expect, test } from "vitest";
import { ModelService, ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import { loadScoringClient, predict } from "../../support/clients/grpc-js-client.ts";
import { fileServer } from "../../support/servers/tested-servers.ts";
import { COMMANDED_WORKER_URL, commandWorkers } from "../../support/servers/worker-commands.ts";

const server = await fileServer("models", {}, { workerUrl: COMMANDED_WORKER_URL });
const client = loadScoringClient(server.address);
afterAll(() => client.close());

const iris = { model_name: "iris", features: [5.1, 3.5, 1.4, 0.2] };

test("a worker killed under 64 callers fails only what it held, with a reason, and comes back", async () => {
  const failures: { code: number; details: string }[] = [];
  let answered = 0;
  const callers = Array.from({ length: 64 }, async () => {
    for (let call = 0; call < 50; call++) {
      await predict(client, iris).then(
        (response) => expect(response).toMatchObject({ labels: ["setosa"] }),
        (error: { code: number; details: string }) => failures.push(error),
      );
      if (++answered === 1600) commandWorkers({ kind: "exit" });
    }
  });
  await Promise.all(callers);
  expect(answered).toBe(3200);
  expect(failures.length).toBeGreaterThan(0);
  expect(failures.length).toBeLessThanOrEqual(64);
  for (const failure of failures) {
    expect(failure.code).toBe(status.UNAVAILABLE);
    expect(failure.details).toMatch(/worker/);
  }
  expect(await predict(client, iris)).toMatchObject({ labels: ["setosa"] });
  const models = createClient(
    ModelService,
    createConnectTransport({ baseUrl: server.url, httpVersion: "1.1" }),
  );
  expect((await models.getModel({ modelName: "iris" })).model?.state).toBe(ModelState.READY);
});
