import fc from "fast-check";
import { expect, test } from "vitest";
import { readTreeGraph } from "../../../../src/model/trees/tree-graph.ts";
import { splitTrees } from "../../../../src/worker/kernel/split-trees.ts";
import { disagreement } from "../../../../src/worker/trees/agreement.ts";
import { TreeSession } from "../../../../src/worker/trees/tree-session.ts";
import { openBareSession } from "../../../support/models/bare-session.ts";
import {
  type RandomTrees,
  randomTreeModel,
  rowsNear,
  seededRandom,
} from "../../../support/models/random-trees.ts";

const SESSION_TYPES = { FP32: "float32", FP64: "float64", INT64: "int64", BYTES: "string" } as const;
const DATATYPES = { FLOAT: "FP32", DOUBLE: "FP64", INT64: "INT64" } as const;
/** One row, few, and enough for each way that the kernel has. */
const ROW_COUNTS = [1, 3, 5, 9, 40];

function sessionOf(bytes: Uint8Array): TreeSession {
  const graph = readTreeGraph(bytes);
  return new TreeSession(graph, splitTrees(graph.ensemble));
}

/** What the kernel and ONNX Runtime differ in for an ensemble; undefined where they agree. */
async function differenceOf(seed: number, given: Partial<RandomTrees> = {}): Promise<string | undefined> {
  const model = randomTreeModel(seed, given);
  const { columnCount, inputType, targetCount } = model.choices;
  const session = await openBareSession(model.bytes);
  try {
    const trees = sessionOf(model.bytes);
    for (const rowCount of ROW_COUNTS) {
      const rows = rowsNear(model, rowCount, seededRandom(seed + rowCount));
      const shape = [rowCount, columnCount];
      const outputs = await session.run([{ name: "x", datatype: DATATYPES[inputType], shape, data: rows }]);
      const expected = Object.fromEntries(
        outputs.map(({ name, datatype, shape: dims, data }) => [
          name,
          { type: SESSION_TYPES[datatype as keyof typeof SESSION_TYPES], dims, data },
        ]),
      );
      const ranking = targetCount > 1 ? "scores" : undefined;
      const what = disagreement(expected, trees.run(rows, rowCount, columnCount), ranking);
      if (what !== undefined) return `${rowCount} rows: ${what}, ${JSON.stringify(model.choices)}`;
    }
  } finally {
    await session.release();
  }
  return undefined;
}

test("random ensembles of all operators, modes and transforms give what ONNX Runtime gives", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 1_000_000 }), async (seed) => {
      expect(await differenceOf(seed)).toBeUndefined();
    }),
    { numRuns: 150 },
  );
});

const MODES = ["LEQ", "LT", "GTE", "GT", "EQ", "NEQ", "MEMBER"];

test.each(MODES)("branches of the mode %s alone give what ONNX Runtime gives", async (mode) => {
  for (const hasMissing of [false, true]) {
    for (const inputType of ["FLOAT", "DOUBLE"] as const) {
      const modes = [`BRANCH_${mode}`];
      const given = { operator: "TreeEnsemble", modes, hasMissing, inputType, maxLeaves: 20 } as const;
      expect(await differenceOf(5, given)).toBeUndefined();
    }
  }
});

test("trees of one leaf, of 64 and of more, and more columns than a block has rows, agree", async () => {
  const modes = ["BRANCH_LEQ", "BRANCH_LT"];
  for (const maxLeaves of [1, 8, 9, 64, 65, 300]) {
    const given = { operator: "TreeEnsembleRegressor", inputType: "FLOAT", modes, maxLeaves } as const;
    expect(await differenceOf(maxLeaves, { ...given, columnCount: 40, treeCount: 9 })).toBeUndefined();
  }
});

test("a column with more thresholds than a byte counts agrees", async () => {
  const given = { operator: "TreeEnsembleRegressor", inputType: "FLOAT", columnCount: 1 } as const;
  const modes = ["BRANCH_LEQ"];
  expect(await differenceOf(3, { ...given, modes, treeCount: 40, maxLeaves: 40 })).toBeUndefined();
});

test("batches larger than one pass of the kernel agree", async () => {
  const model = randomTreeModel(11, {
    operator: "TreeEnsembleClassifier",
    targetCount: 3,
    inputType: "FLOAT",
  });
  const { columnCount } = model.choices;
  const trees = sessionOf(model.bytes);
  const rows = rowsNear(model, 1_500, seededRandom(1)) as Float32Array;
  const together = trees.run(rows, 1_500, columnCount);
  for (const row of [0, 511, 512, 1_023, 1_499]) {
    const alone = trees.run(rows.subarray(row * columnCount, (row + 1) * columnCount), 1, columnCount);
    const scores = together.scores!.data.slice(row * 3, row * 3 + 3);
    expect(alone.scores!.data).toEqual(scores);
  }
});
