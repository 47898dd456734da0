import { InferenceSession, Tensor } from "onnxruntime-node";
import { reshapedName, sessionName } from "../../model/repair/session-names.ts";
import { TreeError } from "../../model/trees/tree-ensemble.ts";
import type { TreeGraph } from "../../model/trees/tree-graph.ts";
import type { TensorData } from "../../tensor/tensor-data.ts";
import type { SessionStart } from "../channel.ts";
import type { RowNumbers } from "../kernel/plane-filling.ts";
import type { SplitTrees } from "../kernel/split-trees.ts";
import { tensorOf } from "../session/session.ts";
import { disagreement, type Outputs } from "./agreement.ts";
import { checkRowsOf, type MakeCheckRows } from "./check-rows.ts";
import type { TreeRunner } from "./tree-runner.ts";
import type { TreeSession } from "./tree-session.ts";

/** ONNX's element types of rows, as they are laid out here and called by ONNX Runtime. */
const ROW_TYPES = new Map<number, { readonly type: Tensor.Type; make(numbers: Float64Array): RowNumbers }>([
  [1, { type: "float32", make: (numbers) => Float32Array.from(numbers) }],
  [11, { type: "float64", make: (numbers) => Float64Array.from(numbers) }],
  [6, { type: "int32", make: (numbers) => Int32Array.from(numbers) }],
  [7, { type: "int64", make: (numbers) => BigInt64Array.from(numbers, (one) => BigInt(Math.trunc(one))) }],
]);

/** Sizes of the batches that are run through both: alone, few, and enough for every way the kernel has. */
const BATCHES = [1, 1, 1, 1, 3, 5, 9, 16, 40, 200, 256, 491] as const;
const MIN_BATCHES = 9;
/** More threads than these may be faster together than the kernel alone. */
const OUTRUN_THREADS = 2;
const TIMED_ROWS = 256;
const TIMED_ROUNDS = 5;
const MAX_NUMBERS = 1_000_000;
/** No further batch is begun after this time. */
const TIME_LIMIT_MS = 300;

/** A runner that is to be checked, and all that it was made of. */
interface Checked {
  readonly runner: Pick<TreeRunner, "runTensors">;
  readonly trees: TreeSession;
  readonly graph: TreeGraph;
  readonly split: SplitTrees;
  /** With the session's names. */
  readonly start: SessionStart;
  readonly goldenRows: readonly (readonly TensorData[])[];
}

/**
 * Runs golden and generated rows through the kernel and through a session of ONNX Runtime, which it opens on one thread and
 * closes. Throws TreeError where they differ.
 */
export async function checkTrees(checked: Checked): Promise<void> {
  const { graph, start, goldenRows } = checked;
  await withReference(graph.rest, 1, (session) => compareRows(checked, session));
  if (start.intraOpThreads > OUTRUN_THREADS)
    await withReference(graph.rest, start.intraOpThreads, (session) => compareSpeed(checked, session));
  if (goldenRows.length > 0)
    await withReference(start.bytes, 1, (session) => compareGolden(checked, session));
}

async function withReference(
  bytes: Uint8Array,
  intraOpNumThreads: number,
  compare: (session: InferenceSession) => Promise<void>,
): Promise<void> {
  const session = await InferenceSession.create(new Uint8Array(bytes), {
    intraOpNumThreads,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  });
  try {
    await compare(session);
  } finally {
    await session.release();
  }
}

/** The kernel runs on one thread: where a session has many, it may be the faster one. */
async function compareSpeed(checked: Checked, session: InferenceSession): Promise<void> {
  const { trees, graph } = checked;
  const { rows, feeds } = generated(graph, makerOf(checked), TIMED_ROWS, 0);
  let byKernel = Number.POSITIVE_INFINITY;
  let bySession = Number.POSITIVE_INFINITY;
  for (let round = 0; round < TIMED_ROUNDS; round++) {
    const start = performance.now();
    trees.run(rows, TIMED_ROWS, graph.columnCount);
    const middle = performance.now();
    await session.run(feeds);
    byKernel = Math.min(byKernel, middle - start);
    bySession = Math.min(bySession, performance.now() - middle);
  }
  if (bySession < byKernel) throw new TreeError("its threads together are faster");
}

async function compareGolden(
  { runner, graph, start, goldenRows }: Checked,
  session: InferenceSession,
): Promise<void> {
  const ranking = rankingOf(graph);
  for (const inputs of goldenRows) {
    const feeds = Object.fromEntries(inputs.map((input) => [feedName(input, start), tensorOf(input)]));
    const expected = (await session.run(feeds, [...start.outputNames])) as unknown as Outputs;
    const given = (await runner.runTensors(feeds)) as unknown as Outputs;
    const what = disagreement(expected, given, ranking);
    if (what !== undefined) throw new TreeError(`golden rows come out different: ${what}`);
  }
}

/** What the session calls an input: one that callers see in another shape has a name of its own. */
function feedName({ name, datatype }: TensorData, { inputNames }: SessionStart): string {
  const own = sessionName(name, datatype);
  return inputNames.includes(own) ? own : sessionName(reshapedName(name), datatype);
}

/** The output that is the trees' scores, in whatever axes. */
function rankingOf({ outputs }: TreeGraph): string | undefined {
  return outputs.find(
    ({ source, steps }) => source === "scores" && steps.every(({ kind }) => kind === "reshape"),
  )?.name;
}

async function compareRows(checked: Checked, session: InferenceSession): Promise<void> {
  const { trees, graph } = checked;
  const until = performance.now() + TIME_LIMIT_MS;
  const ranking = rankingOf(graph);
  const make = makerOf(checked);
  let numbersLeft = MAX_NUMBERS;
  for (const [place, rowCount] of BATCHES.entries()) {
    numbersLeft -= rowCount * graph.columnCount;
    if (place >= MIN_BATCHES && (numbersLeft < 0 || performance.now() > until)) return;
    const { rows, feeds } = generated(graph, make, rowCount, place);
    const expected = (await session.run(feeds)) as unknown as Outputs;
    const what = disagreement(expected, trees.run(rows, rowCount, graph.columnCount), ranking);
    if (what !== undefined) throw new TreeError(`generated rows come out different: ${what}`);
  }
}

function makerOf({ graph, split }: Checked): MakeCheckRows {
  const { columnCount, inputType, ensemble } = graph;
  const { type } = ROW_TYPES.get(inputType)!;
  const isInteger = type === "int32" || type === "int64";
  return checkRowsOf(split, { columnCount, isDouble: ensemble.isDouble, isInteger });
}

function generated(
  { columnCount, inputType, input }: TreeGraph,
  makeRows: MakeCheckRows,
  rowCount: number,
  seed: number,
): { readonly rows: RowNumbers; readonly feeds: InferenceSession.OnnxValueMapType } {
  const { type, make } = ROW_TYPES.get(inputType)!;
  const rows = make(makeRows(rowCount, seed));
  return { rows, feeds: { [input]: new Tensor(type, rows as Tensor.DataType, [rowCount, columnCount]) } };
}
