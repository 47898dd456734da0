import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { ModelState } from "../../../../gen/assay/v1/model_service_pb.ts";
import {
  PredictRequestSchema,
  type PredictStreamRequest,
  PredictStreamRequestSchema,
  StreamOptions_Lane,
} from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { type Batcher, NOT_YET } from "../../../../src/batcher/batcher.ts";
import { createBatcher } from "../../../../src/batcher/create-batcher.ts";
import { createModelTable } from "../../../../src/registry/model-table.ts";
import { type Call, createCall } from "../../../../src/service/call.ts";
import type { ItemResult, ItemStream, ScoringService } from "../../../../src/service/scoring.ts";
import { createScoringService } from "../../../../src/service/scoring-service.ts";
import { affineModel } from "../../../support/models/onnx-model.ts";
import { createServedModel } from "../../../support/models/served-model.ts";
import { createFakePool, type FakePool } from "../../../support/servers/fake-pool.ts";
import { turn } from "../../../support/servers/scoring-core.ts";
import { silentLog } from "../../../support/servers/silent-log.ts";

const NO_SIZE = { memoryBytes: 0 };
let pool: FakePool;
let batcher: Batcher;
let scoring: ScoringService;

beforeEach(() => {
  start(64);
});

function start(maxQueueRows: number): void {
  pool = createFakePool();
  const { modelName, modelVersion, signature } = affineModel(1);
  const options = { pool, modelName, batching: signature.batching, log: silentLog };
  batcher = createBatcher({ ...options, maxQueueRows, maxBatchSize: 16 });
  const table = createModelTable(undefined);
  const state = () => ModelState.READY;
  const describe = () => {
    throw new Error("nobody asks");
  };
  const changedFiles = () => [];
  table.put(
    createServedModel({ modelName, modelVersion, signature, batcher, state, changedFiles, describe }),
  );
  scoring = createScoringService(table, {
    streamWindowRows: 40,
    streamWindowBytes: 1000,
    callTimeoutMs: 60_000,
  });
}

afterEach(async () => {
  while (pool.held.length > 0) pool.held[0]!.succeed();
  await batcher.close();
});

function open(): ItemStream {
  return scoring.openStream(
    createCall({ deadlineAt: Number.POSITIVE_INFINITY, lane: "bulk", protocol: "grpc" }),
  );
}

function request(values: readonly number[]) {
  const rawContents = new Uint8Array(Float32Array.from(values).buffer);
  const inputs = [{ name: "x", datatype: "FP32", shape: [BigInt(values.length), 1n], rawContents }];
  return create(PredictRequestSchema, { modelName: "affine", inputs });
}

function item(
  itemId: number,
  values: readonly number[],
  options?: { unordered?: boolean; lane?: StreamOptions_Lane },
) {
  const more = options === undefined ? {} : { options };
  return create(PredictStreamRequestSchema, { itemId: BigInt(itemId), request: request(values), ...more });
}

function numbers(result: ItemResult | undefined): number[] {
  if (result === undefined || "error" in result) throw new Error("no response came");
  const { rawContents } = result.response.outputs[0]!;
  return [...new Float32Array(rawContents.slice().buffer)];
}

test("items of several streams and a unary call share a batch", async () => {
  const [first, second] = [open(), open()];
  first.offer(item(1, [1, 2]), NO_SIZE);
  second.offer(item(2, [3]), NO_SIZE);
  second.offer(item(3, [4, 5]), NO_SIZE);
  const unary = scoring.predict(
    request([6]),
    createCall({ deadlineAt: Number.POSITIVE_INFINITY, lane: "interactive", protocol: "grpc" }),
  );
  await turn();
  // Bulk has an eighth of the batch of 16 beside whoever waits for an answer, and the next one.
  expect(pool.held.map(({ rows }) => rows)).toEqual([[6, 1, 2]]);
  pool.held[0]!.succeed();
  expect(pool.held.map(({ rows }) => rows)).toEqual([[3, 4, 5]]);
  pool.held[0]!.succeed();
  expect([first.take(), second.take(), second.take()].map(numbers)).toEqual([[3, 5], [7], [9, 11]]);
  expect((await unary).outputs).toHaveLength(1);
});

test("a call, and each item of a stream, has the times at which it passed from stage to stage", async () => {
  const enqueue = vi.spyOn(batcher, "enqueue");
  const call = createCall({ deadlineAt: Number.POSITIVE_INFINITY, lane: "interactive", protocol: "grpc" });
  expect(call).toMatchObject({ enqueuedAt: NOT_YET, startedAt: NOT_YET, endedAt: NOT_YET });
  const answer = scoring.predict(request([6]), call);
  const stream = open();
  stream.offer(item(1, [1]), NO_SIZE);
  await turn();
  pool.held[0]!.succeed();
  await answer;
  const [ofCall, ofItem] = enqueue.mock.calls.map(([entry]) => entry.times);
  expect(ofCall).toBe(call);
  for (const { receivedAt, enqueuedAt, startedAt, endedAt } of [call, ofItem as Call]) {
    const times = [receivedAt, enqueuedAt, startedAt, endedAt, performance.now()];
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(receivedAt).toBeGreaterThan(0);
  }
  expect(ofItem).toMatchObject({ startedAt: call.startedAt, endedAt: call.endedAt });
});

test("an item is refused while the window is full, and told when there is room", async () => {
  const stream = open();
  let changes = 0;
  stream.onChange = () => changes++;
  expect(stream.offer(item(1, Array(16).fill(1)), NO_SIZE)).toBe(true);
  expect(stream.offer(item(2, Array(16).fill(2)), NO_SIZE)).toBe(true);
  expect(stream.offer(item(3, Array(16).fill(3)), NO_SIZE)).toBe(false);
  expect(stream.offer(item(3, [3]), { memoryBytes: 1001 })).toBe(false);
  await turn();
  pool.held[0]!.succeed();
  expect(changes).toBe(1);
  expect(stream.offer(item(3, Array(16).fill(3)), NO_SIZE)).toBe(false);
  expect(stream.take()?.itemId).toBe(1n);
  expect(stream.offer(item(3, Array(16).fill(3)), NO_SIZE)).toBe(true);
});

test.each([-1000n, -(2n ** 63n)])(
  "an item that says it has %d rows takes none from the window, and the stream goes on after its error",
  async (rows) => {
    const stream = open();
    const wrong = item(1, [1]);
    wrong.request!.inputs[0]!.shape[0] = rows;
    expect(stream.offer(wrong, NO_SIZE)).toBe(true);
    expect(stream.offer(item(2, Array(20).fill(2)), NO_SIZE)).toBe(true);
    expect(stream.offer(item(3, Array(20).fill(3)), NO_SIZE)).toBe(false);
    expect(stream.take()).toMatchObject({ itemId: 1n, error: { reason: Reason.INVALID_REQUEST } });
    expect(stream.offer(item(3, Array(21).fill(3)), NO_SIZE)).toBe(false);
    expect(stream.offer(item(3, Array(20).fill(3)), NO_SIZE)).toBe(true);
    for (await turn(); pool.held.length > 0; await turn()) pool.held[0]!.succeed();
    expect([stream.take(), stream.take()].map((answer) => numbers(answer)[0])).toEqual([5, 7]);
  },
);

test("an item that says it has more rows than there can be is refused alone, and the stream goes on", async () => {
  const stream = open();
  const wrong = item(2, [1]);
  wrong.request!.inputs[0]!.shape[0] = 2n ** 63n - 1n;
  stream.offer(item(1, [1]), NO_SIZE);
  expect(stream.offer(wrong, NO_SIZE)).toBe(false);
  await turn();
  pool.held[0]!.succeed();
  expect(numbers(stream.take())).toEqual([3]);
  expect(stream.offer(wrong, NO_SIZE)).toBe(true);
  expect(stream.take()).toMatchObject({ itemId: 2n, error: { reason: Reason.INVALID_REQUEST } });
  expect(stream.offer(item(3, Array(40).fill(3)), NO_SIZE)).toBe(true);
  expect(stream.offer(item(4, [4]), NO_SIZE)).toBe(false);
});

test("items that find the queue full wait for room and are answered in order, without a timer", async () => {
  const streams = [open(), open(), open()];
  for (const [s, stream] of streams.entries()) {
    for (let i = 0; i < 2; i++) expect(stream.offer(item(i, Array(16).fill(s * 10 + i)), NO_SIZE)).toBe(true);
  }
  // Bulk entries fill three quarters of 64 rows.
  expect(batcher.depth.rows).toBe(48);
  for (await turn(); pool.held.length > 0; await turn()) pool.held[0]!.succeed();
  for (const [s, stream] of streams.entries()) {
    const answers = [stream.take(), stream.take()];
    expect(answers.map((one) => one?.itemId)).toEqual([0n, 1n]);
    expect(answers.map((one) => numbers(one)[0])).toEqual([2 * s * 10 + 1, 2 * (s * 10 + 1) + 1]);
  }
});

test("an interactive stream goes before a bulk one", async () => {
  const [bulk, interactive] = [open(), open()];
  bulk.offer(item(1, Array(16).fill(1)), NO_SIZE);
  interactive.offer(item(2, [7], { lane: StreamOptions_Lane.INTERACTIVE }), NO_SIZE);
  await turn();
  expect(pool.held[0]!.rows).toEqual([7, 1, 1]);
});

test("a bad item is answered with its error between the others, and only the first item's options count", async () => {
  const stream = open();
  const bad: PredictStreamRequest = create(PredictStreamRequestSchema, { itemId: 2n });
  for (const one of [item(1, [1]), bad, item(3, [3], { unordered: true })]) stream.offer(one, NO_SIZE);
  expect(stream.take()).toBeUndefined();
  await turn();
  pool.held[0]!.succeed();
  expect(numbers(stream.take())).toEqual([3]);
  expect(stream.take()).toMatchObject({ itemId: 2n, error: { reason: Reason.INVALID_REQUEST } });
  expect(numbers(stream.take())).toEqual([7]);
});

test("a client that leaves out the rows that are named has a clean item of 4,096 rows in a few rounds", () => {
  start(8192);
  const stream = open();
  let values = Array.from({ length: 4096 }, (_, row) => (row % 3 === 0 ? Number.POSITIVE_INFINITY : row));
  let rounds = 0;
  for (;;) {
    stream.offer(item(rounds, values), NO_SIZE);
    const answer = stream.take();
    // Clean at last: it waits for its run.
    if (answer === undefined) break;
    if (!("error" in answer)) throw new Error("the item was not checked");
    const rows = answer.error.violations.map(({ field }) =>
      Number(/^inputs\[0\]\.raw_contents\[(\d+)\]$/.exec(field)![1]),
    );
    expect(answer.error.violationCount).toBe(
      values.filter((value) => value === Number.POSITIVE_INFINITY).length,
    );
    const bad = new Set(rows);
    values = values.filter((_, row) => !bad.has(row));
    rounds++;
  }
  expect(values).toHaveLength(4096 - 1366);
  expect(rounds).toBe(2);
});

test("a stream ends once everything is answered, with the error that it was ended with", async () => {
  const stream = open();
  stream.offer(item(1, [1]), NO_SIZE);
  const error = new Error("the body is malformed");
  stream.end(error);
  expect(stream.offer(item(2, [2]), NO_SIZE)).toBe(false);
  expect(stream.outcome).toBeUndefined();
  await turn();
  pool.held[0]!.succeed();
  expect(stream.take()?.itemId).toBe(1n);
  expect(stream.outcome).toEqual({ error });
});

test("a drain answers what was taken and ends with SHUTTING_DOWN; closing takes back what waits", async () => {
  const [drained, closed] = [open(), open()];
  drained.offer(item(1, [1]), NO_SIZE);
  closed.offer(item(2, [2]), NO_SIZE);
  closed.close();
  scoring.drain();
  expect(drained.offer(item(3, [3]), NO_SIZE)).toBe(false);
  await turn();
  expect(pool.held[0]!.rows).toEqual([1]);
  pool.held[0]!.succeed();
  expect(drained.take()?.itemId).toBe(1n);
  expect(drained.outcome).toMatchObject({ error: { reason: Reason.SHUTTING_DOWN } });
  expect(open().outcome).toMatchObject({ error: { reason: Reason.SHUTTING_DOWN } });
});

/** Its size says that it is long to check. */
const LONG = { memoryBytes: 300_000 };
const longItem = (itemId: number, column = "x") => {
  const rows = Array.from({ length: 20 }, (_, i) => ({ [column]: i }));
  return create(PredictStreamRequestSchema, {
    itemId: BigInt(itemId),
    request: { modelName: "affine", rows },
  });
};

test("a long item is checked apart: what others send meanwhile is taken", async () => {
  start(64);
  const [stream, other] = [open(), open()];
  stream.offer(longItem(1), LONG);
  expect(batcher.depth.rows).toBe(0);
  other.offer(item(2, [7]), NO_SIZE);
  expect(batcher.depth.rows + batcher.depth.running).toBe(1);
  await vi.waitFor(() => expect(batcher.depth.rows + batcher.depth.running).toBe(21));
  while (batcher.depth.entries > 0) {
    await turn();
    pool.held[0]?.succeed();
  }
  const fp32Contents = Array.from({ length: 20 }, (_, i) => 2 * i + 1);
  expect(stream.take()).toMatchObject({
    itemId: 1n,
    response: { outputs: [{ contents: { fp32Contents } }] },
  });
  expect(numbers(other.take())).toEqual([15]);
});

test("what is wrong with a long item is its answer, in its place", async () => {
  const stream = open();
  let changes = 0;
  stream.onChange = () => changes++;
  stream.offer(longItem(1, "y"), LONG);
  expect(stream.take()).toBeUndefined();
  await vi.waitFor(() => expect(changes).toBe(1));
  expect(stream.take()).toMatchObject({ itemId: 1n, error: { reason: Reason.INVALID_REQUEST } });
  expect(stream.isIdle).toBe(true);
});

test("a stream that ends takes back what is being checked", async () => {
  const stream = open();
  stream.offer(longItem(1), LONG);
  stream.close();
  for (let i = 0; i < 5; i++) await turn();
  expect(batcher.depth.entries).toBe(0);
  expect(stream.take()).toBeUndefined();
});
