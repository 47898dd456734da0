/** What is wrong with a call in another suite's form: told of its body, and in its own form of an error. */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError, withoutStack } from "../../errors.ts";
import { CALL_CUT, cutViolations, publicMessage } from "../call/error-details.ts";
import { errorRow } from "../call/error-table.ts";
import { isWrongForm, withExample } from "../json/example-line.ts";
import type { PlainResponse } from "../plain/plain-http.ts";
import { placeOfField } from "./body-place.ts";
import type { ForeignRequest } from "./foreign-decoding.ts";

/** The error with every field named as the body has it. */
export function inTermsOfBody(error: unknown, { places }: ForeignRequest): unknown {
  if (!(error instanceof AssayError) || error.violations.length === 0) return error;
  const { reason, message, violationCount } = error;
  const violations = error.violations
    .slice(0, CALL_CUT.maxViolations)
    .map(({ field, description, rule }) => ({
      field: placeOfField(field, places),
      description,
      rule,
    }));
  return withoutStack(
    () => new AssayError(reason, message, { violations, violationCount, limit: error.limit }),
  );
}

/** All violations in one line, with an example of what the model takes. */
function toldMessage(error: AssayError, example: () => string | undefined): string {
  const shown = cutViolations(error.violations, CALL_CUT);
  if (shown.length === 0) {
    return isWrongForm(error) ? withExample(publicMessage(error), example()) : publicMessage(error);
  }
  const parts = shown.map(({ field, description }) =>
    field === "" ? description : `${field}: ${description}`,
  );
  const rest = error.violationCount - shown.length;
  const message = `${parts.join("; ")}${rest > 0 ? ` (and ${rest} more)` : ""}`;
  return isWrongForm(error) ? withExample(message, example()) : message;
}

/** Makes the body of an error. */
export type ErrorBody = (message: string, reason: Reason) => unknown;

/** An error as a response: what is invalid is 400 to these clients. */
export function foreignError(
  error: AssayError,
  body: ErrorBody,
  example: () => string | undefined,
): PlainResponse {
  const { httpStatus } = errorRow(error.reason);
  const status = error.reason === Reason.INVALID_REQUEST ? 400 : httpStatus;
  return { status, body: body(toldMessage(error, example), error.reason) };
}

/** `{"error": …}`, as KServe v1 and TensorFlow Serving write it. */
export function v1ErrorBody(error: string): unknown {
  return { error };
}
