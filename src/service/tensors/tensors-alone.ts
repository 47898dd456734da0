import type { Tensor } from "../../../gen/assay/v1/tensor_pb.ts";
import type { TensorSpec } from "../../model/signature.ts";
import { type Datatype, isDatatype } from "../../tensor/datatype.ts";
import { shownName } from "../../wording/field-paths.ts";
import { MOST_ITEMS } from "../check/rule-outline.ts";
import type { Violations } from "../check/violations.ts";
import { type ReadingOptions, readTensorValues } from "./tensor-values.ts";

const OF_ANY_MODEL: ReadingOptions = { hasRows: true, countsOnly: false };

/** Adds what is wrong with tensors whatever model they are for: names that repeat, values that do not fit shape or datatype. */
export function checkTensorsAlone(tensors: readonly Tensor[], violations: Violations): void {
  const seen = new Map<string, number>();
  for (let index = 0; index < Math.min(tensors.length, MOST_ITEMS.inputs); index++) {
    const tensor = tensors[index]!;
    const path = `inputs[${index}]`;
    const first = seen.get(tensor.name);
    if (first !== undefined) {
      violations.add(
        `${path}.name`,
        `input ${shownName(tensor.name)} came already as inputs[${first}]`,
        "signature.duplicate_input",
      );
    } else seen.set(tensor.name, index);
    // The schema's rules have named these.
    if (!isDatatype(tensor.datatype) || tensor.shape.length > MOST_ITEMS.shape) continue;
    const shape = tensor.shape.map(Number);
    if (shape.some((length) => length < 0)) continue;
    readTensorValues(tensor, shape, OF_ANY_MODEL, specOf(tensor), path, violations);
  }
}

/** As if the model's input were what came. */
function specOf({ name, datatype }: Tensor): TensorSpec {
  return {
    name,
    datatype: datatype as Datatype,
    shape: [],
    optional: false,
    featureNames: [],
    labels: [],
    aliases: [],
    rejectNan: false,
  };
}
