import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import type { Worker } from "node:worker_threads";
import { afterEach, expect, test } from "vitest";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../../src/errors.ts";
import {
  affineAnswer,
  affineEntry,
  type Core,
  score,
  startCore,
} from "../../support/servers/scoring-core.ts";
import {
  COMMANDED_WORKER_URL,
  commandWorkers,
  type WorkerCommand,
} from "../../support/servers/worker-commands.ts";

let core: Core;
afterEach(() => core.close());

/** 64 callers, a hundred calls each; a command halfway. */
async function callersUnder(command: WorkerCommand): Promise<AssayError[]> {
  const errors: AssayError[] = [];
  let answered = 0;
  const callers = Array.from({ length: 64 }, async (_, caller) => {
    for (let call = 0; call < 100; call++) {
      const first = caller * 1000 + call;
      try {
        expect(await score(core, { first })).toEqual(affineAnswer({ first }));
      } catch (error) {
        if (!(error instanceof AssayError)) throw error;
        errors.push(error);
      }
      if (++answered === 3200) commandWorkers(command);
    }
  });
  await Promise.all(callers);
  return errors;
}

for (const kind of ["exit", "throw"] as const) {
  test(`a worker that ends by ${kind} under 64 callers fails only what it held and comes back`, async () => {
    core = await startCore({ pool: { workerUrl: COMMANDED_WORKER_URL } });
    const errors = await callersUnder({ kind });
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.length).toBeLessThanOrEqual(64);
    for (const error of errors) expect(error.reason).toBe(Reason.INSTANCE_LOST);
    expect(core.pool.instances).toMatchObject([{ device: "cpu:0", state: "idle", restarts: 1 }]);
    expect(core.pool.instances[0]?.lastError).toMatch(kind === "exit" ? /code 7/ : /thrown by a test/);
  });
}

test("the other instances go on while one is replaced", async () => {
  core = await startCore({ instances: 2, pool: { workerUrl: COMMANDED_WORKER_URL } });
  const errors = await callersUnder({ kind: "exit", device: "cpu:1" });
  for (const error of errors) expect(error.reason).toBe(Reason.INSTANCE_LOST);
  expect(core.pool.instances[0]).toMatchObject({ device: "cpu:0", restarts: 0 });
});

test("availability is told when the only instance goes and when it is back", async () => {
  core = await startCore({ pool: { workerUrl: COMMANDED_WORKER_URL } });
  const told: boolean[] = [];
  core.pool.onAvailability = (available) => told.push(available);
  commandWorkers({ kind: "exit" });
  await expect(score(core)).rejects.toMatchObject({ reason: Reason.INSTANCE_LOST });
  expect(await score(core, { first: 3 })).toEqual(affineAnswer({ first: 3 }));
  expect(told).toEqual([false, true]);
});

test("a run that takes too long is given up with RUN_TIMEOUT and its instance is replaced", async () => {
  core = await startCore({ pool: { workerUrl: COMMANDED_WORKER_URL, runTimeoutMs: 300 } });
  commandWorkers({ kind: "hang-in-native-code", ms: 2_000 });
  await expect(score(core)).rejects.toMatchObject({ reason: Reason.RUN_TIMEOUT });
  expect(await score(core, { first: 3 })).toEqual(affineAnswer({ first: 3 }));
});

test("a run that hangs in native code costs its thread, and a process takes its place before it ends", async () => {
  core = await startCore({ pool: { workerUrl: COMMANDED_WORKER_URL, runTimeoutMs: 200 } });
  const startedAt = performance.now();
  commandWorkers({ kind: "hang-in-native-code", ms: 6_000 });
  await expect(score(core)).rejects.toMatchObject({ reason: Reason.RUN_TIMEOUT });
  expect(await score(core, { first: 3 })).toEqual(affineAnswer({ first: 3 }));
  expect(performance.now() - startedAt).toBeLessThan(6_000);
  expect(core.pool.instances).toMatchObject([{ state: "idle", restarts: 1 }]);
});

test("where only threads are allowed, an instance whose threads hang is given up until one of them ends", async () => {
  core = await startCore({
    pool: { workerUrl: COMMANDED_WORKER_URL, runTimeoutMs: 100, isolation: "thread" },
  });
  for (let hang = 0; hang < 3; hang++) {
    // A call that is answered shows that the replacement is up and hears commands.
    if (hang > 0) await score(core);
    commandWorkers({ kind: "hang-in-native-code", ms: 5_000 });
    await expect(score(core)).rejects.toMatchObject({ reason: Reason.RUN_TIMEOUT });
  }
  const back = new Promise<void>((resolve) => {
    core.pool.onAvailability = (available) => available && resolve();
  });
  expect(core.pool.instances).toMatchObject([
    { state: "failed", lastError: "3 threads hang in native code" },
  ]);
  await expect(score(core)).rejects.toMatchObject({
    reason: Reason.MODEL_NOT_READY,
    message: expect.stringContaining("3 threads hang"),
  });
  await back;
  expect(await score(core, { first: 3 })).toEqual(affineAnswer({ first: 3 }));
});

test("a pool that was closed leaves no thread behind", async () => {
  const workers: Worker[] = [];
  const onWorker = (message: unknown): void => {
    workers.push((message as { worker: Worker }).worker);
  };
  subscribe("worker_threads", onWorker);
  core = await startCore({ instances: 2, pool: { workerUrl: COMMANDED_WORKER_URL } });
  commandWorkers({ kind: "exit", device: "cpu:0" });
  await expect(score(core)).rejects.toMatchObject({ reason: Reason.INSTANCE_LOST });
  await score(core);
  const ended = Promise.all(workers.map((worker) => worker.threadId === -1 || once(worker, "exit")));
  await core.close();
  await ended;
  unsubscribe("worker_threads", onWorker);
  expect(workers.length).toBeGreaterThanOrEqual(2);
  expect(workers.map((worker) => worker.threadId)).toEqual(workers.map(() => -1));
  const entry = affineEntry();
  core.batcher.enqueue(entry);
  await expect(entry.answer).rejects.toMatchObject({ reason: Reason.SHUTTING_DOWN });
});
