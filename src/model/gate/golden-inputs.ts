import {
  type Datatype,
  elementBytes,
  elementOf,
  isFloat,
  type NumericArray,
  numberOf,
  numericView,
} from "../../tensor/datatype.ts";
import type { TensorData } from "../../tensor/tensor-data.ts";
import { didYouMean } from "../../wording/nearest-name.ts";
import { quoted } from "../refusal.ts";
import { hasRows, type ModelSignature, type TensorSpec } from "../signature.ts";

/** The inputs of a golden case as a run takes them, or why they do not fit the model. */
export type GoldenInputs =
  | { readonly kind: "fits"; readonly inputs: readonly TensorData[]; readonly rowCount: number }
  | { readonly kind: "misfit"; readonly reason: string };

/**
 * Fits a case's inputs to the signature: names and aliases, order, numbers of another type that mean the same, defaults of
 * inputs that are left out. `rowCount` is 1 where the model has no batch dimension.
 */
export function fitGoldenInputs(came: readonly TensorData[], signature: ModelSignature): GoldenInputs {
  const batched = hasRows(signature);
  const names = signature.inputs.map(({ name }) => name);
  const unknown = came.find(({ name }) => !signature.inputs.some((spec) => answersTo(spec, name)));
  if (unknown !== undefined) {
    const hint = didYouMean(unknown.name, names) || `; it has ${names.map(quoted).join(", ")}`;
    return misfit(`the model has no input ${quoted(unknown.name)}${hint}`);
  }
  const rowCount = batched ? (came[0]?.shape[0] ?? 0) : 1;
  const inputs: TensorData[] = [];
  for (const spec of signature.inputs) {
    const tensor = came.find(({ name }) => answersTo(spec, name)) ?? defaultRows(spec, rowCount, batched);
    if (tensor === undefined) return misfit(`input ${quoted(spec.name)} is missing`);
    const fits =
      spec.anyShape === true ||
      (tensor.shape.length === spec.shape.length &&
        spec.shape.every((length, axis) => length === -1 || length === tensor.shape[axis]));
    if (!fits) {
      return misfit(
        `input ${quoted(spec.name)} has the shape [${tensor.shape.join(",")}]; the model takes [${spec.shape.join(",")}]`,
      );
    }
    if (batched && tensor.shape[0] !== rowCount) {
      return misfit(
        `input ${quoted(spec.name)} has ${tensor.shape[0]} rows, and an input before it ${rowCount}`,
      );
    }
    const data = convert(tensor, spec.datatype);
    if (data === undefined) {
      return misfit(
        `input ${quoted(spec.name)} is ${tensor.datatype} with values that ${spec.datatype}, which the model takes, cannot hold`,
      );
    }
    inputs.push({ name: spec.name, datatype: spec.datatype, shape: tensor.shape, data });
  }
  return { kind: "fits", inputs, rowCount };
}

/** The default of an optional input for a number of rows; undefined for inputs that have none. */
export function defaultRows(spec: TensorSpec, rowCount: number, batched: boolean): TensorData | undefined {
  const { defaultValue } = spec;
  if (defaultValue === undefined || !batched) return defaultValue;
  const one = Array.from(defaultValue.data as ArrayLike<number | bigint | string>);
  const values = Array.from({ length: rowCount }, () => one).flat();
  const shape = [rowCount, ...defaultValue.shape.slice(1)];
  if (spec.datatype === "BYTES") return { ...defaultValue, shape, data: values as string[] };
  const buffer = new ArrayBuffer(values.length * elementBytes(spec.datatype));
  const data = numericView(spec.datatype, buffer, 0, values.length);
  for (const [index, value] of values.entries())
    (data as (number | bigint)[] | NumericArray)[index] = value as never;
  return { ...defaultValue, shape, data };
}

function answersTo(spec: TensorSpec, name: string): boolean {
  return spec.name === name || spec.aliases.includes(name);
}

function convert(tensor: TensorData, datatype: Datatype): TensorData["data"] | undefined {
  if (tensor.datatype === datatype) return tensor.data;
  if (tensor.datatype === "BYTES" || datatype === "BYTES") return undefined;
  const source = tensor.data as NumericArray;
  const data = numericView(
    datatype,
    new ArrayBuffer(source.length * elementBytes(datatype)),
    0,
    source.length,
  );
  for (let i = 0; i < source.length; i++) {
    const value = numberOf(tensor.datatype, Number(source[i]));
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
      if (!Number.isSafeInteger(value)) return undefined;
      data[i] = BigInt(value);
      if (Number(data[i]) !== value) return undefined;
    } else {
      data[i] = elementOf(datatype, value);
      if (!isFloat(datatype) && data[i] !== value) return undefined;
    }
  }
  return data;
}

function misfit(reason: string): GoldenInputs {
  return { kind: "misfit", reason };
}
