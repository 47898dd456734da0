import { setTimeout as elapsed } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { expect, onTestFinished, test } from "vitest";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { startCommand, startServe } from "../../support/clients/command-process.ts";

async function serve(...flags: string[]) {
  const server = await startServe(flags);
  onTestFinished(() => server.end());
  return { ...server, server: server.child, url: `http://127.0.0.1:${server.port}` };
}

test("SIGTERM answers what a stream has sent, ends it UNAVAILABLE, and exits with 0", async () => {
  const { server, url, ended } = await serve();
  const client = createClient(ScoringService, createGrpcTransport({ baseUrl: url }));
  const answered: bigint[] = [];
  let sendMore = () => {};
  const signalled = new Promise<void>((resolve) => {
    sendMore = resolve;
  });
  async function* items() {
    for (let item = 0n; item < 20n; item++) {
      yield { itemId: item, request: { modelName: "iris", features: [5.1, 3.5, 1.4, 0.2] } };
    }
    await signalled;
  }
  const failure = await (async () => {
    for await (const answer of client.predictStream(items())) {
      answered.push(answer.itemId);
      if (answered.length === 20) server.kill("SIGTERM");
    }
  })().catch((error: unknown) => error);
  sendMore();
  expect(String(failure)).toMatch(/unavailable.*shutting down/);
  expect(answered).toHaveLength(20);
  expect(await ended).toEqual([0, null]);
});

test("Ctrl-C ends an idle server with 0", async () => {
  const { server, ended } = await serve();
  server.kill("SIGINT");
  expect(await ended).toEqual([0, null]);
});

test("what arrives within a second is one signal; a later one ends at once, whatever the grace", async () => {
  const { server, ended, finds } = await serve("--drain-grace-ms", "600000");
  const before = performance.now();
  const repeat = setInterval(() => server.kill("SIGINT"), 20);
  await finds(/ending at once/, "stderr");
  clearInterval(repeat);
  expect(performance.now() - before).toBeGreaterThan(1000);
  // A signal in the last moments ends the process by its own name, which a shell tells as the same 130.
  expect([130, "SIGINT"]).toContain((await ended).find((part) => part !== null));
});

test("one signal more than a second after the first ends a server at once that has nothing else to do", async () => {
  const { server, ended, finds } = await serve("--drain-grace-ms", "600000");
  server.kill("SIGTERM");
  await finds(/"draining/, "stderr");
  await elapsed(1200);
  server.kill("SIGTERM");
  expect(await ended).toEqual([130, null]);
});

test("a signal while models load ends with 0, before any is announced", async () => {
  const server = startCommand(["serve", "--models", "models", "--port", "0", "--devices", "cpu"]);
  onTestFinished(() => server.end());
  await server.finds(/listening/, "stderr");
  server.child.kill("SIGTERM");
  expect(await server.ended).toEqual([0, null]);
  expect(server.printed.stdout).toBe("");
});

test("SIGHUP, SIGUSR1 and SIGUSR2 without a terminal end no call and open no debugger", async () => {
  const { server, url, ended, finds, printed } = await serve();
  server.kill("SIGHUP");
  await finds(/"signal":"SIGHUP"/, "stderr");
  server.kill("SIGUSR1");
  server.kill("SIGUSR2");
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
  server.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
  expect(printed.stderr).not.toMatch(/debugger/i);
});
