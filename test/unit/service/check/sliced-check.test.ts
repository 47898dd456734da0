import { create } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Reason } from "../../../../gen/assay/v1/error_pb.ts";
import { ModelState } from "../../../../gen/assay/v1/model_service_pb.ts";
import { PredictRequestSchema } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import { createBatcher } from "../../../../src/batcher/create-batcher.ts";
import type { ModelSignature } from "../../../../src/model/signature.ts";
import { ANONYMOUS } from "../../../../src/registry/caller.ts";
import { createModelTable, type ModelTable } from "../../../../src/registry/model-table.ts";
import type { ServedModel } from "../../../../src/registry/served-model.ts";
import { checkInSlices, type Waiter } from "../../../../src/service/check/sliced-check.ts";
import { createServedModel } from "../../../support/models/served-model.ts";
import { signature, spec } from "../../../support/models/signatures.ts";
import { createFakePool } from "../../../support/servers/fake-pool.ts";
import { silentLog } from "../../../support/servers/silent-log.ts";

const ROWS = 20_000;
const request = create(PredictRequestSchema, {
  modelName: "m",
  rows: Array.from({ length: ROWS }, (_, i) => ({ age: i })),
});

let table: ModelTable;
beforeEach(() => {
  table = createModelTable(undefined);
  // Each look at the clock finds the slice over: the loop is given back at every place where it may be.
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (now += 100));
});
afterEach(() => {
  vi.restoreAllMocks();
});

function served(modelVersion: string, inputs: ModelSignature["inputs"]): ServedModel {
  const parts = { modelName: "m", modelVersion, signature: signature([...inputs]) };
  const options = { pool: createFakePool(), modelName: "m", batching: parts.signature.batching };
  return createServedModel({
    ...parts,
    batcher: createBatcher({ ...options, maxQueueRows: ROWS, log: silentLog }),
    state: () => ModelState.READY,
    changedFiles: () => [],
    describe: () => {
      throw new Error("nobody asks");
    },
  });
}

/** Checks while another version takes the place of the first, at the check's first pause. */
async function checkWhile(second: ServedModel): ReturnType<typeof checkInSlices> {
  table.put(served("1", [spec("age", "FP32", [-1, 1])]));
  const checking = checkInSlices(table, request, ANONYMOUS, { cancelled: false }, Number.POSITIVE_INFINITY);
  table.put(second);
  return checking;
}

test("where another version takes the place meanwhile, the rows are checked anew, for that one", async () => {
  const second = served("2", [spec("age", "FP64", [-1, 1])]);
  const found = await checkWhile(second);
  expect(found?.model).toBe(second);
  expect(found?.checked.rows.rowCount).toBe(ROWS);
  expect(found?.checked.rows.inputs[0]).toMatchObject({ name: "age", datatype: "FP64" });
});

test("what the version of before took and the new one does not is told as the new one's", async () => {
  const second = served("2", [spec("years", "FP32", [-1, 1])]);
  await expect(checkWhile(second)).rejects.toMatchObject({
    reason: Reason.INVALID_REQUEST,
    violationCount: 2 * ROWS,
  });
});

test("a check is given up at its next pause", async () => {
  table.put(served("1", [spec("age", "FP32", [-1, 1])]));
  const waiter: { -readonly [K in keyof Waiter]: Waiter[K] } = { cancelled: false };
  const checking = checkInSlices(table, request, ANONYMOUS, waiter, Number.POSITIVE_INFINITY);
  waiter.cancelled = true;
  expect(await checking).toBeUndefined();
});
