import type { Tensor, TensorContents } from "../../gen/assay/v1/tensor_pb.ts";
import type { TensorSpec } from "../model/signature.ts";
import { type Datatype, ELEMENT_BYTES } from "../tensor/datatype.ts";
import { floatReader, mayHoldNonFinite } from "../tensor/float-bytes.ts";
import { elementCount } from "../tensor/tensor-data.ts";
import { createElementFaults, type ElementFaults } from "./element-faults.ts";
import type { InputValues } from "./input-values.ts";
import { floatFault, floatLimit, integerRangeFault, isFloat, stringFault } from "./value-rules.ts";
import type { Violations } from "./violations.ts";

type ContentsField = Exclude<keyof TensorContents, `$${string}`>;

const FIELD: Readonly<Record<Exclude<Datatype, "FP16">, ContentsField>> = {
  BOOL: "boolContents",
  INT8: "intContents",
  INT16: "intContents",
  INT32: "intContents",
  INT64: "int64Contents",
  UINT8: "uintContents",
  UINT16: "uintContents",
  UINT32: "uintContents",
  UINT64: "uint64Contents",
  FP32: "fp32Contents",
  FP64: "fp64Contents",
  BYTES: "bytesContents",
};

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
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads and checks the elements of a tensor whose header fits `spec`; with `hasRows`, axis 0 counts them. Undefined where a violation
 * was added.
 */
export function readTensorValues(
  tensor: Tensor,
  shape: readonly number[],
  hasRows: boolean,
  spec: TensorSpec,
  path: string,
  violations: Violations,
): InputValues | undefined {
  const { contents, rawContents } = tensor;
  if (contents === undefined) return readRaw(rawContents, shape, hasRows, spec, path, violations);
  const before = violations.count;
  const expected = elementCount(shape);
  const set = FIELDS.filter((field) => contents[field].length > 0);
  if (rawContents.length > 0 && set.length > 0) {
    violations.add(path, "both contents and raw_contents came; send one of them", "tensor.one_form");
    return undefined;
  }
  if (rawContents.length > 0) return readRaw(rawContents, shape, hasRows, spec, path, violations);
  if (spec.datatype === "FP16") {
    violations.add(`${path}.contents`, "FP16 values come only as raw_contents", "tensor.contents");
    return undefined;
  }
  const field = FIELD[spec.datatype];
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
  const list = contents[field];
  if (list.length !== expected) {
    const description = `${list.length} values came; shape [${shape.join(",")}] takes ${expected}`;
    violations.add(valuesPath, description, "tensor.value_count");
    return undefined;
  }
  const values = typedValues(contents, field, spec, elementFaults(valuesPath, shape, hasRows, violations));
  return violations.count > before ? undefined : values;
}

function typedValues(
  contents: TensorContents,
  field: ContentsField,
  spec: TensorSpec,
  faults: ElementFaults,
): InputValues {
  if (field === "bytesContents")
    return { kind: "strings", values: readStrings(contents.bytesContents, faults) };
  if (field === "boolContents") return { kind: "booleans", values: contents.boolContents };
  if (field === "int64Contents" || field === "uint64Contents")
    return { kind: "integers", values: contents[field] };
  const values = contents[field];
  if (isFloat(spec.datatype)) checkFloats(values, spec, faults);
  else if (ELEMENT_BYTES[spec.datatype] < 4) {
    for (let i = 0; i < values.length; i++) {
      const fault = integerRangeFault(BigInt(values[i]!), spec.datatype);
      if (fault !== undefined) faults.add(i, fault);
    }
  }
  return { kind: "numbers", values };
}

function checkFloats(values: ArrayLike<number>, spec: TensorSpec, faults: ElementFaults): void {
  const limit = floatLimit(spec.datatype);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Math.abs(value) <= limit) continue;
    const fault = floatFault(value, spec.datatype, spec.rejectNan);
    if (fault !== undefined) faults.add(i, fault);
  }
}

function elementFaults(
  path: string,
  shape: readonly number[],
  hasRows: boolean,
  violations: Violations,
): ElementFaults {
  return createElementFaults(path, hasRows ? elementCount(shape.slice(1)) : undefined, violations);
}

function readRaw(
  bytes: Uint8Array,
  shape: readonly number[],
  hasRows: boolean,
  spec: TensorSpec,
  path: string,
  violations: Violations,
): InputValues | undefined {
  const before = violations.count;
  const expected = elementCount(shape);
  const size = spec.datatype === "BYTES" ? 1 : ELEMENT_BYTES[spec.datatype];
  const isWhole = spec.datatype !== "BYTES" && bytes.length === expected * size;
  if (isWhole && isFloat(spec.datatype) && !mayHoldNonFinite(bytes, spec.datatype)) {
    return { kind: "raw", bytes };
  }
  const rawPath = `${path}.raw_contents`;
  const faults = elementFaults(rawPath, shape, hasRows, violations);
  if (spec.datatype === "BYTES") {
    const elements = splitRawStrings(bytes, expected);
    if (elements === undefined) {
      const description = `${bytes.length} bytes are not ${expected} strings, each with its 4-byte length before it`;
      violations.add(rawPath, description, "tensor.raw_length");
      return undefined;
    }
    const values = readStrings(elements, faults);
    return violations.count > before ? undefined : { kind: "strings", values };
  }
  if (!isWhole) {
    violations.add(
      rawPath,
      `${bytes.length} bytes came; ${spec.datatype}[${shape.join(",")}] takes ${expected * size}`,
      "tensor.raw_length",
    );
    return undefined;
  }
  checkRawValues(bytes, spec, faults);
  return violations.count > before ? undefined : { kind: "raw", bytes };
}

function checkRawValues(bytes: Uint8Array, spec: TensorSpec, faults: ElementFaults): void {
  const { datatype } = spec;
  if (datatype === "BOOL") {
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i]! <= 1) continue;
      faults.add(i, { rule: "value.range", description: `${bytes[i]} came; a BOOL byte is 0 or 1` });
    }
    return;
  }
  if (!isFloat(datatype)) return;
  const read = floatReader(bytes, datatype);
  const count = bytes.length / ELEMENT_BYTES[datatype];
  for (let i = 0; i < count; i++) {
    const value = read(i);
    if (Number.isFinite(value)) continue;
    const fault = floatFault(value, datatype, spec.rejectNan);
    if (fault !== undefined) faults.add(i, fault);
  }
}

function splitRawStrings(bytes: Uint8Array, expected: number): Uint8Array[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const elements: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 4 > bytes.length || elements.length === expected) return undefined;
    const length = view.getUint32(at, true);
    at += 4;
    if (at + length > bytes.length) return undefined;
    elements.push(bytes.subarray(at, at + length));
    at += length;
  }
  return elements.length === expected ? elements : undefined;
}

function readStrings(elements: readonly Uint8Array[], faults: ElementFaults): string[] {
  const values: string[] = [];
  for (const [i, element] of elements.entries()) {
    try {
      const text = utf8.decode(element);
      const fault = stringFault(text);
      if (fault !== undefined) faults.add(i, fault);
      values.push(text);
    } catch {
      faults.add(i, { rule: "value.utf8", description: "a string that is not valid UTF-8 came" });
    }
  }
  return values;
}
