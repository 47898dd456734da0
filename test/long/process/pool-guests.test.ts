import { MessageChannel, type MessagePort } from "node:worker_threads";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { createBatcher } from "../../../src/batcher/create-batcher.ts";
import type { PoolOptions } from "../../../src/pool/create-pool.ts";
import { createGuestPool } from "../../../src/pool/guests/guest-pool.ts";
import { liveThreadCount } from "../../../src/pool/session-thread.ts";
import { SharedThreads } from "../../../src/pool/shared-threads.ts";
import { affineModel } from "../../support/models/onnx-model.ts";
import {
  affineAnswer,
  affineEntry,
  type Core,
  score,
  startCore,
} from "../../support/servers/scoring-core.ts";
import { silentLog } from "../../support/servers/silent-log.ts";
import { COMMANDED_SHARED_URL, commandWorkers } from "../../support/servers/worker-commands.ts";

const RUN_TIMEOUT_MS = 1_000;
/** On a crowded machine. */
const SOON = { timeout: 15_000 };
/** A guest of another core's pool, in this thread, with a batcher of its own. */
interface GuestCore extends Core {
  readonly port: MessagePort;
}

/** Makes a guest of `host`, whose pool takes guests and serves `affineModel`. */
function startGuest(host: Core): GuestCore {
  const { port1, port2 } = new MessageChannel();
  host.pool.admit!(port1);
  const { modelName, signature } = affineModel();
  const pool = createGuestPool({
    port: port2,
    plan: {
      inputNames: signature.inputs.map(({ name }) => name),
      outputNames: signature.outputs.map(({ name }) => name),
      maxInputBytes: 2 ** 20,
    },
    runTimeoutMs: RUN_TIMEOUT_MS,
  });
  const { batching } = signature;
  const batcher = createBatcher({ pool, modelName, batching, log: silentLog, maxBatchSize: 8_192 });
  return {
    pool,
    batcher,
    port: port2,
    async close() {
      await batcher.close();
      await pool.close();
    },
  };
}

let host: Core;
let guests: GuestCore[];

async function start(pool: Partial<PoolOptions> = {}): Promise<void> {
  host = await startCore({
    pool: { takesGuests: true, workerUrl: COMMANDED_SHARED_URL, runTimeoutMs: RUN_TIMEOUT_MS, ...pool },
  });
  guests = [1, 2].map(() => startGuest(host));
}

beforeEach(() => start());
afterEach(async () => {
  await Promise.all([...guests, host].map((core) => core.close()));
  await expect.poll(liveThreadCount, SOON).toBe(0);
});

const all = (): Core[] => [host, ...guests];

/** Many calls of every core at once. */
async function askAll(): Promise<void> {
  for (let call = 0; call < 20; call++) {
    const asked = all().map((core, place) => score(core, { first: 100 * place + call, rowCount: 3 }));
    const expected = all().map((_, place) => affineAnswer({ first: 100 * place + call, rowCount: 3 }));
    expect(await Promise.all(asked)).toEqual(expected);
  }
}

test("a pool and its guests are answered by one session, and large rows of a guest too", async () => {
  expect(liveThreadCount()).toBe(1);
  await askAll();
  const large = { rowCount: 8_192 };
  expect(await score(guests[0]!, large)).toEqual(affineAnswer(large));
  expect(liveThreadCount()).toBe(1);
  expect(guests[0]!.pool.instances).toEqual(host.pool.instances);
  expect(guests[0]!.pool.liveCount).toBe(1);
});

test("a worker that ends fails what it held of each, and all go on with the next", async () => {
  commandWorkers({ kind: "throw" });
  const asked = all().map((core) => score(core));
  const settled = await Promise.allSettled(asked);
  const failed = settled.filter((one) => one.status === "rejected");
  expect(failed.length).toBeGreaterThan(0);
  for (const { reason } of failed) expect(reason).toMatchObject({ reason: Reason.INSTANCE_LOST });
  await expect.poll(() => guests.map(({ pool }) => pool.liveCount), SOON).toEqual([1, 1]);
  await askAll();
  for (const { pool } of all()) {
    expect(pool.instances).toMatchObject([{ restarts: 1 }]);
    expect(pool.instances[0]?.lastError).toMatch(/thrown by a test/);
  }
});

test("a guest's run that hangs is given up alone: the host and the other guest are answered by the next worker", async () => {
  commandWorkers({ kind: "hang-in-native-code", ms: 3_000 });
  const hung = score(guests[0]!);
  hung.catch(() => {});
  await expect.poll(() => guests[0]!.pool.idleCount, SOON).toBe(0);
  const waiting = [score(host, { first: 3 }), score(guests[1]!, { first: 4 })];
  await expect(hung).rejects.toMatchObject({ reason: Reason.RUN_TIMEOUT });
  expect(await Promise.all(waiting)).toEqual([affineAnswer({ first: 3 }), affineAnswer({ first: 4 })]);
  await askAll();
  expect(host.pool.instances).toMatchObject([{ restarts: 1 }]);
});

test("the host's run that hangs is given up alone: its guests are answered by the next worker", async () => {
  commandWorkers({ kind: "hang-in-native-code", ms: 3_000 });
  const hung = score(host);
  hung.catch(() => {});
  await expect.poll(() => host.pool.idleCount, SOON).toBe(0);
  const waiting = guests.map((core, first) => score(core, { first }));
  await expect(hung).rejects.toMatchObject({ reason: Reason.RUN_TIMEOUT });
  expect(await Promise.all(waiting)).toEqual([affineAnswer({ first: 0 }), affineAnswer({ first: 1 })]);
  await askAll();
});

test("a guest that ends without a word leaves nothing behind, and one that comes later finds the session", async () => {
  const late = guests.pop()!;
  const lost = affineEntry();
  late.batcher.enqueue(lost);
  late.port.close();
  guests.push(startGuest(host));
  await askAll();
});

test("a pool that closes lets its guests answer what they hold", async () => {
  commandWorkers({ kind: "pause", ms: 300 });
  const waiting = guests.map((core, first) => score(core, { first }));
  await expect.poll(() => guests.map(({ pool }) => pool.idleCount), SOON).toEqual([0, 0]);
  const closed = host.close();
  expect(await Promise.all(waiting)).toEqual([affineAnswer({ first: 0 }), affineAnswer({ first: 1 })]);
  await Promise.all(guests.map((core) => core.close()));
  await closed;
});

test("a model whose runs are a guest's and long gets a thread of its own, and loses no call", async () => {
  await Promise.all(all().map((core) => core.close()));
  const sharedThreads = new SharedThreads(silentLog, {
    sharedUrl: COMMANDED_SHARED_URL,
    holdCheckMs: 60_000,
  });
  await start({ sharedThreads });
  for (let i = 0; i < 2; i++) {
    commandWorkers({ kind: "compute", ms: 30 });
    expect(await score(guests[0]!, { first: i })).toEqual(affineAnswer({ first: i }));
  }
  await askAll();
  await expect.poll(liveThreadCount, SOON).toBe(1);
  await askAll();
  expect(host.pool.instances).toMatchObject([{ state: "idle", restarts: 0 }]);
});

test("what holds up a shared thread is a guest's run: the other models are moved, with the rows of their guests", async () => {
  await Promise.all(all().map((core) => core.close()));
  const sharedThreads = new SharedThreads(silentLog, { sharedUrl: COMMANDED_SHARED_URL, holdCheckMs: 100 });
  await start({ sharedThreads });
  const other = await startCore({ pool: { takesGuests: true, sharedThreads } });
  const guestOfOther = startGuest(other);
  commandWorkers({ kind: "pause", ms: 2_000 });
  const slow = score(guests[0]!, { first: 9 });
  slow.catch(() => {});
  expect(await score(guestOfOther, { first: 7 })).toEqual(affineAnswer({ first: 7 }));
  expect(await score(other, { first: 8 })).toEqual(affineAnswer({ first: 8 }));
  await expect(slow).rejects.toMatchObject({ reason: Reason.RUN_TIMEOUT });
  await guestOfOther.close();
  await other.close();
});
