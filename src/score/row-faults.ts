/** Collects what is wrong with the rows of one chunk, one text a row. */
export interface RowFaults {
  readonly size: number;
  /** A row's second fault in the same column is dropped: it follows from the first. */
  add(row: number, column: string, what: string): void;
  has(row: number): boolean;
  /** By row, in no order: `column "age": "39,5" is not a number`, several joined. */
  texts(): Map<number, string>;
}

interface Faults {
  text: string;
  column: string;
  count: number;
}

const LISTED = 3;

/** Makes an empty collection. */
export function createRowFaults(): RowFaults {
  const byRow = new Map<number, Faults>();
  return {
    get size() {
      return byRow.size;
    },
    add(row, column, what) {
      const text = `column ${JSON.stringify(column)}: ${what}`;
      const faults = byRow.get(row);
      if (faults === undefined) {
        byRow.set(row, { text, column, count: 1 });
        return;
      }
      if (faults.column === column) return;
      faults.column = column;
      if (++faults.count <= LISTED) faults.text += `; ${text}`;
    },
    has: (row) => byRow.has(row),
    texts() {
      const texts = new Map<number, string>();
      for (const [row, { text, count }] of byRow) {
        texts.set(row, count > LISTED ? `${text}; and ${count - LISTED} more columns` : text);
      }
      return texts;
    },
  };
}
