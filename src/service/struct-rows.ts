import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { exporterSpelling } from "../model/column-names.ts";
import type { ModelSignature } from "../model/signature.ts";
import { didYouMean } from "../nearest-name.ts";
import { numberToHalf } from "../tensor/half-float.ts";
import type { CheckedInput, CheckedRows } from "./checked-rows.ts";
import type { InputValues } from "./input-values.ts";
import type { Column, RowColumns } from "./row-columns.ts";
import { type Fault, floatFault, integerFault, isFloat, stringFault } from "./value-rules.ts";
import type { Violations } from "./violations.ts";

/** Checks `rows` and turns them into one array an input. Undefined where a violation was added. */
export function checkRows(
  rows: readonly JsonObject[],
  mapping: RowColumns,
  signature: ModelSignature,
  violations: Violations,
): CheckedRows | undefined {
  const before = violations.count;
  const cells = new Map<Column, (number | string | boolean)[]>();
  for (const column of mapping.columns) cells.set(column, []);
  for (const [index, row] of rows.entries()) {
    readRow(row, index, mapping, signature.ignoreUnknownColumns, cells, violations);
  }
  checkOptionalColumns(cells, rows.length, violations);
  if (violations.count > before) return undefined;
  return { rowCount: rows.length, inputs: gather(mapping, signature, cells, rows.length) };
}

function readRow(
  row: JsonObject,
  index: number,
  mapping: RowColumns,
  ignoreUnknown: boolean,
  cells: Map<Column, (number | string | boolean)[]>,
  violations: Violations,
): void {
  for (const name of Object.keys(row)) {
    const column = mapping.byName.get(name) ?? columnOfExporter(name, mapping);
    if (column === undefined) {
      if (ignoreUnknown) continue;
      const hint = didYouMean(name, mapping.byName.keys());
      violations.add(
        cellPath(index, name),
        `the model has no column ${JSON.stringify(name)}${hint}`,
        "signature.unknown_column",
      );
      continue;
    }
    const values = cells.get(column)!;
    if (values.length > index) {
      violations.add(
        cellPath(index, name),
        `column ${JSON.stringify(column.name)} came twice, under two spellings`,
        "signature.duplicate_column",
      );
      continue;
    }
    const cell = readCell(row[name]!, column);
    if (typeof cell === "object") violations.add(cellPath(index, name), cell.description, cell.rule);
    // A faulty cell keeps its place, so that later rows are checked against the right index.
    values.push(typeof cell === "object" ? 0 : cell);
  }
  for (const [column, values] of cells) {
    if (values.length > index || column.spec.optional) continue;
    violations.add(
      cellPath(index, column.name),
      `column ${JSON.stringify(column.name)} (${column.spec.datatype}) is missing${missingHint(column)}`,
      "signature.missing_column",
    );
    values.push(0);
  }
}

function missingHint({ spec }: Column): string {
  return isFloat(spec.datatype) && !spec.rejectNan ? "; send null for a missing value" : "";
}

/** A column of mixed signs, `hours-per week`, whose input an exporter called `hours_per_week`. */
function columnOfExporter(name: string, mapping: RowColumns): Column | undefined {
  const column = mapping.byName.get(exporterSpelling(name));
  return column?.spec.featureNames.length === 0 ? column : undefined;
}

function checkOptionalColumns(
  cells: Map<Column, (number | string | boolean)[]>,
  rowCount: number,
  violations: Violations,
): void {
  for (const [column, values] of cells) {
    if (values.length === 0 || values.length === rowCount) continue;
    violations.add(
      "rows",
      `optional column ${JSON.stringify(column.name)} came in ${values.length} of ${rowCount} rows; send it in all or in none`,
      "signature.optional_column",
    );
  }
}

function readCell(value: JsonValue, column: Column): number | string | boolean | Fault {
  const { spec } = column;
  if (spec.datatype === "BYTES") {
    if (typeof value !== "string") return wrongType(value, "a string", column);
    return stringFault(value) ?? value;
  }
  if (spec.datatype === "BOOL")
    return typeof value === "boolean" ? value : wrongType(value, "true or false", column);
  if (isFloat(spec.datatype)) {
    if (value === null) return floatFault(Number.NaN, spec.datatype, spec.rejectNan) ?? Number.NaN;
    if (typeof value === "boolean") return value ? 1 : 0;
    if (typeof value !== "number") return wrongType(value, "a number or null", column);
    return floatFault(value, spec.datatype, spec.rejectNan) ?? value;
  }
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value !== "number") return wrongType(value, "a whole number", column);
  return integerFault(value, spec.datatype) ?? value;
}

function wrongType(value: JsonValue, expected: string, column: Column): Fault {
  const came =
    value === null
      ? "null"
      : Array.isArray(value)
        ? "a list"
        : typeof value === "object"
          ? "an object"
          : JSON.stringify(value).slice(0, 60);
  return {
    rule: "signature.type",
    description: `${came} came; column ${JSON.stringify(column.name)} takes ${expected}`,
  };
}

function gather(
  mapping: RowColumns,
  signature: ModelSignature,
  cells: ReadonlyMap<Column, readonly (number | string | boolean)[]>,
  rowCount: number,
): CheckedInput[] {
  const inputs: CheckedInput[] = [];
  for (const [inputIndex, spec] of signature.inputs.entries()) {
    const width = mapping.widths[inputIndex]!;
    const columns = mapping.columns.filter((column) => column.inputIndex === inputIndex);
    if (width === 0 || columns.every((column) => cells.get(column)!.length === 0)) continue;
    const flat: (number | string | boolean)[] =
      width === 1 ? [...cells.get(columns[0]!)!] : new Array(rowCount * width);
    if (width > 1) {
      for (const column of columns) {
        const values = cells.get(column)!;
        for (let row = 0; row < rowCount; row++) flat[row * width + column.offset] = values[row]!;
      }
    }
    const declared = signature.batching === "no-batch-dimension" ? spec.shape : spec.shape.slice(1);
    const tailShape = declared.map((length) => (length === -1 ? width : length));
    inputs.push({
      name: spec.name,
      datatype: spec.datatype,
      tailShape,
      values: asValues(spec.datatype, flat),
    });
  }
  return inputs;
}

function asValues(datatype: string, flat: (number | string | boolean)[]): InputValues {
  if (datatype === "BYTES") return { kind: "strings", values: flat as string[] };
  if (datatype === "BOOL") return { kind: "booleans", values: flat as boolean[] };
  if (datatype === "FP16") return { kind: "numbers", values: (flat as number[]).map(numberToHalf) };
  return { kind: "numbers", values: flat as number[] };
}

function cellPath(row: number, column: string): string {
  return `rows[${row}].fields[${JSON.stringify(column)}]`;
}
