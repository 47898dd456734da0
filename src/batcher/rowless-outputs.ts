import type { TensorData } from "../tensor/tensor-data.ts";

/**
 * The outputs of a model that have no row for each row of the batch, such as a constant: they cannot be shared out, so entries
 * that want one run alone. Known from the signature or found in a run; made by `createRowlessOutputs`.
 */
export interface RowlessOutputs {
  /** Whether none of the outputs that are wanted is one of these; no names mean all outputs. */
  areAvoidedBy(outputNames: readonly string[]): boolean;
  /** Whether each output of a run has `rowCount` rows; remembers those that have not. */
  areAbsentFrom(outputs: readonly TensorData[], rowCount: number): boolean;
}

/** `onFound` is called once for each output that was not among `known`. */
export function createRowlessOutputs(
  known: readonly string[],
  onFound: (outputName: string) => void,
): RowlessOutputs {
  const names = new Set(known);
  return {
    areAvoidedBy(outputNames) {
      if (names.size === 0) return true;
      return outputNames.length > 0 && !outputNames.some((name) => names.has(name));
    },
    areAbsentFrom(outputs, rowCount) {
      let absent = true;
      for (const { name, shape } of outputs) {
        // A length that equals the number of rows by chance does not make them rows.
        if (!names.has(name) && shape[0] === rowCount) continue;
        absent = false;
        if (names.has(name)) continue;
        names.add(name);
        onFound(name);
      }
      return absent;
    },
  };
}
