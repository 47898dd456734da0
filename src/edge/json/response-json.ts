import type { PredictResponse } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { PredictResponseSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";

/** The naming of members: as protobuf's JSON does, or as the schema. */
export interface MemberNames {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly requestId: string;
  readonly scores: string;
  readonly labels: string;
}

const { field } = PredictResponseSchema;

/** `modelName`, as Connect writes it. */
export const CAMEL_NAMES = memberNames((name) => field[name].jsonName);
/** `model_name`, as `/predict` writes it. */
export const SNAKE_NAMES = memberNames((name) => field[name].name);

/** A response without tensors, as `toJsonString` writes it, which takes five times as long; a property test holds the two together. */
export function responseJson(response: PredictResponse, names: MemberNames): string {
  const { modelName, modelVersion, requestId, scores, labels } = response;
  let text = "";
  if (modelName !== "") text += `,${names.modelName}${JSON.stringify(modelName)}`;
  if (modelVersion !== "") text += `,${names.modelVersion}${JSON.stringify(modelVersion)}`;
  if (requestId !== "") text += `,${names.requestId}${JSON.stringify(requestId)}`;
  if (scores.length > 0) text += `,${names.scores}${JSON.stringify(numbers(scores))}`;
  if (labels.length > 0) text += `,${names.labels}${JSON.stringify(labels)}`;
  return `{${text.slice(1)}}`;
}

function memberNames(nameOf: (name: keyof MemberNames) => string): MemberNames {
  const begun = (name: keyof MemberNames) => `${JSON.stringify(nameOf(name))}:`;
  return {
    modelName: begun("modelName"),
    modelVersion: begun("modelVersion"),
    requestId: begun("requestId"),
    scores: begun("scores"),
    labels: begun("labels"),
  };
}

/** JSON has no NaN, and protobuf's writes it as text. */
function numbers(values: readonly number[]): readonly (number | string)[] {
  return values.every(Number.isFinite)
    ? values
    : values.map((value) => (Number.isFinite(value) ? value : String(value)));
}
