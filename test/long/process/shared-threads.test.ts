import { afterEach, expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { liveThreadCount } from "../../../src/pool/session-thread.ts";
import { SharedThreads } from "../../../src/pool/shared-threads.ts";
import { affineAnswer, type Core, score, startCore } from "../../support/servers/scoring-core.ts";
import { silentLog } from "../../support/servers/silent-log.ts";
import { COMMANDED_SHARED_URL, commandWorkers } from "../../support/servers/worker-commands.ts";

const MODELS = 20;
let cores: Core[];

async function startModels(holdCheckMs: number): Promise<void> {
  const sharedThreads = new SharedThreads(silentLog, { sharedUrl: COMMANDED_SHARED_URL, holdCheckMs });
  cores = await Promise.all(
    Array.from({ length: MODELS }, () => startCore({ pool: { sharedThreads, runTimeoutMs: 3_000 } })),
  );
}

/** How often it is looked where no run is to be found: a crowded machine may hold up any. */
const NEVER_MS = 60_000;
const SOON_MS = 100;

afterEach(async () => {
  await Promise.all(cores.map((core) => core.close()));
  await expect.poll(liveThreadCount, { timeout: 10_000 }).toBe(0);
});

const others = () => cores.slice(1);
const askAll = (asked: readonly Core[]) =>
  Promise.all(asked.map((core, first) => score(core, { first, rowCount: 3 })));
const answers = (asked: readonly Core[]) => asked.map((_, first) => affineAnswer({ first, rowCount: 3 }));

test("twenty models answer from one thread, which ends with the last of them", async () => {
  await startModels(NEVER_MS);
  expect(liveThreadCount()).toBe(1);
  expect(await askAll(cores)).toEqual(answers(cores));
  await Promise.all(others().map((core) => core.close()));
  expect(await score(cores[0]!, { first: 5 })).toEqual(affineAnswer({ first: 5 }));
  await cores[0]!.close();
  await expect.poll(liveThreadCount).toBe(0);
});

test("a thread that thirty-two sessions left takes no more, and ends with the last one in it", async () => {
  const sharedThreads = new SharedThreads(silentLog, { holdCheckMs: NEVER_MS });
  const start = () => startCore({ pool: { sharedThreads } });
  const stays = await start();
  cores = [stays];
  for (let left = 0; left < 32; left++) {
    expect(liveThreadCount()).toBe(1);
    await (await start()).close();
  }
  cores.push(await start());
  expect(liveThreadCount()).toBe(2);
  await stays.close();
  await expect.poll(liveThreadCount, { timeout: 10_000 }).toBe(1);
  expect(await score(cores[1]!, { first: 5 })).toEqual(affineAnswer({ first: 5 }));
});

test("a model whose runs are long gets a thread of its own and answers meanwhile", async () => {
  await startModels(NEVER_MS);
  const [slow] = cores;
  for (let i = 0; i < 2; i++) {
    commandWorkers({ kind: "compute", ms: 30 });
    expect(await score(slow!, { first: i })).toEqual(affineAnswer({ first: i }));
  }
  expect(liveThreadCount()).toBe(2);
  const [other] = others();
  const order = async () => {
    commandWorkers({ kind: "pause", ms: 50 });
    const ended: string[] = [];
    const paused = score(other!).then(() => ended.push("paused"));
    await Promise.all([paused, score(slow!).then(() => ended.push("slow"))]);
    return ended;
  };
  await expect.poll(order, { timeout: 10_000 }).toEqual(["slow", "paused"]);
  expect(slow!.pool.instances).toMatchObject([{ state: "idle", restarts: 0 }]);
  expect(await askAll(cores)).toEqual(answers(cores));
});

test("a run that holds the thread has it for itself: the others are moved and answer before it does, and nothing is lost", async () => {
  await startModels(SOON_MS);
  commandWorkers({ kind: "pause", ms: 2_500 });
  let isOver = false;
  const slow = score(cores[0]!, { first: 9 }).finally(() => {
    isOver = true;
  });
  expect(await askAll(others())).toEqual(answers(others()));
  expect(isOver).toBe(false);
  expect(await slow).toEqual(affineAnswer({ first: 9 }));
  for (const { pool } of cores) expect(pool.instances).toMatchObject([{ state: "idle", restarts: 0 }]);
});

test("a run that hangs is given up alone, and a process takes its place", async () => {
  await startModels(SOON_MS);
  commandWorkers({ kind: "hang-in-native-code", ms: 5_000 });
  const hung = score(cores[0]!);
  hung.catch(() => {});
  expect(await askAll(others())).toEqual(answers(others()));
  await expect(hung).rejects.toMatchObject({ reason: Reason.RUN_TIMEOUT });
  expect(await askAll(cores)).toEqual(answers(cores));
});

test("a run that ends the thread is lost alone: all models come back, and it has a thread of its own", async () => {
  await startModels(NEVER_MS);
  commandWorkers({ kind: "throw" });
  const lost = score(cores[0]!);
  lost.catch(() => {});
  expect(await askAll(others())).toEqual(answers(others()));
  await expect(lost).rejects.toMatchObject({ reason: Reason.INSTANCE_LOST });
  expect(await askAll(cores)).toEqual(answers(cores));
  expect(liveThreadCount()).toBe(2);
  expect(cores[0]!.pool.instances).toMatchObject([{ restarts: 1 }]);
  expect(cores[0]!.pool.instances[0]?.lastError).toMatch(/thrown by a test/);
});
