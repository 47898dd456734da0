/** The `data` of an input to the array that its datatype has: numbers once, flat or nested as the shape says. */
import type { Tensor } from "../../../gen/assay/v1/tensor_pb.ts";
import { stringFault } from "../../service/check/value-rules.ts";
import { type Datatype, isDatatype, type NumericArray, rowOf } from "../../tensor/datatype.ts";
import { PackedContents } from "../../tensor/packed-contents.ts";
import { type JsonFaults, shownValue } from "../json/json-faults.ts";
import { PIECE_VALUES } from "../json/json-lists.ts";
import { floatOf, integerOf } from "../json/json-number.ts";
import type { ExactJson } from "../json/json-text.ts";
import { TensorNumbers } from "./tensor-numbers.ts";

/** Reads `data` into the tensor, whose shape and datatype are there. Yields where the event loop may be given back. */
export function* readData(
  json: ExactJson | TensorNumbers,
  tensor: Tensor,
  place: string,
  faults: JsonFaults,
): Generator<void> {
  const { datatype } = tensor;
  if (!isDatatype(datatype)) return;
  if (rowOf(datatype).contents === undefined) {
    const what = `JSON carries no ${datatype}; send its bytes behind the JSON, with binary_data_size in the input's parameters`;
    faults.add(place, what, "json.datatype");
    return;
  }
  if (json instanceof TensorNumbers) {
    if (json.lengths.length > 1 && !fits(json.lengths, tensor, place, faults)) return;
    yield;
    const { values, count, nullAt } = json;
    const numbers = values.subarray(0, count);
    if (nullAt < 0 || rowOf(datatype).kind === "float") yield* readNumbers(numbers, tensor, place, faults);
    else
      faults.add(`${place}[${nullAt}]`, `null or NaN came; ${expected(datatype)} is expected`, "json.number");
    return;
  }
  // What has no axes may stand without a list, as numpy writes it.
  const list = tensor.shape.length === 0 && !Array.isArray(json) ? [json] : json;
  if (!Array.isArray(list)) {
    faults.add(place, `${shownValue(list)} came; a list is expected`, "json.list");
    return;
  }
  const nested = yield* flattened(list);
  if (typeof nested === "string") {
    faults.add(place, nested, "json.nesting");
    return;
  }
  if (nested.lengths.length > 1 && !fits(nested.lengths, tensor, place, faults)) return;
  yield* readValues(nested.values, tensor, place, faults);
}

function* readNumbers(
  numbers: Float64Array,
  tensor: Tensor,
  place: string,
  faults: JsonFaults,
): Generator<void> {
  const datatype = tensor.datatype as Datatype;
  const { kind, largest, contents } = rowOf(datatype);
  if (kind === "float") {
    const narrow = datatype === "FP32" ? yield* narrowed(numbers, largest!) : undefined;
    // What is too large is told with its own value by whoever checks it.
    tensor.contents = new PackedContents(contents!, narrow ?? numbers);
    return;
  }
  if (kind === "integer") yield* readIntegers(numbers, tensor, place, faults);
  else if (kind === "text") {
    // None of them is one: what all of them are need not be looked at.
    let told = 0;
    for (; told < numbers.length && !faults.isFull; told++)
      wrongValue(numbers[told]!, datatype, `${place}[${told}]`, faults);
    faults.addUnseen(numbers.length - told);
  } else yield* readValues(numbers, tensor, place, faults);
}

/** Numbers as FP32; undefined where one is too large. */
function* narrowed(numbers: Float64Array, largest: number): Generator<void, Float32Array | undefined> {
  const values = new Float32Array(numbers.length);
  for (let from = 0; from < numbers.length; from += LOOK_VALUES) {
    const piece = numbers.subarray(from, from + LOOK_VALUES);
    for (let i = 0; i < piece.length; i++) if (Math.abs(piece[i]!) > largest) return undefined;
    values.set(piece, from);
    if (from + LOOK_VALUES < numbers.length) yield;
  }
  return values;
}

/** Whole numbers up to 2^53, of whatever integer datatype. */
function* readIntegers(
  numbers: Float64Array,
  tensor: Tensor,
  place: string,
  faults: JsonFaults,
): Generator<void> {
  const datatype = tensor.datatype as Datatype;
  const { contents, range } = rowOf(datatype);
  const least = Number(range![0]);
  const most = Number(range![1]);
  const target = arrayFor(datatype, numbers.length);
  // A bigint for each would cost more than all else.
  const halves = target.BYTES_PER_ELEMENT === 8 ? new Int32Array(target.buffer) : undefined;
  for (let i = 0; i < numbers.length; i++) {
    const value = numbers[i]!;
    if (!(value >= least && value <= most) || value !== Math.floor(value)) {
      wrongValue(value, datatype, `${place}[${i}]`, faults);
    } else if (halves === undefined) target[i] = value;
    else {
      halves[2 * i] = value;
      halves[2 * i + 1] = Math.floor(value / 2 ** 32);
    }
    if (i % LOOK_VALUES === LOOK_VALUES - 1) yield;
  }
  tensor.contents = new PackedContents(contents!, target);
}

/** So many take less than a millisecond. */
const LOOK_VALUES = 131_072;

/** Values of any kind, each looked at by itself. */
function* readValues(
  values: ArrayLike<ExactJson>,
  tensor: Tensor,
  place: string,
  faults: JsonFaults,
): Generator<void> {
  const datatype = tensor.datatype as Datatype;
  const { kind, contents, range } = rowOf(datatype);
  const target = kind === "text" ? new Array<string>(values.length) : arrayFor(datatype, values.length);
  const read = READERS[kind];
  const least = range?.[0] ?? 0n;
  const most = range?.[1] ?? 0n;
  const isLong = target instanceof BigInt64Array || target instanceof BigUint64Array;
  for (let i = 0; i < values.length; i++) {
    let value = read(values[i]!);
    if (kind === "integer" && value !== undefined) {
      const whole = value as bigint;
      value = whole < least || whole > most ? undefined : isLong ? whole : Number(whole);
    }
    if (value === undefined) wrongValue(values[i]!, datatype, `${place}[${i}]`, faults);
    else (target as unknown[])[i] = value;
    if (i % PIECE_VALUES === PIECE_VALUES - 1) yield;
  }
  tensor.contents = new PackedContents(contents!, target);
}

type Kind = ReturnType<typeof rowOf>["kind"];

const READERS: Readonly<Record<Kind, (value: ExactJson) => unknown>> = {
  flag: (value) => (value === true || value === 1 ? 1 : value === false || value === 0 ? 0 : undefined),
  // In a tensor of floats nothing but a number may be missing.
  float: (value) => (value === null ? Number.NaN : floatOf(value)),
  integer: integerOf,
  text: (value) => (typeof value === "string" && !value.includes("\0") ? value.toWellFormed() : undefined),
};

/** Floats are kept as they came, for whoever checks their range. */
function arrayFor(datatype: Datatype, length: number): NumericArray {
  if (rowOf(datatype).kind === "float") return new Float64Array(length);
  return new (rowOf(datatype).View!)(new ArrayBuffer(length * rowOf(datatype).elementBytes), 0, length);
}

function wrongValue(value: ExactJson, datatype: Datatype, place: string, faults: JsonFaults): void {
  if (faults.isFull) {
    faults.addUnseen(1);
    return;
  }
  const fault = typeof value === "string" && datatype === "BYTES" ? stringFault(value) : undefined;
  if (fault !== undefined) faults.add(place, fault.description, fault.rule);
  else faults.add(place, `${shownValue(value)} came; ${expected(datatype)} is expected`, "json.value");
}

function expected(datatype: Datatype): string {
  const { kind, range } = rowOf(datatype);
  if (kind === "integer") return `a whole number from ${range![0]} to ${range![1]}`;
  return { flag: "true or false", float: "a number, or null where it is missing", text: "a text" }[kind];
}

/** Whether lists are nested as the shape says; axes of one item may be left out or added. */
function fits(lengths: readonly number[], tensor: Tensor, place: string, faults: JsonFaults): boolean {
  const shape = tensor.shape.map(Number);
  if (!differsBeyondOnes(lengths, shape)) return true;
  const what = `the lists are nested as [${lengths.join(",")}]; the shape is [${shape.join(",")}]`;
  faults.add(place, what, "json.nesting");
  return false;
}

/** Whether two shapes differ in more than axes of one item. */
export function differsBeyondOnes(lengths: readonly number[], shape: readonly number[]): boolean {
  const without = (axes: readonly number[]) => axes.filter((length) => length !== 1).join(",");
  return without(lengths) !== without(shape);
}

interface Nested {
  readonly values: readonly ExactJson[];
  readonly lengths: readonly number[];
}

/** Nested lists as one; where they are uneven, what is wrong. */
function* flattened(list: readonly ExactJson[]): Generator<void, Nested | string> {
  let level = list;
  const lengths = [list.length];
  let looked = 0;
  while (Array.isArray(level[0])) {
    const inner: ExactJson[] = [];
    const { length } = level[0];
    for (const item of level) {
      if (!Array.isArray(item)) return `${shownValue(item)} stands beside lists`;
      if (item.length !== length) {
        return `a list of ${item.length} stands beside one of ${length}: the lists of an axis are as long as each other`;
      }
      for (const value of item) {
        inner.push(value);
        if (++looked % PIECE_VALUES === 0) yield;
      }
      if (++looked % PIECE_VALUES === 0) yield;
    }
    lengths.push(length);
    level = inner;
  }
  for (let i = 0; i < level.length; i++) {
    if (Array.isArray(level[i])) return "a list stands beside values";
    if (i % PIECE_VALUES === PIECE_VALUES - 1) yield;
  }
  return { values: level, lengths };
}
