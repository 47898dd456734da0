import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError, type Violation } from "../../errors.ts";
import { shownName } from "../../wording/field-paths.ts";

/** What a request names, for the texts of errors. */
export interface NamedModel {
  readonly modelName: string;
  readonly modelVersion: string;
}

/**
 * An error with the words of Triton that clients look for, and with the places of the request as they are called there (`placeOf`).
 * What is no AssayError stays as it is.
 */
export function inTritonsWords(
  thrown: unknown,
  { modelName, modelVersion }: NamedModel,
  placeOf: (field: string) => string,
): unknown {
  if (!(thrown instanceof AssayError)) return thrown;
  const { reason, message } = thrown;
  switch (reason) {
    case Reason.MODEL_NOT_FOUND:
      return retold(
        thrown,
        unknownModel(
          message,
          `the server has no model ${shownName(modelName)}`,
          `'${modelName}' is not found`,
        ),
      );
    case Reason.MODEL_VERSION_NOT_FOUND: {
      const told = `model ${shownName(modelName)} has no version ${shownName(modelVersion)}`;
      return retold(
        thrown,
        unknownModel(message, told, `'${modelName}' version ${modelVersion} is not found`),
      );
    }
    case Reason.MODEL_NOT_READY:
    case Reason.MODEL_INVALID:
      return retold(thrown, `Request for unknown model: ${message}`);
    case Reason.QUEUE_FULL:
      return retold(thrown, `Exceeds maximum queue size: ${message}`);
    case Reason.DEADLINE_EXCEEDED:
      return retold(thrown, `Request timeout expired: ${message}`);
    default:
      return thrown.violations.length === 0 ? thrown : replaced(thrown, placeOf);
  }
}

/** What Assay adds to `told`, such as the nearest name, stays behind Triton's words. */
function unknownModel(message: string, told: string, inItsWords: string): string {
  const rest = message.startsWith(told) ? message.slice(told.length) : `; ${message}`;
  return `Request for unknown model: ${inItsWords}${rest}`;
}

function retold(error: AssayError, message: string, violations = error.violations): AssayError {
  const { reason, cause, violationCount, retryAfterMs } = error;
  return new AssayError(reason, message, {
    cause,
    violations,
    violationCount,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function replaced(error: AssayError, placeOf: (field: string) => string): AssayError {
  const first = error.violations[0]!.field;
  const { message } = error;
  const rest = first !== "" && message.startsWith(first) ? message.slice(first.length) : undefined;
  const told = rest === undefined ? message : `${placeOf(first)}${rest}`;
  const violations = error.violations.map((violation) => new PlacedViolation(violation, placeOf));
  return retold(error, told, violations);
}

/** Its text is made where it is shown. */
class PlacedViolation implements Violation {
  readonly field: string;
  readonly rule: string;
  private readonly violation: Violation;

  constructor(violation: Violation, placeOf: (field: string) => string) {
    this.violation = violation;
    this.field = placeOf(violation.field);
    this.rule = violation.rule;
  }

  get description(): string {
    return this.violation.description;
  }
}
