/** The cells of a table to the tensors of a model's inputs, where a row for each would take many times as much. */
import type { JsonValue } from "@bufbuild/protobuf";
import type { Tensor } from "../../../gen/assay/v1/tensor_pb.ts";
import type { ServedModel } from "../../registry/served-model.ts";
import { type ModelColumn, type ModelInput, rowLengths } from "../../service/check/model-inputs.ts";
import { cellFault, readCell } from "../../service/check/row-cells.ts";
import { type NumericArray, type NumericDatatype, numericView, rowOf } from "../../tensor/datatype.ts";
import { PackedContents } from "../../tensor/packed-contents.ts";
import type { JsonFaults } from "../json/json-faults.ts";
import type { ExactJson } from "../json/json-text.ts";

/** What cells are read with. */
export interface CellsOptions {
  readonly rowCount: number;
  readonly faults: JsonFaults;
  /** Where a cell stands in the body. */
  place(row: number, column: string): string;
}

const NO_OCTETS = new Uint8Array(0);
const TEXT_BYTES = 8;

/** The tensors on their way: `put` each cell, then take them. */
export class ColumnTensors {
  /** About what they take of V8's heap, or beside it. */
  readonly heapBytes: number;
  private readonly options: CellsOptions;
  /** By the input's place in the signature; undefined where the table has none of its columns. */
  private readonly inputs: readonly (InputCells | undefined)[];

  /** Undefined where the table has some columns of an input and not all: whoever checks rows says what is wrong with that. */
  static of(
    model: ServedModel,
    columns: readonly (ModelColumn | undefined)[],
    options: CellsOptions,
  ): ColumnTensors | undefined {
    const { rowColumns, signature } = model;
    if (rowColumns.kind === "unmapped") return undefined;
    const { byInput, widths } = rowColumns.mapping;
    const came = new Set(columns);
    const inputs: (InputCells | undefined)[] = [];
    for (const [index, spec] of signature.inputs.entries()) {
      const ofInput = byInput[index]!;
      const count = ofInput.filter((column) => came.has(column)).length;
      if (count > 0 && count < ofInput.length) return undefined;
      const lengths = rowLengths(spec, model)?.map((length) => (length === -1 ? widths[index]! : length));
      if (count > 0 && lengths === undefined) return undefined;
      inputs.push(count === 0 ? undefined : new InputCells(spec, lengths!, ofInput.length, options.rowCount));
    }
    return new ColumnTensors(inputs, options);
  }

  private constructor(inputs: readonly (InputCells | undefined)[], options: CellsOptions) {
    this.inputs = inputs;
    this.options = options;
    this.heapBytes = inputs.reduce((sum, input) => sum + (input?.heapBytes ?? 0), 0);
  }

  /** Takes one cell, or says what is wrong with it. */
  put(row: number, column: ModelColumn, value: ExactJson): void {
    const cell = readCell(value as JsonValue, column);
    if (cell !== undefined) {
      this.inputs[column.inputIndex]!.put(row, column.offset, cell);
      return;
    }
    const { faults, place } = this.options;
    if (faults.isFull) {
      faults.addUnseen(1);
      return;
    }
    const { description, rule } = cellFault(value as JsonValue, column);
    faults.add(place(row, column.name), description, rule);
  }

  /** All of them; of no use where a fault was added. */
  tensors(): Tensor[] {
    return this.inputs.flatMap((input) => input?.tensor(this.options.rowCount) ?? []);
  }
}

class InputCells {
  readonly heapBytes: number;
  private readonly spec: ModelInput;
  private readonly lengths: readonly number[];
  private readonly width: number;
  private readonly texts: string[] | undefined;
  private readonly elements: NumericArray | undefined;
  private readonly asElement: ((value: number) => number) | undefined;

  constructor(spec: ModelInput, lengths: readonly number[], width: number, rowCount: number) {
    const { bits, elementBytes } = rowOf(spec.datatype);
    const count = rowCount * width;
    this.spec = spec;
    this.lengths = lengths;
    this.width = width;
    this.asElement = bits?.fromNumber;
    this.heapBytes = count * (spec.datatype === "BYTES" ? TEXT_BYTES : elementBytes);
    this.texts = spec.datatype === "BYTES" ? new Array<string>(count).fill("") : undefined;
    this.elements =
      spec.datatype === "BYTES"
        ? undefined
        : numericView(spec.datatype as NumericDatatype, new ArrayBuffer(this.heapBytes), 0, count);
  }

  put(row: number, offset: number, cell: number | string | boolean): void {
    const at = row * this.width + offset;
    const { texts, elements } = this;
    if (texts !== undefined) texts[at] = cell as string;
    else if (elements instanceof BigInt64Array || elements instanceof BigUint64Array)
      elements[at] = BigInt(cell);
    else elements![at] = this.asElement === undefined ? Number(cell) : this.asElement(Number(cell));
  }

  tensor(rowCount: number): Tensor {
    const { name, datatype } = this.spec;
    const shape = [rowCount, ...this.lengths].map(BigInt);
    const head = { $typeName: "assay.v1.Tensor" as const, name, datatype, shape };
    const { contents } = rowOf(datatype);
    if (contents === undefined) {
      return { ...head, rawContents: new Uint8Array(this.elements!.buffer as ArrayBuffer) };
    }
    const values = this.texts ?? this.elements!;
    return { ...head, contents: new PackedContents(contents, values), rawContents: NO_OCTETS };
  }
}
