import type { Tensor } from "../../../gen/assay/v1/tensor_pb.ts";
import { hasRows, type ModelSignature, type TensorSpec } from "../../model/signature.ts";
import { shownName, shownShape } from "../../wording/field-paths.ts";
import type { CheckedInput, CheckedRows } from "../check/checked-rows.ts";
import { MOST_ITEMS } from "../check/rule-outline.ts";
import { type SignatureNames, signatureNames } from "../check/signature-names.ts";
import type { Violations } from "../check/violations.ts";
import { type ReadingOptions, readTensorValues } from "./tensor-values.ts";

const PATHS: readonly string[] = Array.from({ length: 64 }, (_, index) => `inputs[${index}]`);

const ROWS: ReadingOptions = { hasRows: true, countsOnly: false };
const TOO_MANY_ROWS: ReadingOptions = { hasRows: true, countsOnly: true };
const NO_ROWS: ReadingOptions = { hasRows: false, countsOnly: false };

/**
 * Checks `inputs` against the signature: names, datatypes, shapes, counts, values. Undefined where a violation was added. Of more
 * rows than `maxRows` the values are not read, and no inputs are returned.
 */
export function checkInputs(
  tensors: readonly Tensor[],
  signature: ModelSignature,
  violations: Violations,
  maxRows = Number.POSITIVE_INFINITY,
): CheckedRows | undefined {
  const before = violations.count;
  let only: TensorSpec | undefined;
  const batched = hasRows(signature);
  // Most requests have one input, which no other can repeat.
  const seen = tensors.length > 1 ? new Map<string, number>() : undefined;
  const inputs: CheckedInput[] = [];
  let rowCount: number | undefined;
  // The schema's rule has named a list that is longer.
  const count = Math.min(tensors.length, MOST_ITEMS.inputs);
  const names = signatureNames(signature);
  for (let index = 0; index < count; index++) {
    const tensor = tensors[index]!;
    const path = PATHS[index] ?? `inputs[${index}]`;
    const spec = findInput(tensor.name, signature, names);
    if (spec === undefined) {
      violations.add(
        `${path}.name`,
        () => `the model has no input ${shownName(tensor.name)}${names.inputHint(tensor.name)}`,
        "signature.unknown_input",
      );
      continue;
    }
    const first = seen?.get(spec.name);
    if (first !== undefined) {
      violations.add(
        `${path}.name`,
        `input ${shownName(spec.name)} came already as inputs[${first}]`,
        "signature.duplicate_input",
      );
      continue;
    }
    seen?.set(spec.name, index);
    only = spec;
    if (tensor.shape.length > MOST_ITEMS.shape) {
      // Which the schema's rule has named.
      continue;
    }
    const shape = numbers(tensor.shape);
    if (!checkHeader(tensor, shape, spec, path, violations)) continue;
    // The schema's own rule has named it.
    if (hasNegative(shape)) continue;
    if (batched) {
      const rows = shape[0]!;
      if (rowCount !== undefined && rows !== rowCount) {
        violations.add(
          `${path}.shape`,
          `${rows} rows came, and ${rowCount} in an input before it`,
          "signature.row_count",
        );
        continue;
      }
      rowCount = rows;
    }
    const options = batched ? ((rowCount ?? 0) > maxRows ? TOO_MANY_ROWS : ROWS) : NO_ROWS;
    const values = readTensorValues(tensor, shape, options, spec, path, violations);
    if (values === undefined) continue;
    inputs.push({
      name: spec.name,
      datatype: spec.datatype,
      tailShape: batched ? shape.slice(1) : shape,
      values,
    });
  }
  for (const spec of signature.inputs) {
    if (spec.optional || (seen === undefined ? only === spec : seen.has(spec.name))) continue;
    violations.add(
      "inputs",
      `input ${shownName(spec.name)} (${described(spec)}) is missing`,
      "signature.missing_input",
    );
  }
  if (violations.count > before) return undefined;
  return { rowCount: rowCount ?? 1, inputs };
}

function findInput(name: string, { inputs }: ModelSignature, names: SignatureNames): TensorSpec | undefined {
  return inputs[0]?.name === name ? inputs[0] : names.inputs.get(name);
}

function numbers(lengths: readonly bigint[]): number[] {
  const shape: number[] = [];
  for (const length of lengths) shape.push(Number(length));
  return shape;
}

function hasNegative(shape: readonly number[]): boolean {
  for (const length of shape) if (length < 0) return true;
  return false;
}

function checkHeader(
  tensor: Tensor,
  shape: readonly number[],
  spec: TensorSpec,
  path: string,
  violations: Violations,
): boolean {
  const before = violations.count;
  if (tensor.datatype !== spec.datatype) {
    violations.add(
      `${path}.datatype`,
      `${shownDatatype(tensor.datatype)} came; input ${shownName(spec.name)} takes ${spec.datatype}`,
      "signature.datatype",
    );
  }
  if (!fitsShape(shape, spec)) {
    violations.add(
      `${path}.shape`,
      `${shownShape(shape)} came; input ${shownName(spec.name)} takes ${described(spec)}, -1 being any length`,
      shape.length === spec.shape.length ? "signature.shape" : "signature.rank",
    );
  }
  return violations.count === before;
}

function fitsShape(shape: readonly number[], spec: TensorSpec): boolean {
  if (spec.anyShape === true) return true;
  if (shape.length !== spec.shape.length) return false;
  for (let axis = 0; axis < shape.length; axis++) {
    if (spec.shape[axis] !== -1 && spec.shape[axis] !== shape[axis]) return false;
  }
  return true;
}

function described(spec: TensorSpec): string {
  return `${spec.datatype}${shownShape(spec.shape)}`;
}

function shownDatatype(datatype: string): string {
  return datatype.length <= 16 ? datatype : `${datatype.slice(0, 16)}…`;
}
