/** Nested lists of JSON, a row each, to one tensor of a model: its lengths and its elements are held against the model's input. */
import type { Tensor } from "../../../gen/assay/v1/tensor_pb.ts";
import type { ModelInput } from "../../service/check/model-inputs.ts";
import { type NumericArray, type NumericDatatype, numericView, rowOf } from "../../tensor/datatype.ts";
import { PackedContents } from "../../tensor/packed-contents.ts";
import { counted } from "../../wording/counted.ts";
import { shownName, shownShape } from "../../wording/field-paths.ts";
import { type JsonFaults, shownValue } from "./json-faults.ts";
import { PIECE_VALUES } from "./json-lists.ts";
import type { ExactJson } from "./json-text.ts";
import { ElementReader, type ModelElement } from "./model-element.ts";

/** What a tensor is read with. */
export interface NestedOptions {
  readonly faults: JsonFaults;
  /** The lengths of a row's axes, -1 where any is taken; undefined: any number of axes too. */
  readonly tail: readonly number[] | undefined;
  /** Axis 0 counts rows; without it there is one row, and the tensor has its shape. */
  readonly hasRows: boolean;
  /** No body holds more values: each takes two octets. */
  readonly maxValues: number;
  /** Where a row stands in the body. */
  place(row: number): string;
}

const NO_OCTETS = new Uint8Array(0);
const TEXT_BYTES = 16;

/** One tensor on its way. */
export class NestedTensor {
  /** About what it takes of V8's heap, or beside it. */
  heapBytes = 0;
  private readonly spec: ModelInput;
  private readonly options: NestedOptions;
  private readonly reader: ElementReader;
  private tail: number[] = [];
  private texts: string[] | undefined = undefined;
  private elements: NumericArray | undefined = undefined;
  private at = 0;
  private row = 0;
  /** Values and lists that were looked at since the event loop could be given back. */
  private looked = 0;
  /** Where the list that is read stands in its row. */
  private readonly indices: number[] = [];

  constructor(spec: ModelInput, options: NestedOptions) {
    this.spec = spec;
    this.options = options;
    this.reader = new ElementReader(spec);
  }

  /** Reads all rows; yields where the event loop may be given back. The tensor is of no use where a fault was added. */
  *read(rows: readonly ExactJson[]): Generator<undefined, Tensor> {
    this.begin(rows);
    const { length: depth } = this.tail;
    const width = product(this.tail);
    for (let row = 0; row < rows.length; row++) {
      this.row = row;
      let value = rows[row] as ExactJson;
      if (width === 1) value = unwrapped(value, depth);
      if (depth === 0 || (width === 1 && !Array.isArray(value))) this.element(value);
      else if (depth === 1 && Array.isArray(value) && value.length <= PIECE_VALUES) this.leaf(value, 0);
      else yield* this.list(value, 0);
      if (this.isPiece(1)) yield;
    }
    return this.tensor(rows.length);
  }

  /** How many elements were read. */
  get count(): number {
    return this.at;
  }

  /** Whether so much was looked at that the event loop may be given back. */
  private isPiece(values: number): boolean {
    this.looked += values;
    if (this.looked < PIECE_VALUES) return false;
    this.looked = 0;
    return true;
  }

  private begin(rows: readonly ExactJson[]): void {
    const { tail } = this.options;
    this.tail = [...(tail ?? axesOf(rows[0]))];
    if (this.tail.includes(-1)) {
      let first = rows[0];
      for (let axis = 0; axis < this.tail.length; axis++) {
        if (this.tail[axis] === -1) this.tail[axis] = Array.isArray(first) ? first.length : 1;
        first = Array.isArray(first) ? first[0] : undefined;
      }
    }
    const count = rows.length * product(this.tail);
    const { datatype } = this.spec;
    if (datatype === "BYTES") {
      this.texts = [];
      this.heapBytes += Math.min(count, this.options.maxValues) * TEXT_BYTES;
      return;
    }
    // Whoever sends fewer values than the lengths say is told so, and needs no room for the rest.
    const room = count <= this.options.maxValues ? count : 0;
    const { elementBytes } = rowOf(datatype);
    this.heapBytes += room * elementBytes;
    this.elements = numericView(datatype as NumericDatatype, new ArrayBuffer(room * elementBytes), 0, room);
  }

  private *list(value: ExactJson, axis: number): Generator<undefined> {
    const { tail } = this;
    const isLeaf = axis === tail.length - 1;
    if (!Array.isArray(value)) {
      this.notAList(value, axis);
      return;
    }
    if (isLeaf) {
      for (let from = 0; from < Math.max(1, value.length); from += PIECE_VALUES) {
        if (from > 0) yield;
        this.leaf(value, axis, from, from + PIECE_VALUES);
      }
      return;
    }
    if (value.length !== tail[axis]) this.wrongLength(value, axis);
    const isOfShortLeaves = axis === tail.length - 2;
    for (let i = 0; i < value.length; i++) {
      const inner = value[i] as ExactJson;
      this.indices.push(i);
      // A generator for each of millions of short lists would cost more than what is in them.
      if (isOfShortLeaves && Array.isArray(inner) && inner.length <= PIECE_VALUES) this.leaf(inner, axis + 1);
      else yield* this.list(inner, axis + 1);
      this.indices.pop();
      if (this.isPiece(1)) yield;
    }
  }

  private leaf(value: readonly ExactJson[], axis: number, from = 0, to = value.length): void {
    if (from === 0 && value.length !== this.tail[axis]) this.wrongLength(value, axis);
    const end = Math.min(to, value.length);
    this.looked += end - from;
    for (let i = from; i < end; i++) {
      const element = this.reader.read(value[i] as ExactJson);
      if (element !== undefined) this.put(element);
      else {
        this.indices.push(i);
        this.wrongElement(value[i] as ExactJson);
        this.indices.pop();
      }
    }
  }

  private element(value: ExactJson): void {
    const element = this.reader.read(value);
    if (element === undefined) this.wrongElement(value);
    else this.put(element);
  }

  private put(element: ModelElement): void {
    if (this.texts !== undefined) this.texts.push(element as string);
    else (this.elements as unknown as ModelElement[])[this.at] = element;
    this.at++;
  }

  private wrongElement(value: ExactJson): void {
    const { faults } = this.options;
    if (faults.isFull) {
      faults.addUnseen(1);
      return;
    }
    const { description, rule } = this.reader.fault(value);
    faults.add(this.place(), description, rule);
  }

  private notAList(value: ExactJson, axis: number): void {
    const { faults } = this.options;
    if (faults.isFull) {
      faults.addUnseen(1);
      return;
    }
    const what = `${shownValue(value)} came; ${this.expected(axis)} is expected`;
    faults.add(this.place(), what, "json.list");
  }

  private wrongLength(value: readonly ExactJson[], axis: number): void {
    const { faults } = this.options;
    if (faults.isFull) {
      faults.addUnseen(1);
      return;
    }
    const expected = this.tail[axis]!;
    const came = `${counted(value.length, "value")} came; ${this.expected(axis)} is expected`;
    faults.add(this.place(), came, value.length < expected ? "signature.too_few" : "signature.too_many");
  }

  private expected(axis: number): string {
    const { name, datatype } = this.spec;
    const lengths = this.tail.slice(axis);
    const what = lengths.length === 1 ? `a list of ${lengths[0]}` : `a list of shape ${shownShape(lengths)}`;
    return `${what} (${datatype} input ${shownName(name)})`;
  }

  private place(): string {
    const { indices, options, row } = this;
    const inner = indices.length === 0 ? "" : `[${indices.join("][")}]`;
    return `${options.place(row)}${inner}`;
  }

  private tensor(rowCount: number): Tensor {
    const { name, datatype } = this.spec;
    const lengths = this.options.hasRows ? [rowCount, ...this.tail] : this.tail;
    const { contents } = rowOf(datatype);
    const head = { $typeName: "assay.v1.Tensor" as const, name, datatype, shape: lengths.map(BigInt) };
    if (contents === undefined) {
      const { buffer } = this.elements!;
      return { ...head, rawContents: new Uint8Array(buffer as ArrayBuffer) };
    }
    const values = this.texts ?? this.elements!;
    return { ...head, contents: new PackedContents(contents, values), rawContents: NO_OCTETS };
  }
}

/** A value of which a row has one may stand in lists of its own, or in none. */
function unwrapped(value: ExactJson, depth: number): ExactJson {
  let inner = value;
  for (let axis = 0; axis < Math.max(1, depth) && Array.isArray(inner) && inner.length === 1; axis++) {
    inner = inner[0] as ExactJson;
  }
  return Array.isArray(inner) ? value : inner;
}

function axesOf(value: ExactJson | undefined): number[] {
  const lengths: number[] = [];
  for (let inner = value; Array.isArray(inner); inner = inner[0]) lengths.push(-1);
  return lengths;
}

function product(lengths: readonly number[]): number {
  return lengths.reduce((count, length) => count * length, 1);
}
