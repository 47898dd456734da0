import type { TensorData } from "../../tensor/tensor-data.ts";
import { compareOutputs, type Mismatch, ROW_TOLERANCE, type Tolerance } from "./compare-outputs.ts";
import { joinRows, takeRows } from "./row-tensors.ts";

/** Runs a model once; rejects where the run fails. The outputs are the caller's own: no views that a later run changes. */
export type Run = (inputs: readonly TensorData[]) => Promise<readonly TensorData[]>;

/**
 * The finding of a run of rows alone, together and in another order.
 * `independent`: every row's answer is the same. `coupled`: rows change each other's answers. `not-rows`: axis 0 of an
 * output does not count rows, or (`singleRowFits`) only where one row runs. `together-fails`: rows run alone only. `silent`: all answers are the same, which shows nothing.
 */
export type Coupling =
  | { readonly kind: "independent" | "silent" }
  | { readonly kind: "coupled"; readonly mismatch: Mismatch }
  | { readonly kind: "not-rows"; readonly output: string; readonly singleRowFits: boolean }
  | { readonly kind: "together-fails"; readonly cause: unknown };

/** A check's verdict, and what it saw besides. */
export interface CouplingReport {
  readonly coupling: Coupling;
  /** The rows that were run. */
  readonly inputs: readonly TensorData[];
  /** The outputs of the rows run one by one, joined; undefined where an output has no rows. */
  readonly alone: readonly TensorData[] | undefined;
  /** The shapes that came, by output, of one row and of all rows. */
  readonly shapes: ReadonlyMap<string, readonly (readonly number[])[]>;
}

/**
 * Runs rows one by one, together and shuffled. Rejects where a row alone fails. At least two different rows are needed to
 * show anything. Outputs in `rowless` have no rows and are left out.
 */
export async function checkCoupling(
  inputs: readonly TensorData[],
  rowCount: number,
  runAll: Run,
  tolerance: Tolerance = ROW_TOLERANCE,
  rowless: ReadonlySet<string> = new Set(),
): Promise<CouplingReport> {
  const run: Run = async (rows) => (await runAll(rows)).filter(({ name }) => !rowless.has(name));
  const shapes = new Map<string, (readonly number[])[]>();
  const note = (outputs: readonly TensorData[]) => {
    for (const { name, shape } of outputs) shapes.set(name, [...(shapes.get(name) ?? []), shape]);
  };
  const single = await runRowsAlone(inputs, rowCount, run);
  note(single.first);
  const { alone } = single;
  if (alone === undefined) {
    return { coupling: notRows(single.odd, false), inputs, alone, shapes };
  }
  const report = (coupling: Coupling): CouplingReport => ({ coupling, inputs, alone, shapes });
  const order = shuffled(rowCount);
  let together: readonly TensorData[];
  let reordered: readonly TensorData[];
  try {
    together = await run(inputs);
    reordered = await run(inputs.map((input) => takeRows(input, order)));
  } catch (cause) {
    return report({ kind: "together-fails", cause });
  }
  const whole = together.find(({ shape }) => shape[0] !== rowCount);
  if (whole === undefined) note(together);
  else return report(notRows(whole.name, true));
  const mismatch =
    compareOutputs(together, alone, rowCount, tolerance) ??
    compareOutputs(
      reordered,
      alone.map((output) => takeRows(output, order)),
      rowCount,
      tolerance,
    );
  if (mismatch !== undefined) return report({ kind: "coupled", mismatch });
  return report({ kind: rowCount > 1 && differ(alone, rowCount) ? "independent" : "silent" });
}

function notRows(output: string, singleRowFits: boolean): Coupling {
  return { kind: "not-rows", output, singleRowFits };
}

/** The outputs of rows that were run one by one. */
export type RowsAlone =
  | { readonly first: readonly TensorData[]; readonly alone: readonly TensorData[] }
  | { readonly first: readonly TensorData[]; readonly alone: undefined; readonly odd: string };

/** Runs rows one by one and joins their outputs; `odd` names one that has no rows, or rows of different lengths. */
export async function runRowsAlone(
  inputs: readonly TensorData[],
  rowCount: number,
  run: Run,
): Promise<RowsAlone> {
  const singles: (readonly TensorData[])[] = [];
  for (let row = 0; row < rowCount; row++) {
    singles.push(await run(inputs.map((input) => takeRows(input, [row]))));
  }
  const first = singles[0] ?? [];
  const odd = first.find(({ name, shape, data }) => {
    if (shape[0] !== 1) return true;
    return singles.some(
      (outputs) => outputs.find((output) => output.name === name)?.data.length !== data.length,
    );
  });
  if (odd !== undefined) return { first, alone: undefined, odd: odd.name };
  return { first, alone: first.map((_, index) => joinRows(singles.map((outputs) => outputs[index]!))) };
}

/** True where some output has two rows that differ. */
function differ(outputs: readonly TensorData[], rowCount: number): boolean {
  return outputs.some(({ data }) => {
    const perRow = data.length / rowCount;
    for (let i = perRow; i < data.length; i++) {
      const [value, other] = [data[i], data[i % perRow]];
      if (value !== other && !(Number.isNaN(value) && Number.isNaN(other))) return true;
    }
    return false;
  });
}

/** A fixed order in which no row of two or more stays in its place. */
function shuffled(rowCount: number): number[] {
  const rows = Array.from({ length: rowCount }, (_, row) => row);
  const odd = rows.filter((row) => row % 2 === 1);
  return [...odd, ...rows.filter((row) => row % 2 === 0)];
}
