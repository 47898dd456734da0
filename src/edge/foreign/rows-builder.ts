/** What every form of rows needs to become a request of ours: tensors of the model's inputs, or rows of its columns. */
import type { JsonObject } from "@bufbuild/protobuf";
import type { PredictRequest } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { ServedModel } from "../../registry/served-model.ts";
import {
  type ModelColumn,
  type ModelInput,
  ModelInputs,
  rowLengths,
} from "../../service/check/model-inputs.ts";
import { MOST_ITEMS } from "../../service/check/rule-outline.ts";
import { counted } from "../../wording/counted.ts";
import { listed, shownName } from "../../wording/field-paths.ts";
import type { JsonFaults } from "../json/json-faults.ts";
import type { ExactJson, ExactObject } from "../json/json-text.ts";
import { textOfB64 } from "../json/model-element.ts";
import { NestedTensor } from "../json/nested-tensor.ts";
import { memberPlace, type RowPlaces } from "./body-place.ts";
import { ColumnTensors } from "./column-tensors.ts";

/** What rows are read with. */
export interface RowsOptions {
  readonly faults: JsonFaults;
  /** No body holds more values. */
  readonly maxValues: number;
}

/** Work that yields where the event loop may be given back. */
export type Steps = Generator<undefined, void>;

/** The values of an input by its name: one for each row. */
export type NamedValues = readonly [name: string, values: ExactJson];

/** A column of the model, or a key of its rows. */
export type NamedColumn = Pick<ModelColumn, "name">;

/** Cells that are made at once. */
const PIECE_CELLS = 8192;
const ROW_BYTES = 56;
const CELL_BYTES = 16;

/** The request on its way; `RequestRows` reads the forms. */
export abstract class RowsBuilder {
  readonly request: PredictRequest;
  /** About what it takes of V8's heap beside the body's own values. */
  heapBytes = 0;
  rowCount = 0;
  places: RowPlaces = { rows: "", cell: (_row, column) => column };
  protected readonly inputs: ModelInputs;
  protected readonly model: ServedModel;
  protected readonly options: RowsOptions;
  protected readonly faults: JsonFaults;
  private cells = 0;

  constructor(model: ServedModel, options: RowsOptions) {
    const { modelName, modelVersion } = model;
    // As `create` makes it, which costs ten times as much.
    this.request = {
      $typeName: "assay.v1.PredictRequest",
      modelName,
      modelVersion,
      requestId: "",
      features: [],
      inputs: [],
      rows: [],
      outputNames: [],
    };
    this.inputs = new ModelInputs(model);
    this.model = model;
    this.options = options;
    this.faults = options.faults;
  }

  /** The input that a column of a table belongs to, or the model's only one; undefined where it is none. */
  inputOf(name: string): ModelInput | undefined {
    return this.inputs.column(name)?.spec ?? this.inputs.input(name) ?? this.inputs.only;
  }

  /** Whether so many cells were looked at that the event loop may be given back. */
  protected isPiece(cells: number): boolean {
    this.cells += cells;
    if (this.cells < PIECE_CELLS) return false;
    this.cells = 0;
    return true;
  }

  /**
   * A tensor for each input that is named, with a row for each item. `columns` are asked for one by one. `told`: inputs of which it was
   * said what is wrong.
   */
  protected *inputColumns(
    columns: Iterable<NamedValues>,
    list: string,
    place: (name: string, row: number) => string = (name, row) => `${memberPlace(list, name)}[${row}]`,
    told: Iterable<ModelInput> = [],
  ): Steps {
    const { inputs, faults, model } = this;
    this.places = { rows: list, cell: (row, column) => place(column, row) };
    const seen = new Set(told);
    let rowCount: number | undefined;
    for (const [name, value] of columns) {
      const spec = inputs.input(name)!;
      if (seen.has(spec)) {
        faults.add(memberPlace(list, name), "came twice, in two spellings", "signature.duplicate_input");
        continue;
      }
      seen.add(spec);
      if (!inputs.hasRows) {
        yield* this.stack(spec, [value], () => memberPlace(list, name));
        continue;
      }
      const rows = asColumn(value);
      if (rowCount === undefined && !this.hasRightCount(rows.length, list)) return;
      rowCount ??= rows.length;
      if (rows.length !== rowCount) {
        const what = `${counted(rows.length, "row")} came, and ${rowCount} in an input before it`;
        faults.add(memberPlace(list, name), what, "signature.row_count");
        continue;
      }
      yield* this.stack(spec, rows, (row) => place(name, row));
    }
    this.rowCount = rowCount ?? 1;
    for (const spec of model.signature.inputs) {
      if (spec.optional || seen.has(spec)) continue;
      const what = `input ${shownName(spec.name)} (${spec.datatype}[${spec.shape.join(",")}]) is missing`;
      faults.add(list, what, "signature.missing_input");
    }
  }

  protected *stack(spec: ModelInput, rows: readonly ExactJson[], place: (row: number) => string): Steps {
    const { faults, model, inputs, options } = this;
    const values = inputs.hasRows ? rows : rows.slice(0, 1);
    const tensor = new NestedTensor(spec, {
      faults,
      tail: rowLengths(spec, model),
      hasRows: inputs.hasRows,
      maxValues: options.maxValues,
      place,
    });
    const steps = tensor.read(values);
    let step = steps.next();
    // What it takes is known from its first piece on.
    this.heapBytes += tensor.heapBytes;
    for (; step.done !== true; step = steps.next()) yield;
    this.request.inputs.push(step.value);
    if (this.isPiece(values.length + tensor.count)) yield;
  }

  /** Makes the rows of a request, cell by cell; of many cells its tensors, which take a fraction of what rows do. */
  protected *fill(
    rowCount: number,
    columns: readonly (NamedColumn | undefined)[],
    cell: (row: number, index: number) => ExactJson,
  ): Steps {
    const { rows } = this.request;
    // Of a model whose columns are looked up, rows are what can be completed.
    const all =
      this.model.features === undefined ? (columns as readonly (ModelColumn | undefined)[]) : undefined;
    const tensors =
      all !== undefined && rowCount * columns.length > PIECE_CELLS
        ? this.columnTensors(rowCount, all)
        : undefined;
    this.heapBytes += tensors?.heapBytes ?? rowCount * (ROW_BYTES + columns.length * CELL_BYTES);
    for (let row = 0; row < rowCount; row++) {
      const made: ExactObject = {};
      for (let index = 0; index < columns.length; index++) {
        const column = columns[index];
        if (column === undefined) continue;
        const value = plainCell(cell(row, index));
        if (tensors === undefined) made[column.name] = value;
        else tensors.put(row, column as ModelColumn, value);
      }
      if (tensors === undefined) rows.push(made as JsonObject);
      if (this.isPiece(columns.length)) yield;
    }
    if (tensors !== undefined) this.request.inputs = tensors.tensors();
  }

  private columnTensors(
    rowCount: number,
    columns: readonly (ModelColumn | undefined)[],
  ): ColumnTensors | undefined {
    const { faults, places, model } = this;
    const place = (row: number, name: string) => places.cell(row, name);
    return ColumnTensors.of(model, columns, { rowCount, faults, place });
  }

  protected hasRightCount(count: number, list: string): boolean {
    if (count === 0) this.faults.add(list, "no rows came; at least one is expected", "repeated.min_items");
    else if (count > MOST_ITEMS.rows) {
      const what = `${counted(count, "row")} came; a request takes ${MOST_ITEMS.rows} at most`;
      this.faults.add(list, what, "repeated.max_items");
    } else if (count > 1 && !this.inputs.hasRows) {
      const what = `${count} rows came; the model has no batch dimension and takes one row a request`;
      this.faults.add(list, what, "signature.row_count");
    } else return true;
    return false;
  }

  protected unknown(name: string, place: () => string): void {
    if (this.faults.isFull) {
      this.faults.addUnseen(1);
      return;
    }
    const what = this.inputs.columns === undefined ? "input" : "column";
    this.faults.add(
      place(),
      `the model has no ${what} ${shownName(name)}${this.inputs.hint(name)}`,
      "signature.unknown_column",
    );
  }

  protected onlyInput(list: string, came: string): ModelInput | undefined {
    const { only, model } = this.inputs;
    if (only !== undefined) return only;
    const names = listed(model.signature.inputs.map(({ name }) => name));
    this.faults.add(list, `${came} came; this model takes its inputs by name: ${names}`, "signature.inputs");
    return undefined;
  }
}

/** One row may come without a list around it. */
export function asColumn(value: ExactJson): readonly ExactJson[] {
  return Array.isArray(value) ? value : [value];
}

/** A cell as `rows` takes it: a value in a list of its own, as it has in tensors of shape [N, 1], and octets that are text. */
export function plainCell(value: ExactJson): ExactJson {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value) && value.length === 1) return plainCell(value[0] as ExactJson);
  return textOfB64(value) ?? value;
}
