/** Classes in the place of values: the highest values of each row, with their places and labels, as Triton writes them. */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { BatchingMode } from "../../../gen/assay/v1/model_service_pb.ts";
import type { PredictResponse } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { Tensor } from "../../../gen/assay/v1/tensor_pb.ts";
import { AssayError } from "../../errors.ts";
import type { Caller } from "../../registry/caller.ts";
import type { ModelsService } from "../../registry/models.ts";
import { type Datatype, type NumericDatatype, numberOf, rowOf } from "../../tensor/datatype.ts";
import { rawTexts } from "../../tensor/tensor-contents.ts";
import { shownName } from "../../wording/field-paths.ts";
import { numbersIn } from "./typed-contents.ts";

/** A model, as far as classes need it. */
interface ClassifiedModel {
  /** Axis 0 of its outputs counts rows. */
  readonly hasRows: boolean;
  labelsOf(output: string): readonly string[];
}

/**
 * The tensors of an answer, in raw form, with classes in the place of those for which some are asked (`topClasses`, by output). Throws
 * INVALID_REQUEST.
 */
export function withClasses(
  { modelName, modelVersion, outputs }: Pick<PredictResponse, "modelName" | "modelVersion" | "outputs">,
  topClasses: ReadonlyMap<string, number>,
  models: ModelsService,
  caller: Caller,
): Tensor[] {
  const { batching } = models.get(modelName, modelVersion, caller).model!;
  const model: ClassifiedModel = {
    hasRows: batching !== BatchingMode.NO_BATCH_DIMENSION,
    labelsOf: (output) => models.classLabels(modelName, modelVersion, output, caller),
  };
  return outputs.map((output) => {
    const count = topClasses.get(output.name);
    return count === undefined ? output : classesOf(output, count, model);
  });
}

function classesOf(output: Tensor, most: number, model: ClassifiedModel): Tensor {
  const { name, datatype, shape, rawContents } = output;
  if (datatype === "BYTES") {
    throw new AssayError(
      Reason.INVALID_REQUEST,
      `output ${shownName(name)} holds texts, which have no order: ask for its values, without a classification`,
    );
  }
  const { hasRows } = model;
  const rows = hasRows ? Number(shape[0] ?? 1n) : 1;
  const values = numbersIn(rawContents, datatype as NumericDatatype);
  const perRow = rows === 0 ? 0 : values.length / rows;
  const count = Math.min(most, perRow);
  const labels = model.labelsOf(name);
  const texts: string[] = [];
  for (let row = 0; row < rows; row++) {
    const first = row * perRow;
    for (const index of highest(
      values.subarray(first, first + perRow) as Float32Array,
      datatype as Datatype,
      count,
    )) {
      const label = labels[index];
      const value = valueText(values[first + index]!, datatype as Datatype);
      texts.push(`${value}:${index}${label === undefined ? "" : `:${label}`}`);
    }
  }
  return {
    $typeName: "assay.v1.Tensor",
    name,
    datatype: "BYTES",
    shape: (hasRows ? [rows, count] : [count]).map(BigInt),
    rawContents: rawTexts(texts, 0, texts.length),
  };
}

/** The places of the highest values, the highest first; of equals the first. */
function highest(values: ArrayLike<number>, datatype: Datatype, count: number): number[] {
  const places = Array.from({ length: values.length }, (_, place) => place);
  const numbers = Array.from(values, (value) =>
    typeof value === "bigint" ? value : numberOf(datatype, value),
  );
  // NaN stands behind all numbers.
  places.sort((a, b) => compare(numbers[b]!, numbers[a]!) || a - b);
  return places.slice(0, count);
}

function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
  return a < b ? -1 : a > b ? 1 : 0;
}

function valueText(value: number | bigint, datatype: Datatype): string {
  if (rowOf(datatype).kind !== "float") return String(value);
  return numberOf(datatype, value as number).toFixed(6);
}
