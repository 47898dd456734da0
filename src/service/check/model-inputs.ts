/** What a model takes of one row, for whoever reads requests in forms that the schema does not have. */
import { rowShape, type TensorSpec } from "../../model/signature.ts";
import type { ServedModel } from "../../registry/served-model.ts";

/** One input of a model. */
export type ModelInput = TensorSpec;

/** The lengths of a row's axes, -1 where any is taken; undefined where any number of axes is. */
export function rowLengths(input: ModelInput, { signature }: ServedModel): readonly number[] | undefined {
  return input.anyShape === true ? undefined : rowShape(input, signature);
}
