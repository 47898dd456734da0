import type { Tensor, TensorContents } from "../../../gen/assay/v1/tensor_pb.ts";
import type { TensorSpec } from "../../model/signature.ts";
import { type ContentsField, elementBytes, isFloat, rowOf } from "../../tensor/datatype.ts";
import { FiniteTensor } from "../../tensor/finite-tensor.ts";
import { floatReader, mayHoldNonFinite } from "../../tensor/float-bytes.ts";
import { PackedContents, type PackedValues } from "../../tensor/packed-contents.ts";
import { RawTextTensor } from "../../tensor/raw-text-tensor.ts";
import { elementCount } from "../../tensor/tensor-data.ts";
import { type WrongTexts, WrongTextTensor } from "../../tensor/wrong-texts.ts";
import { shownShape } from "../../wording/field-paths.ts";
import type { InputValues } from "../check/input-values.ts";
import {
  exceedsIntegerRange,
  type Fault,
  floatFault,
  floatLimit,
  integerRangeFault,
} from "../check/value-rules.ts";
import type { Violations } from "../check/violations.ts";
import { createElementFaults, type ElementFaults } from "./element-faults.ts";
import { findRawTexts, readRawTexts, readTexts, textFault } from "./text-elements.ts";

const PROTO_NAME: Readonly<Record<ContentsField, string>> = {
  boolContents: "bool_contents",
  intContents: "int_contents",
  int64Contents: "int64_contents",
  uintContents: "uint_contents",
  uint64Contents: "uint64_contents",
  fp32Contents: "fp32_contents",
  fp64Contents: "fp64_contents",
  bytesContents: "bytes_contents",
};

const FIELDS = Object.keys(PROTO_NAME) as ContentsField[];

/** How a tensor is read. */
export interface ReadingOptions {
  /** Axis 0 counts rows. */
  readonly hasRows: boolean;
  /** Only whether there are as many as the shape says: nobody is going to read them. Nothing is returned then. */
  readonly countsOnly: boolean;
}

/** Reads and checks the elements of a tensor whose header fits `spec`. Undefined where a violation was added. */
export function readTensorValues(
  tensor: Tensor,
  shape: readonly number[],
  options: ReadingOptions,
  spec: TensorSpec,
  path: string,
  violations: Violations,
): InputValues | undefined {
  const { contents } = tensor;
  if (contents === undefined && tensor instanceof RawTextTensor) {
    // Whoever made it has read as many as its shape says, each a text that a model can take.
    return options.countsOnly ? undefined : { kind: "strings", values: tensor.texts };
  }
  const { rawContents } = tensor;
  if (contents === undefined) return readRaw(tensor, shape, options, spec, path, violations);
  const before = violations.count;
  const expected = elementCount(shape);
  const set = FIELDS.filter((field) => lengthOf(contents, field) > 0);
  if (rawContents.length > 0 && set.length > 0) {
    violations.add(path, "both contents and raw_contents came; send one of them", "tensor.one_form");
    return undefined;
  }
  if (rawContents.length > 0) return readRaw(tensor, shape, options, spec, path, violations);
  const { contents: field } = rowOf(spec.datatype);
  if (field === undefined) {
    violations.add(
      `${path}.contents`,
      `${spec.datatype} values come only as raw_contents`,
      "tensor.contents",
    );
    return undefined;
  }
  const wrong = set.find((name) => name !== field);
  if (wrong !== undefined) {
    violations.add(
      `${path}.contents.${PROTO_NAME[wrong]}`,
      `${spec.datatype} values belong in ${PROTO_NAME[field]}`,
      "tensor.contents",
    );
    return undefined;
  }
  const valuesPath = `${path}.contents.${PROTO_NAME[field]}`;
  const count = lengthOf(contents, field);
  if (count !== expected) {
    const description = `${count} values came; shape ${shownShape(shape)} takes ${expected}`;
    violations.add(valuesPath, description, "tensor.value_count");
    return undefined;
  }
  if (options.countsOnly) return undefined;
  const place = elementPlace(valuesPath, shape, options.hasRows, violations);
  const values = typedValues(contents, field, spec, place);
  return violations.count > before ? undefined : values;
}

function typedValues(
  contents: TensorContents,
  field: ContentsField,
  spec: TensorSpec,
  place: ElementPlace,
): InputValues {
  if (contents instanceof PackedContents) return packedValues(contents, spec, place);
  if (field === "bytesContents") {
    const { bytesContents } = contents;
    const faults = elementFaults(place, (index) => textFault(bytesContents[index]!));
    return { kind: "strings", values: readTexts(bytesContents, faults) };
  }
  if (field === "boolContents") return { kind: "booleans", values: contents.boolContents };
  if (field === "int64Contents" || field === "uint64Contents")
    return { kind: "integers", values: contents[field] };
  const values = contents[field];
  if (isFloat(spec.datatype)) checkFloats(values, spec, place);
  else if (elementBytes(spec.datatype) < 4) checkIntegers(values, spec, place);
  return { kind: "numbers", values };
}

/** The number of values without a list of them. */
function lengthOf(contents: TensorContents, field: ContentsField): number {
  if (!(contents instanceof PackedContents)) return contents[field].length;
  return field === contents.field ? contents.values.length : 0;
}

/** Texts were read, and what of them no model can take was found; flags are 0 or 1. */
function packedValues({ values, wrong }: PackedContents, spec: TensorSpec, place: ElementPlace): InputValues {
  const { datatype } = spec;
  if (isTexts(values)) {
    if (wrong !== undefined) addWrongTexts(wrong, place);
    return { kind: "strings", values };
  }
  const numbers = values as ArrayLike<number>;
  if (isFloat(datatype)) checkFloats(numbers, spec, place);
  if (values.BYTES_PER_ELEMENT !== elementBytes(datatype)) {
    checkIntegers(numbers, spec, place);
    return { kind: "numbers", values: numbers };
  }
  return { kind: "raw", bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}

function isTexts(values: PackedValues): values is readonly string[] {
  return Array.isArray(values);
}

function checkFloats(values: ArrayLike<number>, spec: TensorSpec, place: ElementPlace): void {
  const { datatype, rejectNan } = spec;
  const limit = floatLimit(datatype);
  const describe = (index: number): Fault => floatFault(values[index]!, datatype, rejectNan)!;
  const faults = elementFaults(place, describe);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Math.abs(value) <= limit) continue;
    if (rejectNan || !Number.isNaN(value)) faults.add(i);
  }
}

function checkIntegers(values: ArrayLike<number>, { datatype }: TensorSpec, place: ElementPlace): void {
  const describe = (index: number): Fault => integerRangeFault(BigInt(values[index]!), datatype)!;
  const faults = elementFaults(place, describe);
  for (let i = 0; i < values.length; i++) {
    if (exceedsIntegerRange(values[i]!, datatype)) faults.add(i);
  }
}

/** Where elements stand, for messages. */
interface ElementPlace {
  readonly path: string;
  readonly rowElements: number | undefined;
  readonly violations: Violations;
}

function elementPlace(
  path: string,
  shape: readonly number[],
  hasRows: boolean,
  violations: Violations,
): ElementPlace {
  return { path, rowElements: hasRows ? elementCount(shape.slice(1)) : undefined, violations };
}

function elementFaults(place: ElementPlace, describe: (index: number) => Fault): ElementFaults {
  return createElementFaults(place.path, place.rowElements, place.violations, describe);
}

function addWrongTexts({ count, kept }: WrongTexts, place: ElementPlace): void {
  let current = 0;
  const faults = elementFaults(place, () => textFault(kept[current]!.octets));
  for (; current < kept.length; current++) faults.add(kept[current]!.index);
  place.violations.leaveOut(count - kept.length);
}

function readRaw(
  tensor: Tensor,
  shape: readonly number[],
  { hasRows, countsOnly }: ReadingOptions,
  spec: TensorSpec,
  path: string,
  violations: Violations,
): InputValues | undefined {
  const { rawContents: bytes } = tensor;
  const before = violations.count;
  const expected = elementCount(shape);
  const size = spec.datatype === "BYTES" ? 1 : elementBytes(spec.datatype);
  const isWhole = spec.datatype !== "BYTES" && bytes.length === expected * size;
  if (isWhole && isFloat(spec.datatype)) {
    if (tensor instanceof FiniteTensor || !mayHoldNonFinite(bytes, spec.datatype))
      return { kind: "raw", bytes };
  }
  const rawPath = `${path}.raw_contents`;
  const place = elementPlace(rawPath, shape, hasRows, violations);
  if (spec.datatype === "BYTES") {
    if (countsOnly && expected * 4 <= bytes.length) return undefined;
    if (tensor instanceof WrongTextTensor && tensor.wrong !== undefined) {
      addWrongTexts(tensor.wrong, place);
      return undefined;
    }
    const places = tensor instanceof WrongTextTensor ? undefined : findRawTexts(bytes, expected);
    if (places === undefined) {
      const description = `${bytes.length} bytes are not ${expected} strings, each with its 4-byte length before it`;
      violations.add(rawPath, description, "tensor.raw_length");
      return undefined;
    }
    const { starts, ends } = places;
    const describe = (index: number): Fault => textFault(bytes.subarray(starts[index]!, ends[index]!));
    const values = readRawTexts(places, elementFaults(place, describe));
    return violations.count > before ? undefined : { kind: "strings", values };
  }
  if (!isWhole) {
    violations.add(
      rawPath,
      `${bytes.length} bytes came; ${spec.datatype}${shownShape(shape)} takes ${expected * size}`,
      "tensor.raw_length",
    );
    return undefined;
  }
  if (countsOnly) return undefined;
  checkRawValues(bytes, spec, place);
  return violations.count > before ? undefined : { kind: "raw", bytes };
}

function checkRawValues(bytes: Uint8Array, spec: TensorSpec, place: ElementPlace): void {
  const { datatype, rejectNan } = spec;
  if (datatype === "BOOL") {
    const faults = elementFaults(place, (index) => ({
      rule: "value.range",
      description: `${bytes[index]} came; a BOOL byte is 0 or 1`,
    }));
    for (let i = 0; i < bytes.length; i++) if (bytes[i]! > 1) faults.add(i);
    return;
  }
  if (!isFloat(datatype)) return;
  const read = floatReader(bytes, datatype);
  const faults = elementFaults(place, (index) => floatFault(read(index), datatype, rejectNan)!);
  const count = bytes.length / elementBytes(datatype);
  for (let i = 0; i < count; i++) {
    const value = read(i);
    if (Number.isFinite(value)) continue;
    if (rejectNan || !Number.isNaN(value)) faults.add(i);
  }
}
