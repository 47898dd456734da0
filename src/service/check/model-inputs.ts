/** What a model takes of one row, for whoever reads requests in forms that the schema does not have. */
import { type Column, columnOfName } from "../../model/row-columns.ts";
import { hasRows, rowShape, type TensorSpec } from "../../model/signature.ts";
import type { ServedModel } from "../../registry/served-model.ts";
import { signatureNames } from "./signature-names.ts";

/** One input of a model. */
export type ModelInput = TensorSpec;
/** One column of a model's rows. */
export type ModelColumn = Column;

/** What a model takes, by its names; made for each request. */
export class ModelInputs {
  readonly model: ServedModel;
  /** Whether axis 0 of its inputs counts rows. */
  readonly hasRows: boolean;
  /** The one input that a request has to bring; undefined where there are several or none. */
  readonly only: ModelInput | undefined;

  constructor(model: ServedModel) {
    const { signature } = model;
    const [first, second] = signature.inputs.filter(({ optional }) => !optional);
    this.model = model;
    this.hasRows = hasRows(signature);
    this.only = second === undefined ? first : undefined;
  }

  /** The columns of a row; undefined where the model takes no rows of columns. */
  get columns(): readonly ModelColumn[] | undefined {
    const { rowColumns } = this.model;
    return rowColumns.kind === "mapped" ? rowColumns.mapping.columns : undefined;
  }

  /** The column that a name means, in any spelling that `rows` takes. */
  column(name: string): ModelColumn | undefined {
    const { rowColumns } = this.model;
    return rowColumns.kind === "mapped" ? columnOfName(name, rowColumns.mapping) : undefined;
  }

  /** Whether a row may have the name beside the model's columns: it is a key, by which others are looked up. */
  isKey(name: string): boolean {
    return this.model.features?.keyNames.has(name) === true;
  }

  /** Whether rows may leave the column out, as it is looked up. */
  isLookedUp({ name }: ModelColumn): boolean {
    return this.model.features?.columnNames.has(name) === true;
  }

  /** The input that a name means, in its own spelling or another one. */
  input(name: string): ModelInput | undefined {
    return signatureNames(this.model.signature).inputs.get(name);
  }

  /** What stands behind the name of a column or an input that there is none of: the nearest, or all. */
  hint(name: string): string {
    const { rowColumns, signature } = this.model;
    const ofColumns = rowColumns.kind === "mapped" ? rowColumns.mapping.hints.didYouMean(name) : "";
    return ofColumns || signatureNames(signature).inputHint(name);
  }
}

/** The lengths of a row's axes, -1 where any is taken; undefined where any number of axes is. */
export function rowLengths(input: ModelInput, { signature }: ServedModel): readonly number[] | undefined {
  return input.anyShape === true ? undefined : rowShape(input, signature);
}
