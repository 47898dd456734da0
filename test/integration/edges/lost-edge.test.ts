import { BroadcastChannel } from "node:worker_threads";
import { afterEach, expect, test } from "vitest";
import { liveThreadCount } from "../../../src/pool/session-thread.ts";
import { writeModels } from "../../support/models/hanging-models.ts";
import { type AppServer, startAppServer } from "../../support/servers/app-server.ts";
import { type Caller, callersOf } from "./keep-alive-callers.ts";

const ENTRY = new URL("../../workers/commanded-edge.ts", import.meta.url);
const CONNECTIONS = 40;
let server: AppServer;
let callers: Caller[];

afterEach(async () => {
  for (const caller of callers) caller.close();
  await server.app.close();
  await expect.poll(liveThreadCount, { timeout: 15_000 }).toBe(0);
});

function endFurtherEdges(): void {
  const channel = new BroadcastChannel("assay test edge commands");
  channel.postMessage("end");
  channel.close();
}

test("an edge that ends takes its connections with it alone, is started again and serves on", async () => {
  const told: string[] = [];
  const tell = (_fields: object, message: string) => void told.push(message);
  const log = { debug() {}, info: tell, warn: tell, error: tell, isLevelEnabled: () => false };
  server = await startAppServer(
    writeModels({}).folder,
    { edges: "2", "max-connections": "60", "max-connections-per-peer": "60", "log-level": "silent" },
    { edgeEntry: ENTRY, log },
  );
  callers = callersOf(server.url, CONNECTIONS);
  const askAll = () =>
    Promise.allSettled(callers.map((one) => one.ask("/predict/affine", { features: [1, 2] })));
  const isAnswered = (one: Awaited<ReturnType<typeof askAll>>[number]) =>
    one.status === "fulfilled" && one.value.status === 200;
  expect((await askAll()).filter(isAnswered)).toHaveLength(CONNECTIONS);
  endFurtherEdges();
  await expect.poll(() => told.join("\n"), { timeout: 10_000 }).toContain("an edge has ended");
  await expect.poll(() => told.join("\n"), { timeout: 20_000 }).toContain("the edge is back");
  // Those of the first edge are whole; the others are connected anew.
  for (let round = 0; round < 2; round++) await askAll();
  expect((await askAll()).filter(isAnswered)).toHaveLength(CONNECTIONS);
  for (const caller of callers) {
    const { body } = await caller.ask("/v2/models/affine/stats");
    expect(body).toMatchObject({ model_stats: [{ name: "affine" }] });
    expect((await caller.ask("/readyz")).status).toBe(200);
  }
  // What the lost connections had counted is not counted any more.
  const more = callersOf(server.url, 20);
  callers.push(...more);
  for (const caller of more) expect((await caller.ask("/livez")).status).toBe(200);
});
