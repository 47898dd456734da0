import { counted } from "../../wording/counted.ts";

const LISTED = 3;

/** Collects what is wrong with the rows of one chunk, one text a row. */
export class RowFaults {
  private readonly byRow = new Map<number, Map<string, string>>();
  private readonly whole = new Map<number, string>();

  get size(): number {
    return this.byRow.size;
  }

  /** What is wrong with a row as a whole; faults of its columns are not told then, since they follow from it. */
  addRow(row: number, what: string): void {
    this.whole.set(row, what);
    if (!this.byRow.has(row)) this.byRow.set(row, new Map());
  }

  /** A row's second fault in the same column is dropped: it follows from the first, or is the first again. */
  add(row: number, column: string, what: string): void {
    const faults = this.byRow.get(row);
    if (faults === undefined) this.byRow.set(row, new Map([[column, what]]));
    else if (!faults.has(column)) faults.set(column, what);
  }

  has(row: number): boolean {
    return this.byRow.has(row);
  }

  /** By row, in no order: `column "age": "39,5" is not a number`, several joined. */
  texts(): Map<number, string> {
    const texts = new Map<number, string>();
    for (const [row, faults] of this.byRow) {
      const whole = this.whole.get(row);
      if (whole !== undefined) {
        texts.set(row, whole);
        continue;
      }
      const listed = [...faults]
        .slice(0, LISTED)
        .map(([column, what]) => `column ${JSON.stringify(column)}: ${what}`);
      const more = faults.size - LISTED;
      if (more > 0) listed.push(`and ${counted(more, "more column")}`);
      texts.set(row, listed.join("; "));
    }
    return texts;
  }
}
