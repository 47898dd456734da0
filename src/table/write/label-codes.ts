import type { DuckDBEnumType, DuckDBVector } from "@duckdb/node-api";
import { clearedBits, type RowRun } from "../duckdb/row-copy.ts";
import { flushRowBytes, rowBytes } from "../duckdb/vector-memory.ts";

/** Writes labels as the numbers that an ENUM has for them. */
export interface LabelCodes {
  /** Writes the labels of these rows to the front of a vector of the type; false, and nothing is written, where one has no number. */
  write(to: DuckDBVector, labels: readonly (string | undefined)[], runs: readonly RowRun[]): boolean;
}

/** Makes the codes of a type. */
export function createLabelCodes({ values }: DuckDBEnumType): LabelCodes {
  const codes = new Map(values.map((value, code) => [value, code]));
  return {
    write(to, labels, runs) {
      const bytes = rowBytes(to)!;
      // DuckDB takes two bytes a number from 256 values on.
      const items =
        bytes.byteLength === to.itemCount
          ? bytes
          : new Uint16Array(bytes.buffer, bytes.byteOffset, to.itemCount);
      const missing: number[] = [];
      let row = 0;
      // Most models have two labels: the last two that came are at hand.
      let last = labels[0];
      let lastCode = codes.get(last ?? "");
      let other = last;
      let otherCode = lastCode;
      for (const { from, count } of runs) {
        for (let source = from; source < from + count; source++, row++) {
          const label = labels[source];
          if (label === undefined) {
            missing.push(row);
            items[row] = 0;
            continue;
          }
          let code = lastCode;
          if (label !== last) {
            if (label !== other) {
              other = last;
              otherCode = lastCode;
              last = label;
              lastCode = codes.get(label);
              code = lastCode;
            } else code = otherCode;
          }
          if (code === undefined) return false;
          items[row] = code;
        }
      }
      flushRowBytes(to, missing.length === 0 ? undefined : clearedBits(to.itemCount, missing));
      return true;
    },
  };
}
