import { counted } from "../counted.ts";

/** Collects what is wrong with the rows of one chunk, one text a row. */
export interface RowFaults {
  readonly size: number;
  /** A row's second fault in the same column is dropped: it follows from the first, or is the first again. */
  add(row: number, column: string, what: string): void;
  has(row: number): boolean;
  /** By row, in no order: `column "age": "39,5" is not a number`, several joined. */
  texts(): Map<number, string>;
}

const LISTED = 3;

/** Makes an empty collection. */
export function createRowFaults(): RowFaults {
  const byRow = new Map<number, Map<string, string>>();
  return {
    get size() {
      return byRow.size;
    },
    add(row, column, what) {
      const faults = byRow.get(row);
      if (faults === undefined) byRow.set(row, new Map([[column, what]]));
      else if (!faults.has(column)) faults.set(column, what);
    },
    has: (row) => byRow.has(row),
    texts() {
      const texts = new Map<number, string>();
      for (const [row, faults] of byRow) {
        const listed = [...faults]
          .slice(0, LISTED)
          .map(([column, what]) => `column ${JSON.stringify(column)}: ${what}`);
        if (faults.size > LISTED) listed.push(`and ${counted(faults.size - LISTED, "more column")}`);
        texts.set(row, listed.join("; "));
      }
      return texts;
    },
  };
}
