import { fromBinary, fromJsonString } from "@bufbuild/protobuf";
import { type PredictResponse, PredictResponseSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { counted } from "../../wording/counted.ts";
import { type Failure, unreadable } from "../failure.ts";
import type { MessageCheck } from "./call-form.ts";

/** Takes what it gets: a message that came whole tells that the call succeeded. */
export const UNCHECKED: MessageCheck = () => undefined;

/** Decodes each message and counts its rows. */
export function binaryCheck(rows: number): MessageCheck {
  return (message) => decoded(() => fromBinary(PredictResponseSchema, message), rows);
}

/** The same for JSON. */
export function jsonCheck(rows: number): MessageCheck {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  return (message) => decoded(() => fromJsonString(PredictResponseSchema, utf8.decode(message)), rows);
}

function decoded(decode: () => PredictResponse, rows: number): Failure | undefined {
  try {
    return responseFailure(decode(), rows);
  } catch (error) {
    return unreadable((error as Error).message);
  }
}

/** What is wrong with a response to so many rows: a score for each is expected, or outputs where the model has none. */
export function responseFailure({ scores, outputs }: PredictResponse, rows: number): Failure | undefined {
  if (scores.length === rows || (scores.length === 0 && outputs.length > 0)) return undefined;
  return unreadable(`${counted(scores.length, "score")} came for ${counted(rows, "row")}`);
}
