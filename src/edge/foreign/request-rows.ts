/**
 * Rows of a body in another suite's form to a request of ours, by the model's signature: objects, lists by position, tables with a header,
 * and columns by name. What is wrong with them is told where it stands in the body.
 */
import type { JsonObject } from "@bufbuild/protobuf";
import type { ServedModel } from "../../registry/served-model.ts";
import type { ModelColumn, ModelInput } from "../../service/check/model-inputs.ts";
import { MAX_STRUCT_FIELDS as MOST_COLUMNS } from "../../wire/wire-table.ts";
import { counted } from "../../wording/counted.ts";
import { listed, shownName } from "../../wording/field-paths.ts";
import { nearestName } from "../../wording/nearest-name.ts";
import { shownValue } from "../json/json-faults.ts";
import type { ExactJson, ExactObject } from "../json/json-text.ts";
import { isB64, isObject } from "../json/model-element.ts";
import { memberPlace } from "./body-place.ts";
import {
  asColumn,
  type NamedColumn,
  type NamedValues,
  plainCell,
  RowsBuilder,
  type Steps,
} from "./rows-builder.ts";

/** Where a table with a header stands in its body. */
export interface TablePlaces {
  readonly rows: string;
  readonly header: string;
  name(index: number): string;
  row(index: number): string;
  value(row: number, index: number): string;
  /** Where the value of a column stands that has the place `index` in the header. */
  cell(row: number, column: string, index: number): string;
}

/** Reads the rows of one body. */
export class RequestRows extends RowsBuilder {
  /** A list with an item for each row: objects, or values by position. `list` is its name in the body, empty where it is the body. */
  *rows(value: ExactJson, list: string): Steps {
    if (!Array.isArray(value)) {
      this.faults.add(
        list,
        `${shownValue(value)} came; a list with an item for each row is expected`,
        "json.list",
      );
      return;
    }
    const row = (index: number) => `${list}[${index}]`;
    this.rowCount = value.length;
    if (!this.hasRightCount(value.length, list)) return;
    const first = value[0] as ExactJson;
    if (isObject(first) && !isB64(first)) yield* this.objects(value, list, row);
    else yield* this.lists(value, list, row);
  }

  /** The one tensor that the model takes, whose rows are the items of the list; for models without rows the whole value. */
  *tensor(value: ExactJson, list: string): Steps {
    if (this.inputs.hasRows) {
      yield* this.rows(value, list);
      return;
    }
    this.places = { rows: list, cell: () => list };
    const spec = this.onlyInput(list, "a tensor");
    if (spec !== undefined) yield* this.stack(spec, [value], () => list);
  }

  /** Columns by name: the inputs of the model, or the columns of its rows. */
  *columns(value: ExactObject, list: string): Steps {
    const names = Object.keys(value);
    const place = (name: string) => memberPlace(list, name);
    const { inputs, faults } = this;
    if (names.length === 0) {
      faults.add(list, "no columns came", "signature.missing_input");
      return;
    }
    // Of columns that are looked up rows are made: tensors bring all.
    if (this.model.features === undefined && names.every((name) => inputs.input(name) !== undefined)) {
      yield* this.inputColumns(Object.entries(value), list);
      return;
    }
    const header = names;
    const values = names.map((name) => asColumn(value[name] as ExactJson));
    const rowCount = values[0]!.length;
    this.rowCount = rowCount;
    for (const [index, column] of values.entries()) {
      if (column.length === rowCount) continue;
      const what = `${counted(column.length, "value")} came, and ${rowCount} in ${shownName(names[0]!)}`;
      faults.add(place(names[index]!), what, "signature.row_count");
    }
    const columns = this.headerColumns(header, { header: list, name: (index) => place(header[index]!) });
    if (columns === undefined || faults.count > 0 || !this.hasRightCount(rowCount, list)) return;
    const indexOf = new Map(columns.map((column, index) => [column?.name, index]));
    this.places = {
      rows: list,
      cell: (row, column) => `${place(names[indexOf.get(column) ?? -1] ?? column)}[${row}]`,
    };
    yield* this.fill(rowCount, columns, (row, index) => values[index]![row] as ExactJson);
  }

  /** A table: the names of its columns, and a list of values for each row. */
  *table(header: readonly ExactJson[] | undefined, data: readonly ExactJson[], places: TablePlaces): Steps {
    const { inputs } = this;
    this.rowCount = data.length;
    this.places = { rows: places.rows, cell: (row) => places.row(row) };
    if (!this.hasRightCount(data.length, places.rows)) return;
    if (header !== undefined && header.length > MOST_COLUMNS) {
      const what = `${counted(header.length, "name")} came; no row has more than ${MOST_COLUMNS} columns`;
      this.faults.add(places.header, what, "signature.row_width");
      return;
    }
    const names = header?.map((name) => (typeof name === "string" ? name : String(name)));
    const known =
      names?.some(
        (name) => (inputs.column(name) ?? inputs.input(name)) !== undefined || inputs.isKey(name),
      ) ?? false;
    const isNamed = header?.some((name) => typeof name === "string") ?? false;
    if (names === undefined || (!known && (!isNamed || this.hasUnnamedVector()))) {
      yield* this.lists(data, places.rows, (index) => places.row(index));
      return;
    }
    if (names.some((name) => inputs.column(name) === undefined && inputs.input(name) !== undefined)) {
      yield* this.inputTable(names, data, places);
      return;
    }
    const columns = this.headerColumns(names, places);
    if (!this.areRows(data, names.length, places) || columns === undefined) return;
    const indexOf = new Map(columns.map((column, index) => [column?.name, index]));
    this.places = {
      rows: places.rows,
      cell: (row, column) => places.cell(row, column, indexOf.get(column) ?? 0),
    };
    yield* this.fill(data.length, columns, (row, index) => (data[row] as ExactJson[])[index] as ExactJson);
  }

  private hasUnnamedVector(): boolean {
    const { only, columns } = this.inputs;
    return only !== undefined && columns === undefined;
  }

  private *inputTable(names: readonly string[], data: readonly ExactJson[], places: TablePlaces): Steps {
    const { faults } = this;
    const indexOf = new Map<string, number>();
    for (const [index, name] of names.entries()) {
      if (this.inputs.input(name) === undefined) this.unknown(name, () => places.name(index));
      else if (!indexOf.has(name)) indexOf.set(name, index);
      else if (faults.isFull) faults.addUnseen(1);
      else faults.add(places.name(index), `input ${shownName(name)} came twice`, "signature.duplicate_input");
    }
    if (faults.count > 0 || !this.areRows(data, names.length, places)) return;
    const place = (name: string, row: number) => places.value(row, indexOf.get(name)!);
    yield* this.inputColumns(tableColumns(indexOf, data), places.header, place);
  }

  /** Whether each row of a table is a list as long as its header. */
  private areRows(data: readonly ExactJson[], width: number, places: TablePlaces): boolean {
    const before = this.faults.count;
    for (let row = 0; row < data.length; row++) {
      const value = data[row] as ExactJson;
      if (Array.isArray(value) && value.length === width) continue;
      if (this.faults.isFull) this.faults.addUnseen(1);
      else {
        const came = Array.isArray(value) ? counted(value.length, "value") : shownValue(value);
        const what = `${came} came; the header has ${counted(width, "column")}`;
        this.faults.add(places.row(row), what, "signature.row_width");
      }
    }
    return this.faults.count === before;
  }

  /** The columns that a header means; undefined where they are none of the model's, or not all that it needs. */
  private headerColumns(
    names: readonly string[],
    places: Pick<TablePlaces, "header" | "name">,
  ): (NamedColumn | undefined)[] | undefined {
    const { inputs, faults, model } = this;
    const before = faults.count;
    if (inputs.columns === undefined) {
      // The name of an input, misspelt, rather than those of columns.
      const known = model.signature.inputs.map(({ name }) => name);
      const place = names.findIndex(
        (name) => inputs.input(name) === undefined && nearestName(name, known) !== undefined,
      );
      if (place >= 0) this.unknown(names[place]!, () => places.name(place));
      else faults.add(places.header, noColumns(model), "signature.rows");
      return undefined;
    }
    const seen = new Set<ModelColumn>();
    const columns = names.map((name, index): NamedColumn | undefined => {
      const column = inputs.column(name);
      if (column === undefined) {
        if (inputs.isKey(name)) return { name };
        if (!model.signature.ignoreUnknownColumns) this.unknown(name, () => places.name(index));
      } else if (seen.has(column)) {
        const what = `column ${shownName(column.name)} came twice`;
        faults.add(places.name(index), what, "signature.duplicate_column");
      } else seen.add(column);
      return column;
    });
    for (const column of inputs.columns) {
      if (column.spec.optional || seen.has(column) || inputs.isLookedUp(column)) continue;
      const what = `column ${shownName(column.name)} (${column.spec.datatype}) is missing`;
      faults.add(places.header, what, "signature.missing_column");
    }
    return faults.count === before ? columns : undefined;
  }

  private *objects(rows: readonly ExactJson[], list: string, row: (index: number) => string): Steps {
    const { faults, inputs } = this;
    const objects: ExactObject[] = [];
    for (let index = 0; index < rows.length; index++) {
      const value = rows[index] as ExactJson;
      if (isObject(value)) objects.push(value);
      else if (faults.isFull) faults.addUnseen(1);
      else
        faults.add(
          row(index),
          `${shownValue(value)} came; an object is expected, as the first row is one`,
          "json.object",
        );
    }
    yield;
    const first = Object.keys(objects[0]!);
    if (this.hasUnnamedVector() && !first.some((name) => inputs.column(name) ?? inputs.input(name))) {
      // Names that the model's file does not tell cannot be wrong: their order counts.
      yield* this.inOrder(objects, first, list, row);
      return;
    }
    const isOfInputs = first.some(
      (name) => inputs.column(name) === undefined && inputs.input(name) !== undefined,
    );
    if (isOfInputs || inputs.columns === undefined) {
      if (objects.length === rows.length) yield* this.inputObjects(objects, list, row);
      return;
    }
    this.places = { rows: list, cell: (index, column) => memberPlace(row(index), column) };
    const { request } = this;
    for (const object of objects) {
      const names = Object.keys(object);
      for (const name of names) {
        const value = object[name] as ExactJson;
        if (typeof value === "bigint" || (typeof value === "object" && value !== null))
          object[name] = plainCell(value);
      }
      request.rows.push(object as JsonObject);
      if (this.isPiece(names.length + 1)) yield;
    }
  }

  private *inOrder(
    objects: readonly ExactObject[],
    names: readonly string[],
    list: string,
    row: (index: number) => string,
  ): Steps {
    const before = this.faults.count;
    const values: ExactJson[][] = [];
    for (const [index, object] of objects.entries()) {
      const { length } = Object.keys(object);
      const isAlike = length === names.length;
      if (isAlike && names.every((name) => Object.hasOwn(object, name))) {
        values.push(names.map((name) => object[name] as ExactJson));
      } else if (this.faults.isFull) this.faults.addUnseen(1);
      else {
        const what = `other names came than in the first row (${listed(names)})`;
        this.faults.add(row(index), what, "signature.names");
      }
      if (this.isPiece(length + 1)) yield;
    }
    if (this.faults.count === before) yield* this.lists(values, list, row);
  }

  /** Objects that name the model's inputs, whose values are lists of their own. */
  private *inputObjects(
    objects: readonly ExactObject[],
    list: string,
    row: (index: number) => string,
  ): Steps {
    const names = new Map<string, NameCount>();
    for (const [index, object] of objects.entries()) {
      const keys = Object.keys(object);
      for (const name of keys) {
        const known = names.get(name);
        if (known === undefined) names.set(name, { first: index, count: 1 });
        else known.count++;
      }
      if (this.isPiece(keys.length + 1)) yield;
    }
    const told: ModelInput[] = [];
    for (const [name, { first, count }] of names) {
      const input = this.inputs.input(name);
      if (input === undefined) this.unknown(name, () => memberPlace(row(first), name));
      else if (count < objects.length) {
        told.push(input);
        this.missingInRows(name, objects, objects.length - count, row);
      }
      if (input === undefined || count < objects.length) names.delete(name);
      if (this.isPiece(1)) yield;
    }
    const place = (name: string, index: number) => memberPlace(row(index), name);
    yield* this.inputColumns(objectColumns(names.keys(), objects), list, place, told);
  }

  /** Looks at no more rows than are told of. */
  private missingInRows(
    name: string,
    objects: readonly ExactObject[],
    count: number,
    row: (index: number) => string,
  ): void {
    const { faults } = this;
    let left = count;
    for (let index = 0; left > 0 && !faults.isFull; index++) {
      if (Object.hasOwn(objects[index]!, name)) continue;
      left--;
      const what = `input ${shownName(name)} is missing; the other rows have it`;
      faults.add(memberPlace(row(index), name), what, "signature.missing_input");
    }
    faults.addUnseen(left);
  }

  /** Values by position. */
  private *lists(rows: readonly ExactJson[], list: string, row: (index: number) => string): Steps {
    const { inputs, faults } = this;
    if (inputs.only !== undefined) {
      this.places = { rows: list, cell: row };
      yield* this.stack(inputs.only, rows, row);
      return;
    }
    const all = inputs.columns;
    if (all === undefined) {
      this.onlyInput(list, "a list without names");
      return;
    }
    const required = all.filter(({ spec }) => !spec.optional);
    const first = rows[0] as ExactJson;
    const columns = Array.isArray(first) && first.length === all.length ? all : required;
    for (let index = 0; index < rows.length; index++) {
      const value = rows[index] as ExactJson;
      if (Array.isArray(value) && value.length === columns.length) continue;
      if (faults.isFull) faults.addUnseen(1);
      else {
        const came = Array.isArray(value) ? counted(value.length, "value") : shownValue(value);
        const what = `${came} came; a list of ${columns.length} is expected (${listed(columns.map(({ name }) => name))})`;
        faults.add(row(index), what, "signature.row_width");
      }
    }
    if (faults.count > 0) return;
    const indexOf = new Map(columns.map(({ name }, index) => [name, index]));
    this.places = { rows: list, cell: (index, column) => `${row(index)}[${indexOf.get(column) ?? 0}]` };
    yield* this.fill(
      rows.length,
      columns,
      (index, place) => (rows[index] as ExactJson[])[place] as ExactJson,
    );
  }
}

/** The first row that has a name, and how many have it. */
interface NameCount {
  readonly first: number;
  count: number;
}

/** The columns of objects that all have these names; each is made when it is asked for. */
function* objectColumns(names: Iterable<string>, objects: readonly ExactObject[]): Generator<NamedValues> {
  for (const name of names) yield [name, objects.map((object) => object[name] as ExactJson)];
}

function* tableColumns(
  indexOf: ReadonlyMap<string, number>,
  data: readonly ExactJson[],
): Generator<NamedValues> {
  for (const [name, index] of indexOf) {
    yield [name, data.map((row) => (row as ExactJson[])[index] as ExactJson)];
  }
}

function noColumns({ rowColumns }: ServedModel): string {
  return rowColumns.kind === "unmapped" ? rowColumns.reason : "";
}
