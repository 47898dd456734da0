import { isFloat, numberOf, rowOf } from "../../tensor/datatype.ts";
import type { TensorData } from "../../tensor/tensor-data.ts";

/** The distance that a number may have from the expected one: `abs + rel × |expected|`. */
export interface Tolerance {
  readonly abs: number;
  readonly rel: number;
}

/** Alone and together: kernels and the order of sums change with the batch size. */
export const ROW_TOLERANCE: Tolerance = { abs: 1e-5, rel: 1e-4 };

/** The same where numbers are kept in half precision. */
export const HALF_TOLERANCE: Tolerance = { abs: 1e-2, rel: 1e-2 };

/** The first place where outputs are not as expected. */
export interface Mismatch {
  readonly output: string;
  readonly row: number;
  readonly description: string;
}

/**
 * Compares outputs with expected ones of the same rows, row by row. Numbers agree within the tolerance (wider for floats of 16 bits),
 * whatever their types; NaN equals NaN. Labels are equal, unless the row's two highest values in a float matrix beside them lie
 * within the tolerance. `[N]` and `[N,1]` are the same.
 */
export function compareOutputs(
  actual: readonly TensorData[],
  expected: readonly TensorData[],
  rowCount: number,
  tolerance: Tolerance,
): Mismatch | undefined {
  for (const wanted of expected) {
    const output = actual.find(({ name }) => name === wanted.name);
    if (output === undefined) return { output: wanted.name, row: 0, description: "did not come" };
    if (output.data.length !== wanted.data.length) {
      const description = `shape [${output.shape.join(",")}] came, [${wanted.shape.join(",")}] expected`;
      return { output: wanted.name, row: 0, description };
    }
    const perRow = rowCount === 0 ? 0 : wanted.data.length / rowCount;
    for (let i = 0; i < wanted.data.length; i++) {
      if (agrees(valueAt(output, i), valueAt(wanted, i), toleranceFor(output, wanted, tolerance))) continue;
      const row = Math.floor(i / perRow);
      if (!isFloat(output.datatype) && isUndecided(row, rowCount, actual, tolerance)) continue;
      const description = `${valueAt(output, i)} came, ${valueAt(wanted, i)} expected`;
      return { output: wanted.name, row, description };
    }
  }
  return undefined;
}

function agrees(came: number | string, wanted: number | string, { abs, rel }: Tolerance): boolean {
  if (typeof came === "string" || typeof wanted === "string") return String(came) === String(wanted);
  if (came === wanted || (Number.isNaN(came) && Number.isNaN(wanted))) return true;
  if (!Number.isFinite(came) || !Number.isFinite(wanted)) return false;
  return Math.abs(came - wanted) <= abs + rel * Math.abs(wanted);
}

/** Whole numbers and labels have to be equal. */
function toleranceFor(output: TensorData, wanted: TensorData, tolerance: Tolerance): Tolerance {
  if (!isFloat(output.datatype) && !isFloat(wanted.datatype)) return { abs: 0, rel: 0 };
  if (rowOf(output.datatype).bits === undefined) return tolerance;
  const { abs, rel } = HALF_TOLERANCE;
  return { abs: Math.max(abs, tolerance.abs), rel: Math.max(rel, tolerance.rel) };
}

/** True where the two highest values of the row's probabilities are too near each other to tell the label. */
function isUndecided(
  row: number,
  rowCount: number,
  outputs: readonly TensorData[],
  tolerance: Tolerance,
): boolean {
  for (const matrix of outputs) {
    if (!isFloat(matrix.datatype) || matrix.shape.length !== 2 || matrix.shape[0] !== rowCount) continue;
    const columns = matrix.shape[1]!;
    const values = Array.from({ length: columns }, (_, c) => Number(valueAt(matrix, row * columns + c)));
    values.sort((a, b) => b - a);
    if (columns >= 2 && agrees(values[1]!, values[0]!, toleranceFor(matrix, matrix, tolerance))) return true;
  }
  return false;
}

/** Whole numbers beyond 2^53 compare as text. */
function valueAt(tensor: TensorData, index: number): number | string {
  const value = tensor.data[index]!;
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return typeof value === "string" ? value : numberOf(tensor.datatype, value);
}
