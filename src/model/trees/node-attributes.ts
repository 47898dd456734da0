import { DATATYPE_NAMES, type Datatype, rowOf } from "../../tensor/datatype.ts";
import { readVarint, visitFields, type WireField } from "../onnx/wire.ts";

const utf8 = new TextDecoder();

const NAME_TAG = (1 << 3) | 2;
/** Texts that lists of equal ones are looked for among. */
const KNOWN_TEXTS = 16;

/** The numbers of a tensor, and their datatype; undefined for one that is not served. */
interface TensorNumbers {
  readonly datatype: Datatype | undefined;
  readonly values: Float64Array;
}

/** Numbers whose count is not known beforehand. */
class NumberList {
  #numbers = new Float64Array(64);
  #length = 0;

  get all(): Float64Array {
    return this.#numbers.subarray(0, this.#length);
  }

  push(number: number): void {
    if (this.#length === this.#numbers.length) {
      const larger = new Float64Array(this.#length * 2);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.#length++] = number;
  }
}

/**
 * The attributes of a node, read where they lie in a file: trees have millions of numbers, which as messages would take ten times
 * the memory, and threads that run models do without the schema of ONNX.
 */
export class NodeAttributes {
  readonly #bytes: Uint8Array;
  readonly #places = new Map<string, { readonly start: number; readonly end: number }>();

  /** Of the NodeProto that lies from `start` to `end`. */
  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    visitFields(bytes, start, end, (field) => {
      if (field.number !== 5 || field.wireType !== 2) return;
      const place = { start: field.valueStart, end: field.end };
      this.#places.set(this.#nameOf(place), place);
    });
  }

  /** A text, or `otherwise` where it is not there. */
  string(name: string, otherwise: string): string {
    let value = otherwise;
    this.#each(name, 4, (field) => {
      value = this.#text(field);
    });
    return value;
  }

  /** An integer within 2^53, or `otherwise` where it is not there. */
  integer(name: string, otherwise: number): number {
    let value = otherwise;
    this.#each(name, 3, (field) => {
      value = Number(this.#integerAt(field.valueStart, field.end));
    });
    return value;
  }

  /** A list of texts; empty where it is not there. Equal ones are one text. */
  strings(name: string): string[] {
    const values: string[] = [];
    const known: { readonly bytes: Uint8Array; readonly text: string }[] = [];
    this.#each(name, 9, ({ valueStart, end }) => {
      let found = known.find(({ bytes }) => this.#holds(bytes, valueStart, end));
      if (found === undefined) {
        const bytes = this.#bytes.subarray(valueStart, end);
        found = { bytes, text: utf8.decode(bytes) };
        if (known.length < KNOWN_TEXTS) known.push(found);
      }
      values.push(found.text);
    });
    return values;
  }

  /** A list of integers within 2^53; empty where it is not there. */
  integers(name: string): Float64Array {
    const values = new NumberList();
    this.#eachInteger(name, (at, end) => values.push(this.#smallInteger(at, end)));
    return values.all;
  }

  /** A list of integers of any size; empty where it is not there. */
  longs(name: string): bigint[] {
    const values: bigint[] = [];
    this.#eachInteger(name, (at, end) => values.push(this.#integerAt(at, end)));
    return values;
  }

  /** A list of floats, empty where it is not there. */
  floats(name: string): Float64Array {
    const values = new NumberList();
    const view = this.#view();
    this.#each(name, 7, ({ valueStart, end }) => {
      for (let at = valueStart; at + 4 <= end; at += 4) values.push(view.getFloat32(at, true));
    });
    return values.all;
  }

  /** The numbers of a one-dimensional tensor with their datatype; undefined where it is not there. */
  numbers(name: string): TensorNumbers | undefined {
    const place = this.#places.get(name);
    if (place === undefined) return undefined;
    let tensor: { start: number; end: number } | undefined;
    this.#visit(place, 5, (field) => {
      tensor = { start: field.valueStart, end: field.end };
    });
    return tensor === undefined ? undefined : this.tensor(tensor);
  }

  /** The numbers of the TensorProto that lies at a place: floats, doubles, integers within 2^53. */
  tensor(place: { readonly start: number; readonly end: number }): TensorNumbers {
    const bytes = this.#bytes;
    const view = this.#view();
    const values = new NumberList();
    let elementType = 0;
    let raw: { start: number; end: number } | undefined;
    visitFields(bytes, place.start, place.end, ({ number, wireType, valueStart, end }) => {
      if (number === 2 && wireType === 0) elementType = readVarint(bytes, valueStart, end);
      else if (number === 4)
        for (let at = valueStart; at + 4 <= end; at += 4) values.push(view.getFloat32(at, true));
      else if (number === 10)
        for (let at = valueStart; at + 8 <= end; at += 8) values.push(view.getFloat64(at, true));
      else if ((number === 5 || number === 7) && wireType === 0)
        values.push(this.#smallInteger(valueStart, end));
      else if ((number === 5 || number === 7) && wireType === 2)
        this.#packed(valueStart, end, (at, to) => values.push(this.#smallInteger(at, to)));
      else if (number === 9 && wireType === 2) raw = { start: valueStart, end };
    });
    const datatype = DATATYPE_NAMES.find((name) => rowOf(name).elementType === elementType);
    if (raw !== undefined) {
      const { start, end } = raw;
      if (datatype === "FP32") for (let at = start; at < end; at += 4) values.push(view.getFloat32(at, true));
      else if (datatype === "FP64")
        for (let at = start; at < end; at += 8) values.push(view.getFloat64(at, true));
      else if (datatype === "INT64")
        for (let at = start; at < end; at += 8) values.push(Number(view.getBigInt64(at, true)));
      else if (datatype === "UINT8") for (let at = start; at < end; at++) values.push(bytes[at]!);
    }
    return { datatype, values: values.all };
  }

  /** Every writer puts the name first; behind it may be millions of numbers. */
  #nameOf(place: { readonly start: number; readonly end: number }): string {
    const { start, end } = place;
    const bytes = this.#bytes;
    const nameEnd = start + 2 + bytes[start + 1]!;
    if (bytes[start] === NAME_TAG && bytes[start + 1]! < 0x80 && nameEnd <= end)
      return utf8.decode(bytes.subarray(start + 2, nameEnd));
    let name = "";
    this.#visit(place, 1, (field) => {
      name = this.#text(field);
    });
    return name;
  }

  #view(): DataView {
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
  }

  #holds(text: Uint8Array, start: number, end: number): boolean {
    if (text.length !== end - start) return false;
    for (let at = 0; at < text.length; at++) if (this.#bytes[start + at] !== text[at]) return false;
    return true;
  }

  #each(name: string, number: number, visit: (field: WireField) => void): void {
    const place = this.#places.get(name);
    if (place !== undefined) this.#visit(place, number, visit);
  }

  #eachInteger(name: string, visit: (at: number, end: number) => void): void {
    this.#each(name, 8, ({ wireType, valueStart, end }) => {
      if (wireType === 0) visit(valueStart, end);
      else this.#packed(valueStart, end, visit);
    });
  }

  #visit(
    { start, end }: { readonly start: number; readonly end: number },
    number: number,
    visit: (field: WireField) => void,
  ): void {
    visitFields(this.#bytes, start, end, (field) => {
      if (field.number === number) visit(field);
    });
  }

  #packed(start: number, end: number, visit: (at: number, end: number) => void): void {
    for (let at = start; at < end; at++) {
      const from = at;
      while (at < end - 1 && this.#bytes[at]! >= 0x80) at++;
      visit(from, at + 1);
    }
  }

  #smallInteger(at: number, end: number): number {
    // Most are small.
    const first = this.#bytes[at]!;
    if (first < 0x80) return first;
    return end - at < 8 ? readVarint(this.#bytes, at, end) : Number(this.#integerAt(at, end));
  }

  #integerAt(at: number, end: number): bigint {
    let value = 0n;
    for (let i = at, shift = 0n; i < end; i++, shift += 7n) value |= BigInt(this.#bytes[i]! & 0x7f) << shift;
    return BigInt.asIntN(64, value);
  }

  #text({ valueStart, end }: WireField): string {
    return utf8.decode(this.#bytes.subarray(valueStart, end));
  }
}
