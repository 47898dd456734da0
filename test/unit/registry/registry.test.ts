import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ModelSchema, ModelState } from "../../../gen/assay/v1/model_service_pb.ts";
import { PredictRequestSchema, type PredictResponse } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { Batcher } from "../../../src/batcher/batcher.ts";
import { createBatcher } from "../../../src/batcher/create-batcher.ts";
import type { Pool } from "../../../src/pool/pool.ts";
import { ANONYMOUS } from "../../../src/registry/caller.ts";
import { Registry } from "../../../src/registry/registry.ts";
import type { Generation } from "../../../src/registry/served-model.ts";
import { createCall } from "../../../src/service/call.ts";
import type { ScoringService } from "../../../src/service/scoring.ts";
import { createScoringService } from "../../../src/service/scoring-service.ts";
import { affineModel, onnxModel, type TestModel } from "../../support/models/onnx-model.ts";
import { createServedModel } from "../../support/models/served-model.ts";
import { createFakePool, type FakePool } from "../../support/servers/fake-pool.ts";
import { startCore, turn } from "../../support/servers/scoring-core.ts";
import { silentLog } from "../../support/servers/silent-log.ts";

const LIMITS = { streamWindowRows: 4096, streamWindowBytes: 1_000_000, callTimeoutMs: 60_000 };

let registry: Registry;
let scoring: ScoringService;
beforeEach(() => {
  registry = new Registry({ log: silentLog });
  scoring = createScoringService(registry.table, LIMITS);
});
afterEach(() => registry.close());

/** A generation that remembers whether it was closed. */
interface TestGeneration extends Generation {
  closes: number;
}

function generation(model: TestModel, modelVersion: string, pool: Pool, batcher: Batcher): TestGeneration {
  const { modelName, signature } = model;
  const served = createServedModel({
    modelName,
    modelVersion,
    signature,
    batcher,
    state: () => ModelState.READY,
    changedFiles: () => [],
    describe: () => create(ModelSchema, { modelName, modelVersion }),
  });
  return {
    ...served,
    closes: 0,
    drain: () => batcher.drain(),
    async close() {
      this.closes++;
      await Promise.all([batcher.close(), pool.close()]);
    },
  };
}

function held(modelVersion = "1"): { readonly generation: TestGeneration; readonly pool: FakePool } {
  const pool = createFakePool();
  const model = affineModel(1);
  const batcher = createBatcher({
    pool,
    modelName: "affine",
    batching: "across-requests",
    maxBatchSize: 1,
    log: silentLog,
  });
  return { generation: generation(model, modelVersion, pool, batcher), pool };
}

function predict(value: number, modelVersion = ""): Promise<PredictResponse> {
  const rawContents = new Uint8Array(Float32Array.of(value).buffer);
  const inputs = [{ name: "x", datatype: "FP32", shape: [1n, 1n], rawContents }];
  const request = create(PredictRequestSchema, { modelName: "affine", modelVersion, inputs });
  return scoring.predict(
    request,
    createCall({ deadlineAt: Infinity, lane: "interactive", protocol: "grpc" }),
  );
}

const numberIn = ({ outputs }: PredictResponse) =>
  new Float32Array(outputs[0]!.rawContents.slice().buffer)[0];

test("a generation that is replaced answers what it holds, queued rows too, and closes then; new calls go to the other", async () => {
  const [old, next] = [held(), held()];
  registry.add(old.generation);
  const before = [predict(1), predict(2)];
  await turn();
  expect(old.pool.held.map(({ rows }) => rows)).toEqual([[1]]);
  registry.add(next.generation);
  const after = predict(3);
  await turn();
  expect(next.pool.held.map(({ rows }) => rows)).toEqual([[3]]);
  expect(old.generation.closes).toBe(0);
  old.pool.held[0]!.succeed();
  old.pool.held[0]!.succeed();
  next.pool.held[0]!.succeed();
  expect((await Promise.all([...before, after])).map(numberIn)).toEqual([3, 5, 7]);
  await turn();
  expect([old.generation.closes, next.generation.closes]).toEqual([1, 0]);
});

test("a generation that is taken out gets no more calls, and is closed once what it holds is answered", async () => {
  const { generation: one, pool } = held("2");
  registry.add(held("1").generation);
  registry.add(one);
  const answer = predict(1);
  await turn();
  const removed = registry.remove(one);
  expect(registry.remove(one)).toBe(removed);
  expect(registry.table.resolve("affine", "", ANONYMOUS).modelVersion).toBe("1");
  await expect(predict(2, "2")).rejects.toThrow('no version "2"; it has 1');
  pool.held[0]!.succeed();
  expect((await answer).modelVersion).toBe("2");
  await removed;
  expect(one.closes).toBe(1);
});

test("what was replaced cannot take out what replaced it", async () => {
  const [old, next] = [held(), held()];
  registry.add(old.generation);
  registry.add(next.generation);
  await registry.remove(old.generation);
  expect(registry.table.resolve("affine", "1", ANONYMOUS)).toBe(next.generation);
});

test("closing ends what leaves and what serves, and what comes too late is closed as it comes", async () => {
  const [old, next, late] = [held(), held(), held()];
  registry.add(old.generation);
  const running = predict(1);
  const waiting = predict(2);
  waiting.catch(() => {});
  registry.add(next.generation);
  const closed = registry.close();
  old.pool.held[0]!.succeed();
  await closed;
  expect(numberIn(await running)).toBe(3);
  await expect(waiting).rejects.toThrow("takes no more requests");
  registry.add(late.generation);
  await turn();
  await turn();
  expect(next.generation.closes).toBe(1);
  expect(late.generation.closes).toBe(1);
  expect(registry.table.resolve("affine", "", ANONYMOUS)).toBe(next.generation);
});

test("a version that serves goes on serving while it is loaded anew, and where that fails, which is told", () => {
  const one = held();
  registry.add(one.generation);
  const version = { modelName: "affine", modelVersion: "1" };
  registry.expect([version]);
  expect(registry.table.resolve("affine", "", ANONYMOUS)).toBe(one.generation);
  registry.refuse({ ...version, reason: "half a file" });
  expect(registry.table.resolve("affine", "", ANONYMOUS)).toBe(one.generation);
  expect(one.generation.updateFailure).toBe("half a file");
});

test("callers beside real workers that are replaced eight times all get the answer of one generation", async () => {
  const negated = onnxModel("affine", {
    inputs: [{ name: "x", datatype: "FP32", shape: [-1, 1] }],
    outputs: [{ name: "y", datatype: "FP32", shape: [-1, 1] }],
    nodes: [{ op: "Neg", inputs: ["x"], outputs: ["y"] }],
  });
  const made: TestGeneration[] = [];
  const start = async (model: TestModel): Promise<void> => {
    const { pool, batcher } = await startCore({ model });
    made.push(generation(model, "1", pool, batcher));
    registry.add(made.at(-1)!);
  };
  await start(affineModel(1));
  let isOver = false;
  let answers = 0;
  const call = async (value: number): Promise<void> => {
    while (!isOver) {
      expect([2 * value + 1, -value]).toContain(numberIn(await predict(value)));
      answers++;
    }
  };
  const callers = Array.from({ length: 20 }, (_, index) => call(index + 1));
  for (let round = 0; round < 8; round++) await start(round % 2 === 0 ? negated : affineModel(1));
  isOver = true;
  await Promise.all(callers);
  expect(answers).toBeGreaterThan(20);
  await registry.close();
  expect(made.map(({ closes }) => closes > 0)).not.toContain(false);
});
