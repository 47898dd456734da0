/**
 * Trees by Assay's kernel against `session.run` of the same model: one process, one thread, rounds interleaved, other rows in each
 * call. Prints microseconds a row and the ratio; ends with 1 where a ratio is below its limit. `--only REGEX` chooses shapes.
 */
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { readTreeGraph } from "../src/model/trees/tree-graph.ts";
import { splitTrees } from "../src/worker/kernel/split-trees.ts";
import { TreeSession } from "../src/worker/trees/tree-session.ts";
import { grownModel, seeded, type TreeShape } from "./models/tree-models.ts";
import { median } from "./statistics.ts";

const ort = createRequire(import.meta.url)("onnxruntime-node") as typeof import("onnxruntime-node");

const SHAPES: readonly (TreeShape & { readonly name: string; readonly limit: number })[] = [
  { name: "100 × depth 3", trees: 100, leaves: 8, depth: 3, columns: 30, classes: 1, limit: 2 },
  { name: "200 × 31 leaves", trees: 200, leaves: 31, columns: 30, classes: 1, limit: 3 },
  { name: "500 × 255 leaves", trees: 500, leaves: 255, columns: 30, classes: 1, limit: 2 },
  { name: "forest, 100 × 4,000 leaves", trees: 100, leaves: 4_000, columns: 30, classes: 2, limit: 2 },
  { name: "10 classes, 500 × 31 leaves", trees: 500, leaves: 31, columns: 30, classes: 10, limit: 2 },
  { name: "1,000 features, 200 × 31 leaves", trees: 200, leaves: 31, columns: 1_000, classes: 1, limit: 2 },
];
const BATCHES = [1, 16, 256, 4_096];
const LIMITED_BATCH = 256;
const ROUNDS = 7;
/** How long one side of one round takes about. */
const ROUND_MS = 60;
/** Rows that calls take their own from: more than caches hold of larger models. */
const ROWS = 8_192;

const { values } = parseArgs({ options: { only: { type: "string" } } });

// As Assay's own sessions do: the call blocks anyway.
const callAtOnce = (callback: () => void): void => callback();
Object.assign(globalThis, { setImmediate: callAtOnce });

let isMissed = false;
for (const shape of SHAPES) {
  if (values.only !== undefined && !new RegExp(values.only).test(shape.name)) continue;
  await measure(shape);
}
process.exitCode = isMissed ? 1 : 0;

async function measure(shape: (typeof SHAPES)[number]): Promise<void> {
  const bytes = grownModel(shape);
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const begun = performance.now();
  const graph = readTreeGraph(bytes);
  const trees = new TreeSession(graph, splitTrees(graph.ensemble));
  const loadMs = Math.round(performance.now() - begun);
  const random = seeded(3);
  const table = Float32Array.from({ length: ROWS * shape.columns }, random);
  console.log(
    `${shape.name} (${(bytes.length / 2 ** 20).toFixed(1)} MiB, read and laid out in ${loadMs} ms)`,
  );
  for (const batch of BATCHES) {
    let at = 0;
    const nextRows = (): Float32Array => {
      if (at + batch > ROWS) at = 0;
      at += batch;
      return table.subarray((at - batch) * shape.columns, at * shape.columns);
    };
    const bySession = async () => {
      await session.run({ features: new ort.Tensor("float32", nextRows(), [batch, shape.columns]) });
    };
    const byKernel = async () => {
      trees.run(nextRows(), batch, shape.columns);
    };
    const calls = await callsIn(ROUND_MS, bySession);
    const rounds: [number, number][] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const sessionMs = await timed(calls, bySession);
      rounds.push([sessionMs, await timed(calls, byKernel)]);
    }
    const ratio = median(rounds.map(([sessionMs, kernelMs]) => sessionMs / kernelMs));
    const [sessionUs, kernelUs] = [0, 1].map(
      (side) => (Math.min(...rounds.map((round) => round[side]!)) * 1_000) / calls / batch,
    );
    const limit = batch === LIMITED_BATCH ? shape.limit : batch === 1 ? 1 : 0;
    if (ratio < limit) isMissed = true;
    const told = limit === 0 ? "" : ratio < limit ? ` BELOW ${limit}` : ` (at least ${limit})`;
    console.log(
      `  ${String(batch).padStart(5)} rows: session ${sessionUs!.toFixed(2)} µs, kernel ${kernelUs!.toFixed(2)} µs, ${ratio.toFixed(2)} times${told}`,
    );
  }
  await session.release();
}

async function callsIn(milliseconds: number, call: () => Promise<void>): Promise<number> {
  await timed(2, call);
  const one = (await timed(3, call)) / 3;
  return Math.max(2, Math.ceil(milliseconds / one));
}

async function timed(calls: number, call: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  for (let count = 0; count < calls; count++) await call();
  return performance.now() - begun;
}
