import type { PredictRequest } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { Tensor } from "../../../gen/assay/v1/tensor_pb.ts";
import type { AssayError } from "../../errors.ts";
import { elementBytes, isDatatype, isFloat, numbersOf, numericView } from "../../tensor/datatype.ts";
import type { MappedTensor } from "../columns/column-mapping.ts";
import { RowFaults } from "../encode/row-faults.ts";

const ELEMENT = /^inputs\[(\d+)\]\.(?:raw_contents|contents\.\w+)\[(\d+)\](?:\[(\d+)\])?$/;
const ROW = /^rows\[(\d+)\](?:\.fields\["(.*)"\])?$/;

/**
 * The rows of a request that an INVALID_REQUEST names, with what is wrong: `column "age": Infinity came; …`. Where the list of
 * violations was cut, all rows with the same missing or infinite floats are added, so that a request with many of them is
 * not refused once for every few.
 */
export function refusedRows(
  error: AssayError,
  request: PredictRequest,
  tensors: readonly MappedTensor[],
): Map<number, string> {
  const faults = new RowFaults();
  const cut = error.violationCount > error.violations.length;
  const seen = new Set<string>();
  for (const { field, description, rule } of error.violations) {
    const row = ROW.exec(field);
    if (row !== null) faults.add(Number(row[1]), row[2] ?? field, description);
    const element = ELEMENT.exec(field);
    if (element === null) continue;
    const input = request.inputs[Number(element[1])];
    const tensor = tensors.find(({ name }) => name === input?.name);
    if (input === undefined || tensor === undefined) continue;
    const { columns } = tensor;
    const column = columns[Number(element[3] ?? 0)];
    if (column === undefined) continue;
    faults.add(Number(element[2]), column.column, description);
    const alike = `${element[1]} ${rule} ${description}`;
    if (!cut || seen.has(alike)) continue;
    seen.add(alike);
    const isAlike = ALIKE[rule];
    if (isAlike === undefined) continue;
    for (const position of positionsOf(input, isAlike)) {
      faults.add(
        Math.floor(position / columns.length),
        columns[position % columns.length]!.column,
        description,
      );
    }
  }
  return faults.texts();
}

/** Which floats break the same rule with the same words. */
const ALIKE: Readonly<Record<string, (value: number) => boolean>> = {
  "value.nan": Number.isNaN,
  "value.finite": (value) => value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY,
};

function positionsOf({ datatype, rawContents }: Tensor, isAlike: (value: number) => boolean): number[] {
  if (!isDatatype(datatype) || !isFloat(datatype)) return [];
  const count = rawContents.length / elementBytes(datatype);
  // Requests that were cut out of others begin where their allocation begins, so that they are aligned.
  const elements = numericView(datatype, rawContents.buffer, rawContents.byteOffset, count) as Float32Array;
  const values = numbersOf(datatype, elements);
  const positions: number[] = [];
  for (let at = 0; at < count; at++) if (isAlike(values[at]!)) positions.push(at);
  return positions;
}
