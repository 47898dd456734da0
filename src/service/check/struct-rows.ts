import type { JsonObject } from "@bufbuild/protobuf";
import { type Column, columnOfName, type RowColumns } from "../../model/row-columns.ts";
import { type ModelSignature, rowShape } from "../../model/signature.ts";
import { type Datatype, isFloat, rowOf } from "../../tensor/datatype.ts";
import { cellPath, shownName } from "../../wording/field-paths.ts";
import type { CheckedInput, CheckedRows } from "./checked-rows.ts";
import type { InputValues } from "./input-values.ts";
import { type Cell, cellFault, readCell } from "./row-cells.ts";
import type { Violations } from "./violations.ts";

/**
 * Checks `rows` and turns them into one array an input. Undefined where a violation was added. The time it takes grows with the cells that
 * came, not with rows × columns of the model.
 */
export function checkRows(
  rows: readonly JsonObject[],
  mapping: RowColumns,
  signature: ModelSignature,
  violations: Violations,
): CheckedRows | undefined {
  const reader = new RowReader(mapping, signature.ignoreUnknownColumns, violations);
  const before = violations.count;
  for (let index = 0; index < rows.length; index++) reader.read(rows[index]!, index);
  reader.checkOptionalColumns(rows.length);
  if (violations.count > before) return undefined;
  return { rowCount: rows.length, inputs: gather(mapping, signature, reader.cells, rows.length) };
}

/** Cells that are checked at once. */
const PIECE_CELLS = 8192;

/** The same of many rows, piece by piece; yields where the event loop may be given back. */
export function* checkManyRows(
  rows: readonly JsonObject[],
  mapping: RowColumns,
  signature: ModelSignature,
  violations: Violations,
): Generator<void, CheckedRows | undefined> {
  const reader = new RowReader(mapping, signature.ignoreUnknownColumns, violations);
  const before = violations.count;
  let cells = 0;
  for (let index = 0; index < rows.length; index++) {
    cells += reader.read(rows[index]!, index) + 1;
    if (cells < PIECE_CELLS) continue;
    cells = 0;
    yield;
  }
  reader.checkOptionalColumns(rows.length);
  if (violations.count > before) return undefined;
  yield;
  return { rowCount: rows.length, inputs: gather(mapping, signature, reader.cells, rows.length) };
}

class RowReader {
  /** By column; of no use once a violation was added. */
  readonly cells: Cell[][];
  private readonly mapping: RowColumns;
  private readonly ignoresUnknown: boolean;
  private readonly violations: Violations;
  private readonly before: number;
  /** The names of the row before and their columns: most rows have the same in the same order. */
  private names: readonly string[] = [];
  private readonly columns: (Column | undefined)[] = [];
  /** The last row that had the column, and how many had it. */
  private readonly lastRow: Int32Array;
  private readonly counts: Int32Array;

  constructor(mapping: RowColumns, ignoresUnknown: boolean, violations: Violations) {
    this.mapping = mapping;
    this.ignoresUnknown = ignoresUnknown;
    this.violations = violations;
    this.before = violations.count;
    this.cells = mapping.columns.map(() => []);
    this.lastRow = new Int32Array(mapping.columns.length).fill(-1);
    this.counts = new Int32Array(mapping.columns.length);
  }

  /** Reads a row; how many cells it has. */
  read(row: JsonObject, index: number): number {
    const { mapping, violations, lastRow, columns, names } = this;
    let missing = mapping.requiredCount;
    const keys = Object.keys(row);
    for (let place = 0; place < keys.length; place++) {
      const name = keys[place]!;
      let column = columns[place];
      if (name !== names[place]) {
        column = columnOfName(name, mapping);
        columns[place] = column;
      }
      if (column === undefined) {
        if (!this.ignoresUnknown) this.addUnknown(index, name);
        continue;
      }
      const { position } = column;
      if (lastRow[position] === index) {
        this.addDuplicate(index, name, column);
        continue;
      }
      lastRow[position] = index;
      this.counts[position]!++;
      if (!column.spec.optional) missing--;
      const value = row[name]!;
      const cell = readCell(value, column);
      if (cell !== undefined) {
        if (violations.count === this.before) this.cells[position]!.push(cell);
      } else if (violations.hasRoom) {
        const { description, rule } = cellFault(value, column);
        violations.add(cellPath(index, name), description, rule);
      } else violations.leaveOut();
    }
    this.names = keys;
    if (missing > 0) this.addMissing(index, missing);
    return keys.length;
  }

  checkOptionalColumns(rowCount: number): void {
    const { columns, byInput } = this.mapping;
    for (const { position, name, spec, inputIndex } of columns) {
      const count = this.counts[position]!;
      // A required column that is missing was named in its row.
      if (!spec.optional || count === rowCount) continue;
      if (count === 0 && byInput[inputIndex]!.every((other) => this.counts[other.position] === 0)) continue;
      this.violations.add(
        "rows",
        `optional column ${shownName(name)} came in ${count} of ${rowCount} rows; send it in all or in none`,
        "signature.optional_column",
      );
    }
  }

  private addUnknown(index: number, name: string): void {
    const { violations, mapping } = this;
    if (!violations.hasRoom) {
      violations.leaveOut();
      return;
    }
    violations.add(
      cellPath(index, name),
      () => `the model has no column ${shownName(name)}${mapping.hints.didYouMean(name)}`,
      "signature.unknown_column",
    );
  }

  private addDuplicate(index: number, name: string, column: Column): void {
    if (!this.violations.hasRoom) {
      this.violations.leaveOut();
      return;
    }
    this.violations.add(
      cellPath(index, name),
      `column ${shownName(column.name)} came twice, under two spellings`,
      "signature.duplicate_column",
    );
  }

  private addMissing(index: number, count: number): void {
    const { violations, lastRow } = this;
    let left = count;
    for (const column of this.mapping.columns) {
      if (left === 0 || !violations.hasRoom) break;
      if (column.spec.optional || lastRow[column.position] === index) continue;
      left--;
      violations.add(
        cellPath(index, column.name),
        `column ${shownName(column.name)} (${column.spec.datatype}) is missing${missingHint(column)}`,
        "signature.missing_column",
      );
    }
    violations.leaveOut(left);
  }
}

function missingHint({ spec }: Column): string {
  return isFloat(spec.datatype) && !spec.rejectNan ? "; send null for a missing value" : "";
}

function gather(
  mapping: RowColumns,
  signature: ModelSignature,
  cells: readonly (readonly Cell[])[],
  rowCount: number,
): CheckedInput[] {
  const inputs: CheckedInput[] = [];
  for (const [inputIndex, spec] of signature.inputs.entries()) {
    const width = mapping.widths[inputIndex]!;
    const columns = mapping.byInput[inputIndex]!;
    if (width === 0 || columns.every(({ position }) => cells[position]!.length === 0)) continue;
    const declared = rowShape(spec, signature);
    const tailShape = declared.map((length) => (length === -1 ? width : length));
    const flat = width === 1 ? cells[columns[0]!.position]! : interleaved(columns, cells, rowCount, width);
    inputs.push({
      name: spec.name,
      datatype: spec.datatype,
      tailShape,
      values: asValues(spec.datatype, flat),
    });
  }
  return inputs;
}

function interleaved(
  columns: readonly Column[],
  cells: readonly (readonly Cell[])[],
  rowCount: number,
  width: number,
): Cell[] {
  const flat = new Array<Cell>(rowCount * width);
  for (const { position, offset } of columns) {
    const values = cells[position]!;
    for (let row = 0; row < rowCount; row++) flat[row * width + offset] = values[row]!;
  }
  return flat;
}

function asValues(datatype: Datatype, flat: readonly Cell[]): InputValues {
  if (datatype === "BYTES") return { kind: "strings", values: flat as string[] };
  if (datatype === "BOOL") return { kind: "booleans", values: flat as boolean[] };
  const { bits } = rowOf(datatype);
  const numbers = flat as number[];
  return { kind: "numbers", values: bits === undefined ? numbers : numbers.map(bits.fromNumber) };
}
