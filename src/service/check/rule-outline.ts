import { create } from "@bufbuild/protobuf";
import {
  type PredictRequest,
  PredictRequestSchema,
  type PredictRowsRequest,
  PredictRowsRequestSchema,
  type PredictStreamRequest,
  PredictStreamRequestSchema,
} from "../../../gen/assay/v1/scoring_service_pb.ts";
import { type Tensor, TensorSchema } from "../../../gen/assay/v1/tensor_pb.ts";

/** The most items that the schema's rules allow in each list; a test holds them to the rules. */
export const MOST_ITEMS = {
  features: 10_000,
  inputs: 1024,
  rows: 65_536,
  outputNames: 1024,
  shape: 16,
  items: 65_536,
};

/**
 * The request as the schema's rules see it, for a validator that takes microseconds an item: values left out, and of a list that is longer
 * than its rule allows the items that are allowed and one that breaks no rule. So it breaks the same rules as the request, except that
 * items behind the most that are allowed are not judged.
 */
export function rulesOutline(request: PredictRequest): PredictRequest {
  const { modelName, modelVersion, requestId, features, inputs, rows, outputNames } = request;
  return create(PredictRequestSchema, {
    modelName: shortened(modelName),
    modelVersion: shortened(modelVersion),
    requestId: shortened(requestId),
    features: new Array<number>(Math.min(features.length, MOST_ITEMS.features + 1)).fill(0),
    inputs: allowed(inputs, MOST_ITEMS.inputs, PLAIN_TENSOR).map(tensorOutline),
    rows: new Array<object>(outlined(rows.length, MOST_ITEMS.rows)).fill({}) as PredictRequest["rows"],
    outputNames: allowed(outputNames, MOST_ITEMS.outputNames, "*").map(shortened),
  });
}

/** The same of PredictRows, whose items are judged one by one. */
export function rowsOutline({ items }: PredictRowsRequest): PredictRowsRequest {
  const count = outlined(items.length, MOST_ITEMS.items);
  return create(PredictRowsRequestSchema, { items: new Array<PredictStreamRequest>(count).fill(NO_ITEM) });
}

const NO_ITEM = create(PredictStreamRequestSchema);
const PLAIN_TENSOR = create(TensorSchema, { name: "x", datatype: "BOOL" });
/** Longer than every rule for a text allows. */
const LONG_TEXT = 1024;

function tensorOutline({ name, datatype, shape }: Tensor): Tensor {
  return create(TensorSchema, {
    name: shortened(name),
    datatype: shortened(datatype),
    shape: allowed(shape, MOST_ITEMS.shape, 0n),
  });
}

/** One item stands for all that are allowed. */
function outlined(count: number, most: number): number {
  return count > most ? most + 1 : Math.min(count, 1);
}

function allowed<T>(list: readonly T[], most: number, plain: T): T[] {
  return list.length > most ? [...list.slice(0, most), plain] : list.slice();
}

function shortened(text: string): string {
  return text.length > LONG_TEXT ? text.slice(0, LONG_TEXT) : text;
}
