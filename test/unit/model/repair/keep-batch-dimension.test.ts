import { expect, test } from "vitest";
import { keepBatchDimension } from "../../../../src/model/repair/batch-dimension.ts";
import { openBareSession } from "../../../support/models/bare-session.ts";
import { buildModel, node, tensorInfo } from "../../../support/models/model-builder.ts";
import { prepared } from "../../../support/models/prepare.ts";

const identity = (rows: number | null) =>
  buildModel({
    inputs: [tensorInfo("x", "FLOAT", [rows, 2])],
    outputs: [tensorInfo("y", "FLOAT", [rows, 2])],
    nodes: [node("Identity", ["x"], ["y"])],
  });

test("a model whose file fixes one row takes one row again", async () => {
  const kept = keepBatchDimension(prepared(identity(1)));
  const session = await openBareSession(kept!.bytes);
  const x = { name: "x", datatype: "FP32" as const, shape: [1, 2], data: Float32Array.of(1, 2) };
  expect(await session.run([x])).toMatchObject([{ shape: [1, 2] }]);
  const two = { ...x, shape: [2, 2], data: new Float32Array(4) };
  await expect(session.run([two])).rejects.toThrow(/dimension/);
  await session.release();
});

test("a model with open rows has nothing to keep", () => {
  expect(keepBatchDimension(prepared(identity(null)))).toBeUndefined();
});
