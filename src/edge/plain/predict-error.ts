/** What is wrong with a call of `/predict`, in the form of a FastAPI scoring service: Pydantic v2's errors under `detail`. */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { type AssayError, reasonName, type Violation } from "../../errors.ts";
import { CALL_CUT, cutViolations, publicMessage } from "../call/error-details.ts";
import { errorRow } from "../call/error-table.ts";
import { isWrongForm, withExample } from "../json/example-line.ts";
import type { PlainResponse } from "./plain-http.ts";

/** What is known of the call beside its error. */
export interface PredictErrorContext {
  /** A body that the model takes, in one line; undefined where there is none. */
  example?(): string | undefined;
  /** The body was the row itself. */
  readonly isBareRow?: boolean;
}

/** An error in FastAPI's form: a list under `detail` for a request that breaks rules, a sentence otherwise. */
export function predictError(error: AssayError, context: PredictErrorContext = {}): PlainResponse {
  const { httpStatus } = errorRow(error.reason);
  if (error.reason !== Reason.INVALID_REQUEST) {
    return { status: httpStatus, body: { detail: publicMessage(error), reason: reasonName(error.reason) } };
  }
  if (error.violations.length === 0) {
    const msg = withExample(publicMessage(error), context.example?.());
    const detail = [{ type: "value_error", loc: ["body"], msg }];
    return { status: httpStatus, body: { detail } };
  }
  const shown = cutViolations(error.violations, CALL_CUT);
  const detail: Detail[] = shown.map(({ field, description, reason }) =>
    reason === "predict_request.one_input_form" && description.startsWith("none came")
      ? MISSING_FORM
      : { type: errorType(reason, field), loc: location(field, reason), msg: description },
  );
  for (const one of context.isBareRow === true ? detail : []) {
    if (one.loc[1] === "rows" && one.loc[2] === 0) one.loc = ["body", ...one.loc.slice(3)];
  }
  const last = detail.at(-1);
  if (last !== undefined && isWrongForm(error)) {
    detail[detail.length - 1] = { ...last, msg: withExample(last.msg, context.example?.()) };
  }
  const body =
    error.violationCount > detail.length ? { detail, violation_count: error.violationCount } : { detail };
  return { status: httpStatus, body };
}

interface Detail {
  readonly type: string;
  loc: (string | number)[];
  readonly msg: string;
}

/** A request without rows in any form, said as FastAPI does: the field that most send is missing. */
const MISSING_FORM = {
  type: "missing",
  loc: ["body", "features"],
  msg: "Field required (or rows, or inputs)",
};

/** Pydantic's types for the rules of the schema and the signature; a rule that is itself such a type stays. */
const TYPES: Readonly<Record<string, string>> = {
  "json.base64": "value_error",
  "json.boolean": "bool_type",
  "json.enum": "enum",
  "json.integer": "int_type",
  "json.list": "list_type",
  "json.long_name": "json_invalid",
  "json.long_number": "json_invalid",
  "json.matrix": "float_type",
  "json.number": "float_type",
  "json.object": "dict_type",
  "json.syntax": "json_invalid",
  "json.text": "string_type",
  "json.unknown_member": "extra_forbidden",
  "predict_request.one_input_form": "value_error",
  "repeated.max_items": "too_long",
  "repeated.min_items": "too_short",
  required: "missing",
  "signature.missing_column": "missing",
  "signature.missing_input": "missing",
  "signature.model_name": "missing",
  "signature.too_few": "too_short",
  "signature.too_many": "too_long",
  "signature.unknown_column": "extra_forbidden",
  "signature.unknown_input": "extra_forbidden",
  "string.max_len": "string_too_long",
  "string.min_len": "string_too_short",
  "value.finite": "finite_number",
  "value.integer": "int_from_float",
  "value.nan": "finite_number",
};

function errorType(rule: string, field: string): string {
  if (rule === "json.object" && field === "") return "model_attributes_type";
  return TYPES[rule] ?? (rule.includes(".") ? "value_error" : rule);
}

/** A field path in Pydantic's form: `rows[2].fields["age"]` becomes `["body", "rows", 2, "age"]`. */
export function location(field: Violation["field"], rule: string): (string | number)[] {
  const loc: (string | number)[] = ["body"];
  for (const match of field.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)) {
    const [, key, index, name] = match;
    if (key !== undefined) loc.push(JSON.parse(`"${key}"`) as string);
    else if (index !== undefined) loc.push(Number(index));
    else if (name !== "fields") loc.push(name!);
  }
  if (TYPES[rule] === "json_invalid" && loc.length === 1) loc.push(0);
  return loc;
}
