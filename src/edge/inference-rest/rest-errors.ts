import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { AssayError, Violation } from "../../errors.ts";
import { publicMessage } from "../call/error-details.ts";
import { errorRow } from "../call/error-table.ts";
import { isWrongForm, withExample } from "../json/example-line.ts";
import type { PlainResponse } from "../plain/plain-http.ts";

/** Statuses that are others here than on `/predict`: its callers come from FastAPI, these from Triton and KServe. */
const STATUS: Readonly<Partial<Record<Reason, number>>> = {
  [Reason.INVALID_REQUEST]: 400,
  [Reason.UNIMPLEMENTED]: 501,
};

const SHOWN_VIOLATIONS = 5;
const MAX_CHARACTERS = 2000;

/** An error as the Open Inference Protocol has it: one text under `error`; `example` says what the model takes, where a body has the wrong form. */
export function restError(error: AssayError, example?: () => string | undefined): PlainResponse {
  const status = restStatus(error.reason);
  const text = errorText(error);
  return { status, body: { error: isWrongForm(error) ? withExample(text, example?.()) : text } };
}

/** The status of a reason here. */
export function restStatus(reason: Reason): number {
  return STATUS[reason] ?? errorRow(reason).httpStatus;
}

function errorText(error: AssayError): string {
  const { violations, violationCount } = error;
  if (error.reason !== Reason.INVALID_REQUEST || violations.length === 0) return publicMessage(error);
  const shown = violations.slice(0, SHOWN_VIOLATIONS).map(violationText);
  const more = violationCount - shown.length;
  const text = shown.join("; ").slice(0, MAX_CHARACTERS);
  return more > 0 ? `${text} (and ${more} more)` : text;
}

function violationText({ field, description }: Violation): string {
  return `${field || "body"}: ${description}`;
}

/** Where a field of the request that is scored stood in the body that came. */
export function placeInBody(field: string): string {
  return field
    .replace(/^(inputs\[\d+\])\.(?:raw_contents|contents(?:\.\w+)?)/, "$1.data")
    .replace(/^output_names(\[\d+\])?/, (_, index: string | undefined) =>
      index === undefined ? "outputs" : `outputs${index}.name`,
    )
    .replace(/^request_id/, "id");
}
