import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import type { Tensor } from "../../../gen/assay/v1/tensor_pb.ts";
import type { ModelFeatures } from "../../features/model-features.ts";
import type { ModelSignature, TensorSpec } from "../../model/signature.ts";
import {
  type Datatype,
  elementBytes,
  isDatatype,
  type NumericDatatype,
  numberOf,
  numericView,
} from "../../tensor/datatype.ts";
import type { InputValues } from "../check/input-values.ts";
import { MOST_ITEMS } from "../check/rule-outline.ts";
import { signatureNames } from "../check/signature-names.ts";
import { createViolations, type Violations } from "../check/violations.ts";
import { readTensorValues } from "../tensors/tensor-values.ts";

const READING = { hasRows: true, countsOnly: false };

/** Whether tensors, one a column, leave out inputs that the model's sources look up. */
export function lacksLookedUp(
  tensors: readonly Tensor[],
  features: ModelFeatures,
  signature: ModelSignature,
): boolean {
  const names = signatureNames(signature);
  const came = new Set(tensors.map(({ name }) => names.inputs.get(name)?.name ?? name));
  return features.plans.some(({ columns }) =>
    columns.some(({ name }) => names.inputs.get(name)?.name === name && !came.has(name)),
  );
}

/**
 * The rows of tensors that have one value a row; undefined where they are none, or have something wrong: whoever checks tensors says
 * what.
 */
export function rowsOfTensors(
  tensors: readonly Tensor[],
  features: ModelFeatures,
  signature: ModelSignature,
): JsonObject[] | undefined {
  const rowCount = Number(tensors[0]?.shape[0] ?? 0n);
  if (tensors.length > MOST_ITEMS.inputs || rowCount < 1 || rowCount > MOST_ITEMS.rows) return undefined;
  const names = signatureNames(signature);
  const violations = createViolations();
  const rows = Array.from({ length: rowCount }, (): JsonObject => ({}));
  const seen = new Set<string>();
  for (const tensor of tensors) {
    const spec = names.inputs.get(tensor.name) ?? keySpec(tensor, features);
    if (spec === undefined || seen.has(spec.name) || !isColumn(tensor, rowCount, spec.datatype))
      return undefined;
    seen.add(spec.name);
    const values = columnValues(tensor, rowCount, spec, violations);
    if (values === undefined) return undefined;
    for (let row = 0; row < rowCount; row++) rows[row]![tensor.name] = values(row);
  }
  return rows;
}

function keySpec({ name, datatype }: Tensor, features: ModelFeatures): TensorSpec | undefined {
  if (!features.keyNames.has(name) || !isDatatype(datatype)) return undefined;
  return {
    name,
    datatype,
    shape: [-1, 1],
    optional: false,
    featureNames: [],
    labels: [],
    aliases: [],
    rejectNan: false,
  };
}

function isColumn({ shape, datatype }: Tensor, rowCount: number, expected: Datatype): boolean {
  const isOne = shape.length === 1 || (shape.length === 2 && shape[1] === 1n);
  return isOne && Number(shape[0]) === rowCount && datatype === expected;
}

function columnValues(
  tensor: Tensor,
  rowCount: number,
  spec: TensorSpec,
  violations: Violations,
): ((row: number) => JsonValue) | undefined {
  const values = readTensorValues(tensor, [rowCount], READING, spec, tensor.name, violations);
  return values === undefined || violations.count > 0 ? undefined : reader(values, spec.datatype);
}

function reader(values: InputValues, datatype: Datatype): ((row: number) => JsonValue) | undefined {
  if (values.kind === "repeated") return undefined;
  if (values.kind !== "raw") {
    const { values: list } = values;
    return (row) => jsonOf(list[row]!);
  }
  const { buffer, byteOffset, byteLength } = values.bytes;
  // A copy, as bytes of a message lie at any place.
  const octets = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
  const numbers = numericView(
    datatype as NumericDatatype,
    octets,
    0,
    octets.byteLength / elementBytes(datatype),
  );
  return (row) => {
    const value = numbers[row]!;
    if (datatype === "BOOL") return value !== 0;
    return typeof value === "bigint" ? jsonOf(value) : numberOf(datatype, value);
  };
}

/** An integer that JSON's numbers cannot hold stays text: a key is text anyway, and a column refuses it. */
function jsonOf(value: number | bigint | boolean | string): JsonValue {
  if (typeof value !== "bigint") return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}
