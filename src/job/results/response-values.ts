import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { PredictResponse } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { Tensor } from "../../../gen/assay/v1/tensor_pb.ts";
import { AssayError } from "../../errors.ts";
import {
  elementBytes,
  isDatatype,
  type NumericArray,
  numbersOf,
  numericView,
  rowOf,
} from "../../tensor/datatype.ts";
import { counted } from "../../wording/counted.ts";

/** Throws INTERNAL unless the response has one score, and one label, for each of `rowCount` rows where these are wanted. */
export function checkCounts(
  response: PredictResponse,
  rowCount: number,
  wanted: { readonly hasScore: boolean; readonly hasLabel: boolean },
): void {
  const { scores, labels } = response;
  const came = wanted.hasScore && scores.length !== rowCount ? counted(scores.length, "score") : undefined;
  const other = wanted.hasLabel && labels.length !== rowCount ? counted(labels.length, "label") : undefined;
  const what = came ?? other;
  if (what === undefined) return;
  throw new AssayError(
    Reason.INTERNAL,
    `${what} came for ${counted(rowCount, "row")} of model ${JSON.stringify(response.modelName)}`,
  );
}

/** The numbers of a response's `[rowCount, width]` output, row by row, in either form. Throws INTERNAL where they are not there. */
export function outputNumbers(
  response: PredictResponse,
  name: string,
  rowCount: number,
  width: number,
): ArrayLike<number> {
  const tensor = response.outputs.find((output) => output.name === name);
  const numbers = tensor === undefined ? [] : tensorNumbers(tensor);
  if (numbers.length !== rowCount * width) {
    throw new AssayError(
      Reason.INTERNAL,
      `output ${JSON.stringify(name)} has ${counted(numbers.length, "value")}; ${counted(rowCount, "row")} of ${width} were expected`,
    );
  }
  return numbers;
}

function tensorNumbers({ datatype, contents, rawContents }: Tensor): ArrayLike<number> {
  if (!isDatatype(datatype) || datatype === "BYTES") return [];
  if (rawContents.length === 0) {
    const field = rowOf(datatype).contents;
    if (contents === undefined || field === undefined) return [];
    return Array.from(contents[field] as ArrayLike<number>, Number);
  }
  const size = elementBytes(datatype);
  const aligned = rawContents.byteOffset % size === 0 ? rawContents : new Uint8Array(rawContents);
  const view = numericView(datatype, aligned.buffer, aligned.byteOffset, aligned.length / size);
  return numbersOf(datatype, view as NumericArray);
}
