import type { AssayError } from "../../errors.ts";
import type { TensorData } from "../../tensor/tensor-data.ts";
import { didYouMean } from "../../wording/nearest-name.ts";
import type { GoldenCase, PreparedModel } from "../prepared-model.ts";
import { quoted } from "../refusal.ts";
import { hasRows, type ModelSignature } from "../signature.ts";
import { compareOutputs, type Mismatch, type Tolerance } from "./compare-outputs.ts";
import {
  type Coupling,
  type CouplingReport,
  checkCoupling,
  type Run,
  runRowsAlone,
} from "./coupling-check.ts";
import { fitGoldenInputs } from "./golden-inputs.ts";
import { joinRows } from "./row-tensors.ts";

/** Evidence of golden rows. */
export interface GoldenEvidence {
  readonly kind: "met";
  /** Undefined where there were no rows to join. */
  readonly coupling: Coupling | undefined;
  readonly report: CouplingReport | undefined;
  /** Whether the answers of whole cases, and of their rows one by one, were as expected. */
  readonly togetherMet: boolean;
  readonly aloneMet: boolean;
}

/** Rows beyond this are run together with their case only. */
const MAX_SINGLE_ROWS = 256;

/** Runs every golden case; refuses where neither the cases nor their rows alone give what is expected. */
export async function runGoldenCases(
  model: PreparedModel,
  run: Run,
  tolerance: Tolerance,
): Promise<GoldenEvidence | { kind: "refused"; reason: string; cause?: unknown }> {
  const { signature } = model;
  const batched = hasRows(signature);
  const rowless = rowlessNames(signature);
  const fitted: { inputs: readonly TensorData[]; rowCount: number }[] = [];
  let togetherMet = true;
  let aloneMet = true;
  for (const [index, golden] of model.goldenCases.entries()) {
    const place = `golden rows, case ${index}`;
    const wrong = unknownOutput(golden, model);
    if (wrong !== undefined) return { kind: "refused", reason: `${place}: ${wrong}` };
    const fit = fitGoldenInputs(golden.inputs, signature);
    if (fit.kind === "misfit") return { kind: "refused", reason: `${place}: ${fit.reason}` };
    fitted.push(fit);
    const together = await attempt(golden, fit.rowCount, () => run(fit.inputs));
    const alone =
      batched && fit.rowCount !== 1 && fit.rowCount <= MAX_SINGLE_ROWS
        ? await attemptSingles(golden, fit.inputs, fit.rowCount, run, rowless)
        : together;
    if (together.kind !== "met" && alone.kind !== "met") {
      const worst = alone.kind === "missed" ? alone : together;
      return refusal(place, golden, worst);
    }
    togetherMet &&= together.kind === "met";
    aloneMet &&= alone.kind === "met";
  }
  const report = batched ? await joined(fitted, run, tolerance, rowless) : undefined;
  return { kind: "met", coupling: report?.coupling, report, togetherMet, aloneMet };
}

type Attempt =
  | { readonly kind: "met" }
  | { readonly kind: "missed"; readonly mismatch: Mismatch }
  | { readonly kind: "failed"; readonly cause: unknown };

async function attempt(
  golden: GoldenCase,
  rowCount: number,
  run: () => Promise<readonly TensorData[]>,
  expected: readonly TensorData[] = golden.outputs,
): Promise<Attempt> {
  try {
    const mismatch = compareOutputs(await run(), expected, rowCount, golden.tolerance);
    return mismatch === undefined ? { kind: "met" } : { kind: "missed", mismatch };
  } catch (cause) {
    return { kind: "failed", cause };
  }
}

function attemptSingles(
  golden: GoldenCase,
  inputs: readonly TensorData[],
  rowCount: number,
  run: Run,
  rowless: ReadonlySet<string>,
): Promise<Attempt> {
  const hasRows = ({ name }: TensorData) => !rowless.has(name);
  const runSingles = async () => {
    const { alone } = await runRowsAlone(inputs, rowCount, async (rows) => (await run(rows)).filter(hasRows));
    return alone ?? [];
  };
  return attempt(golden, rowCount, runSingles, golden.outputs.filter(hasRows));
}

/** The rows of all cases whose tail shapes are those of the first, run alone, together and shuffled. */
async function joined(
  cases: readonly { inputs: readonly TensorData[]; rowCount: number }[],
  run: Run,
  tolerance: Tolerance,
  rowless: ReadonlySet<string>,
): Promise<CouplingReport | undefined> {
  const tails = (inputs: readonly TensorData[]) => inputs.map(({ shape }) => shape.slice(1).join()).join(";");
  const first = cases.find(({ rowCount }) => rowCount > 0);
  if (first === undefined) return undefined;
  const alike: (readonly TensorData[])[] = [];
  let rowCount = 0;
  for (const golden of cases) {
    const fits = golden.rowCount > 0 && tails(golden.inputs) === tails(first.inputs);
    if (!fits || rowCount + golden.rowCount > MAX_SINGLE_ROWS) continue;
    alike.push(golden.inputs);
    rowCount += golden.rowCount;
  }
  if (rowCount < 2) return undefined;
  try {
    const inputs = first.inputs.map((_, index) => joinRows(alike.map((tensors) => tensors[index]!)));
    return await checkCoupling(inputs, rowCount, run, tolerance, rowless);
  } catch {
    return undefined;
  }
}

/** Outputs that have no value for each row. */
export function rowlessNames(signature: ModelSignature): ReadonlySet<string> {
  return new Set(signature.outputs.filter(({ rowless }) => rowless === true).map(({ name }) => name));
}

function unknownOutput(golden: GoldenCase, model: PreparedModel): string | undefined {
  const names = model.signature.outputs.map(({ name }) => name);
  const unknown = golden.outputs.find(({ name }) => !names.includes(name));
  if (unknown === undefined) return undefined;
  const hint = didYouMean(unknown.name, names) || `; it has ${names.map(quoted).join(", ")}`;
  return `the model has no output ${quoted(unknown.name)}${hint}`;
}

function refusal(
  place: string,
  golden: GoldenCase,
  attempted: Attempt,
): { kind: "refused"; reason: string; cause?: unknown } {
  if (attempted.kind !== "missed") {
    const cause = attempted.kind === "failed" ? attempted.cause : undefined;
    const reason = `${place}: the run failed: ${(cause as AssayError | undefined)?.message ?? "no answer"}`;
    return { kind: "refused", reason, cause };
  }
  const { output, row, description } = attempted.mismatch;
  const { abs, rel } = golden.tolerance;
  return {
    kind: "refused",
    reason:
      `${place}: output ${quoted(output)}, row ${row}: ${description} (tolerance ${abs} + ${rel} × |expected|): ` +
      "the file is damaged or is not the model that the golden rows were made with; export both again",
  };
}
