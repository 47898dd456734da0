/**
 * The golden gate: decides by running a prepared model whether it may take traffic, and how its rows may share a run.
 * Comes in: a PreparedModel and a `run` on an instance of it. Goes out: the signature as it will be served, or the reason
 * against it. Promises: golden rows are run one by one, together and shuffled, and have to be met within their tolerance;
 * without them made-up rows show whether rows influence each other; what is not shown is said, never assumed.
 * It is the warm-up too.
 */

import { TensorProto_DataType } from "../../../gen/onnx/onnx-ml_pb.ts";
import type { TensorData } from "../../tensor/tensor-data.ts";
import { readOnnxOutline } from "../onnx/onnx-outline.ts";
import type { PreparedModel } from "../prepared-model.ts";
import { type Batching, hasRows, type ModelSignature, type Repair } from "../signature.ts";
import { HALF_TOLERANCE, ROW_TOLERANCE, type Tolerance } from "./compare-outputs.ts";
import { type CouplingReport, checkCoupling, type Run } from "./coupling-check.ts";
import { closeRows, decideBatching, type Evidence, openRows } from "./decide-batching.ts";
import { type GoldenEvidence, rowlessNames, runGoldenCases } from "./golden-cases.ts";
import { defaultRows } from "./golden-inputs.ts";
import { correctOutputShapes } from "./output-shapes.ts";
import { madeUpInput, probeTexts } from "./probe-rows.ts";
import { takeRows } from "./row-tensors.ts";

/** The gate's decision. */
export type GateOutcome =
  | {
      readonly kind: "passed";
      /** As it will be served: batching and output shapes decided. */
      readonly signature: ModelSignature;
      readonly batching: Batching;
      /** To be added to those of the prepared model. */
      readonly repairs: readonly Repair[];
      readonly notices: readonly string[];
      /** A row that ran, for an example; undefined where none was made up or none ran. */
      readonly exampleInputs: readonly TensorData[] | undefined;
    }
  | { readonly kind: "refused"; readonly reason: string; readonly cause?: unknown };

/** Different rows that a probe runs, and the lengths that are tried for open axes. */
const PROBE_ROWS = 8;
const OPEN_LENGTHS = [1, 2, 3, 5, 8, 16, 64, 512];

/** Outputs without rows that are found one after another, at most. */
const MAX_ROWLESS = 16;

/** Runs the gate; never rejects for what the model does. */
export async function passGoldenGate(model: PreparedModel, run: Run): Promise<GateOutcome> {
  const { fixedRows } = model;
  if (fixedRows === undefined || fixedRows === 1) return passWithRows(model, run);
  const opened = await passWithRows({ ...model, signature: openRows(model.signature) }, run);
  if (opened.kind === "passed" && opened.batching === "across-requests") return opened;
  const outcome = await passWithRows(model, run);
  if (outcome.kind === "refused") return outcome;
  const why = opened.kind === "refused" ? ` (otherwise: ${opened.reason})` : "";
  const notice = `the batch dimension is fixed at ${fixedRows} and other numbers of rows are not shown to give the same answers: a request must carry exactly ${fixedRows} rows, as inputs, and is one run${why}`;
  return { ...outcome, notices: [notice, ...outcome.notices] };
}

async function passWithRows(model: PreparedModel, run: Run): Promise<GateOutcome> {
  let outcome = await attemptGate(model, run);
  let tried = model;
  // An output without rows keeps no others from having them, unless scores or labels are read from it.
  for (let i = 0; i < MAX_ROWLESS && outcome.kind === "rowless"; i++) {
    tried = markRowless(tried, outcome.output);
    const next = await attemptGate(tried, run);
    if (next.kind === "refused") break;
    outcome = next;
  }
  return outcome.kind === "rowless" ? outcome.outcome : outcome;
}

type Attempt =
  | GateOutcome
  | { readonly kind: "rowless"; readonly output: string; readonly outcome: GateOutcome };

function markRowless(model: PreparedModel, output: string): PreparedModel {
  const outputs = model.signature.outputs.map((spec) =>
    spec.name === output ? { ...spec, rowless: true } : spec,
  );
  return { ...model, signature: { ...model.signature, outputs } };
}

async function attemptGate(model: PreparedModel, run: Run): Promise<Attempt> {
  const tolerance = holdsHalves(model.bytes) ? HALF_TOLERANCE : ROW_TOLERANCE;
  const golden = await runGoldenCases(model, run, tolerance);
  if (golden.kind === "refused") return golden;
  let coupling: Evidence = golden.coupling ?? { kind: "silent" };
  let report = golden.report;
  const unshown = golden.coupling === undefined || golden.coupling.kind === "silent";
  if (unshown && hasRows(model.signature)) {
    const probed = await probe(model, run, tolerance);
    coupling = probed?.coupling ?? { kind: "unproven" };
    report = probed ?? report;
  } else if (unshown && model.goldenCases.length === 0) {
    report = await probe(model, run, tolerance);
  }
  const outcome = decide(model, golden, coupling, report);
  const { score, labelOutput } = model.signature;
  if (coupling.kind !== "not-rows" || outcome.kind !== "passed") return outcome;
  const others = model.signature.outputs.filter(
    ({ name, rowless }) => name !== coupling.output && rowless !== true,
  );
  const isRead = coupling.output === score?.output || coupling.output === labelOutput;
  const holdsRows = others.some(({ shape, anyShape }) => shape.length > 0 || anyShape === true);
  const isFixed = model.signature.batching === "single-rows";
  return isRead || !holdsRows || isFixed ? outcome : { kind: "rowless", output: coupling.output, outcome };
}

/** The prepared model as the gate lets it be served. */
export function applyGateOutcome(
  model: PreparedModel,
  outcome: Extract<GateOutcome, { kind: "passed" }>,
): PreparedModel {
  return {
    ...model,
    signature: outcome.signature,
    repairs: [...model.repairs, ...outcome.repairs],
    notices: [...model.notices, ...outcome.notices],
    ...(outcome.exampleInputs === undefined ? {} : { exampleInputs: outcome.exampleInputs }),
  };
}

function decide(
  model: PreparedModel,
  golden: GoldenEvidence,
  coupling: Evidence,
  report: CouplingReport | undefined,
): GateOutcome {
  const declared = model.signature.batching;
  const decision = decideBatching(declared, coupling, golden, model.fixedRows);
  const notices = [...decision.notices];
  if (model.goldenCases.length === 0) {
    notices.push("no golden rows were run: add golden.json, so that a damaged file is noticed");
  }
  const rowsOpen = hasRows(decision);
  const isClosed = declared === "single-rows" && !rowsOpen;
  const corrected = correctOutputShapes(isClosed ? closeRows(model.signature) : model.signature, {
    shapes: report?.shapes ?? new Map(),
    rows: report?.alone ?? [],
    rowsOpen,
    origins: model.origins,
    asked: model.config,
    ...(model.triton === undefined ? {} : { labels: model.triton.labels }),
  });
  notices.push(...corrected.notices);
  const known = new Set(model.repairs.map(({ kind, target }) => `${kind} ${target}`));
  const fresh = corrected.repairs.filter(({ kind, target }) => !known.has(`${kind} ${target}`));
  const signature = { ...corrected.signature, batching: decision.batching };
  return {
    kind: "passed",
    signature,
    batching: decision.batching,
    repairs: [...decision.repairs, ...fresh],
    notices,
    exampleInputs:
      declared === "no-batch-dimension"
        ? report?.inputs
        : report?.inputs.map((input) => takeRows(input, [0])),
  };
}

/**
 * Made-up rows, with the shortest open axes and the plainest text that run and give different answers; undefined where none
 * runs.
 */
async function probe(
  model: PreparedModel,
  run: Run,
  tolerance: Tolerance,
): Promise<CouplingReport | undefined> {
  const { signature } = model;
  const batched = hasRows(signature);
  const rowCount = batched ? PROBE_ROWS : 1;
  const tails = signature.inputs.flatMap(({ shape }) => (batched ? shape.slice(1) : shape));
  const has = (type: RegExp) => signature.inputs.some(({ datatype }) => type.test(datatype));
  const texts = has(/BYTES/) ? probeTexts(model.bytes) : [[]];
  const ranges = has(/INT/) ? [4, 2] : [4];
  const lengths = tails.includes(-1) ? OPEN_LENGTHS : [1];
  const variants = texts.flatMap((text) =>
    ranges.flatMap((integers) => lengths.map((openLength) => ({ text, integers, openLength }))),
  );
  let silent: CouplingReport | undefined;
  for (const variant of variants) {
    const inputs = signature.inputs.map(
      (spec) => defaultRows(spec, rowCount, batched) ?? madeUpInput(spec, rowCount, signature, variant),
    );
    try {
      const report = batched
        ? await checkCoupling(inputs, rowCount, run, tolerance, rowlessNames(signature))
        : await runOnce(inputs, run);
      if (report.coupling.kind !== "silent" || !batched) return report;
      silent ??= report;
    } catch {
      // These values or lengths are not what the model takes; the next may be.
    }
  }
  return silent;
}

async function runOnce(inputs: readonly TensorData[], run: Run): Promise<CouplingReport> {
  const outputs = await run(inputs);
  const shapes = new Map(outputs.map(({ name, shape }) => [name, [shape]] as const));
  return { coupling: { kind: "silent" }, inputs, alone: undefined, shapes };
}

/** True for weights in float16 or bfloat16: sums of them depend more on their order, whatever type comes out. */
function holdsHalves(bytes: Uint8Array): boolean {
  return readOnnxOutline(bytes).tensors.some(
    ({ elementType }) =>
      elementType === TensorProto_DataType.FLOAT16 || elementType === TensorProto_DataType.BFLOAT16,
  );
}
