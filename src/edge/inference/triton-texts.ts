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
      return retold(thrown, notFoundText(message, modelName));
    case Reason.MODEL_VERSION_NOT_FOUND:
      return retold(thrown, noVersionText(message, modelName, modelVersion));
    case Reason.MODEL_NOT_READY:
    case Reason.MODEL_INVALID:
      return retold(thrown, `Request for unknown model: ${message}`);
    case Reason.QUEUE_FULL:
      return retold(thrown, `Exceeds maximum queue size: ${message}`);
    case Reason.DEADLINE_EXCEEDED:
      return retold(thrown, `Request timeout expired: ${message}`);
    default:
      if (thrown.violations.length === 0) return thrown;
      return unknownModelAmong(replaced(thrown, placeOf), modelName, modelVersion);
  }
}

/**
 * Where the model is unknown, that is the error, as it is there before a request is looked at: what else is wrong goes with it as
 * violations.
 */
function unknownModelAmong(error: AssayError, modelName: string, modelVersion: string): AssayError {
  const named = error.violations.find(({ rule }) => rule === UNKNOWN_MODEL || rule === UNKNOWN_VERSION);
  if (named === undefined) return error;
  const { description } = named;
  return named.rule === UNKNOWN_MODEL
    ? retold(error, notFoundText(description, modelName), error.violations, Reason.MODEL_NOT_FOUND)
    : retold(
        error,
        noVersionText(description, modelName, modelVersion),
        error.violations,
        Reason.MODEL_VERSION_NOT_FOUND,
      );
}

const UNKNOWN_MODEL = "signature.unknown_model";
const UNKNOWN_VERSION = "signature.unknown_version";
/** Of the three forms that a request of Assay's own has one is left here. */
const ONE_FORM = "predict_request.one_input_form";
const NO_INPUTS = "none came; a list of 1 to 1024 tensors is expected";

function notFoundText(message: string, modelName: string): string {
  const told = `the server has no model ${shownName(modelName)}`;
  return unknownModel(message, told, `'${sayable(modelName)}' is not found`);
}

function noVersionText(message: string, modelName: string, modelVersion: string): string {
  const told = `model ${shownName(modelName)} has no version ${shownName(modelVersion)}`;
  return unknownModel(message, told, `'${modelName}' version ${sayable(modelVersion)} is not found`);
}

/** Cut as `shownName` cuts. */
function sayable(name: string): string {
  return name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME).toWellFormed()}…`;
}

const LONGEST_NAME = 200;

/** What Assay adds to `told`, such as the nearest name, stays behind Triton's words. */
function unknownModel(message: string, told: string, inItsWords: string): string {
  const rest = message.startsWith(told) ? message.slice(told.length) : `; ${message}`;
  return `Request for unknown model: ${inItsWords}${rest}`;
}

function retold(
  error: AssayError,
  message: string,
  violations = error.violations,
  reason = error.reason,
): AssayError {
  const { cause, violationCount, retryAfterMs, limit } = error;
  return new AssayError(reason, message, {
    cause,
    violations,
    violationCount,
    limit,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function replaced(error: AssayError, placeOf: (field: string) => string): AssayError {
  const violations = error.violations.map((violation) => new PlacedViolation(violation, placeOf));
  const first = error.violations[0]!;
  const { message } = error;
  const said = first.field === "" ? first.description : first.field;
  if (!message.startsWith(said)) return retold(error, message, violations);
  const rest = message.slice(said.length);
  const [placed] = violations;
  const told = first.field === "" ? shownViolation(placed!) : placed!.field;
  return retold(error, told + rest, violations);
}

function shownViolation({ field, description }: Violation): string {
  return field === "" ? description : `${field}: ${description}`;
}

/** Its text is made where it is shown. */
class PlacedViolation implements Violation {
  readonly field: string;
  readonly rule: string;
  private readonly violation: Violation;

  constructor(violation: Violation, placeOf: (field: string) => string) {
    const { rule, field } = violation;
    this.violation = violation;
    this.field = rule === ONE_FORM ? "inputs" : placeOf(field);
    this.rule = rule;
  }

  get description(): string {
    return this.rule === ONE_FORM ? NO_INPUTS : this.violation.description;
  }
}
