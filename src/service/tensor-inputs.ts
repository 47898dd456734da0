import type { Tensor } from "../../gen/assay/v1/tensor_pb.ts";
import type { ModelSignature, TensorSpec } from "../model/signature.ts";
import { didYouMean } from "../nearest-name.ts";
import type { CheckedInput, CheckedRows } from "./checked-rows.ts";
import { listed } from "./feature-rows.ts";
import { readTensorValues } from "./tensor-values.ts";
import type { Violations } from "./violations.ts";

/** Checks `inputs` against the signature: names, datatypes, shapes, counts, values. Undefined where a violation was added. */
export function checkInputs(
  tensors: readonly Tensor[],
  signature: ModelSignature,
  violations: Violations,
): CheckedRows | undefined {
  const before = violations.count;
  const batched = signature.batching !== "no-batch-dimension";
  const seen = new Map<string, number>();
  const inputs: CheckedInput[] = [];
  let rowCount: number | undefined;
  for (const [index, tensor] of tensors.entries()) {
    const path = `inputs[${index}]`;
    const spec = findInput(tensor.name, signature);
    if (spec === undefined) {
      const names = signature.inputs.map((input) => input.name);
      const hint = didYouMean(tensor.name, names) || `; it has ${listed(names)}`;
      violations.add(
        `${path}.name`,
        `the model has no input ${JSON.stringify(tensor.name)}${hint}`,
        "signature.unknown_input",
      );
      continue;
    }
    const first = seen.get(spec.name);
    if (first !== undefined) {
      violations.add(
        `${path}.name`,
        `input ${JSON.stringify(spec.name)} came already as inputs[${first}]`,
        "signature.duplicate_input",
      );
      continue;
    }
    seen.set(spec.name, index);
    const shape = tensor.shape.map(Number);
    if (!checkHeader(tensor, shape, spec, path, violations)) continue;
    // The schema's own rule has named it.
    if (shape.some((length) => length < 0)) continue;
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
    const values = readTensorValues(tensor, shape, batched, spec, path, violations);
    if (values === undefined) continue;
    inputs.push({
      name: spec.name,
      datatype: spec.datatype,
      tailShape: batched ? shape.slice(1) : shape,
      values,
    });
  }
  for (const spec of signature.inputs) {
    if (spec.optional || seen.has(spec.name)) continue;
    violations.add(
      "inputs",
      `input ${JSON.stringify(spec.name)} (${described(spec)}) is missing`,
      "signature.missing_input",
    );
  }
  if (violations.count > before) return undefined;
  return { rowCount: rowCount ?? 1, inputs };
}

function findInput(name: string, signature: ModelSignature): TensorSpec | undefined {
  return (
    signature.inputs.find((input) => input.name === name) ??
    signature.inputs.find((input) => input.aliases.includes(name))
  );
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
      `${tensor.datatype} came; input ${JSON.stringify(spec.name)} takes ${spec.datatype}`,
      "signature.datatype",
    );
  }
  const fits =
    spec.anyShape === true ||
    (shape.length === spec.shape.length &&
      shape.every((length, axis) => spec.shape[axis] === -1 || spec.shape[axis] === length));
  if (!fits) {
    violations.add(
      `${path}.shape`,
      `[${shape.join(",")}] came; input ${JSON.stringify(spec.name)} takes ${described(spec)}, -1 being any length`,
      shape.length === spec.shape.length ? "signature.shape" : "signature.rank",
    );
  }
  return violations.count === before;
}

function described(spec: TensorSpec): string {
  return `${spec.datatype}[${spec.shape.join(",")}]`;
}
