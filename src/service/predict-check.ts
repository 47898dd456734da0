import { type PredictRequest, PredictRequestSchema } from "../../gen/assay/v1/scoring_service_pb.ts";
import { didYouMean } from "../nearest-name.ts";
import type { CheckedRows } from "./checked-rows.ts";
import { addDefaultInputs } from "./default-inputs.ts";
import { checkFeatures, listed } from "./feature-rows.ts";
import { isPlainRequest } from "./plain-request.ts";
import { checkSchemaRules } from "./schema-rules.ts";
import type { ServedModel } from "./served-model.ts";
import { checkRows } from "./struct-rows.ts";
import { checkInputs } from "./tensor-inputs.ts";
import { createViolations, type Violations } from "./violations.ts";

/** A request that fits its model: what to run, and what to return. */
export interface CheckedRequest {
  readonly rows: CheckedRows;
  /** Outputs to return as tensors. */
  readonly outputNames: readonly string[];
}

/** Checks a request against the schema and the model's signature; throws INVALID_REQUEST with every violation. */
export function checkPredictRequest(request: PredictRequest, model: ServedModel): CheckedRequest {
  const violations = createViolations();
  if (!isPlainRequest(request)) checkSchemaRules(PredictRequestSchema, request, violations);
  // Without exactly one form there is nothing to hold against the signature.
  const { features, inputs, rows: structs } = request;
  const forms = Number(features.length > 0) + Number(inputs.length > 0) + Number(structs.length > 0);
  if (forms !== 1) violations.throwIfAny();
  const outputNames = checkOutputNames(request.outputNames, model, violations);
  const rows = checkForm(request, model, violations);
  violations.throwIfAny();
  return { rows: addDefaultInputs(rows!, model.signature), outputNames };
}

function checkForm(
  request: PredictRequest,
  model: ServedModel,
  violations: Violations,
): CheckedRows | undefined {
  const { signature, rowColumns } = model;
  if (request.features.length > 0) return checkFeatures(request.features, signature, violations);
  if (request.inputs.length > 0) return checkInputs(request.inputs, signature, violations);
  if (rowColumns.kind === "unmapped") {
    violations.add("rows", rowColumns.reason, "signature.rows");
    return undefined;
  }
  if (signature.batching === "no-batch-dimension" && request.rows.length > 1) {
    const came = `${request.rows.length} rows came; the model has no batch dimension and takes one row a request`;
    violations.add("rows", came, "signature.row_count");
    return undefined;
  }
  return checkRows(request.rows, rowColumns.mapping, signature, violations);
}

function checkOutputNames(
  asked: readonly string[],
  model: ServedModel,
  violations: Violations,
): readonly string[] {
  const { outputs, score } = model.signature;
  if (asked.length === 0 && score !== undefined) return asked;
  const known = outputs.map((output) => output.name);
  if (asked.includes("*") || asked.length === 0) return known;
  for (const [index, name] of asked.entries()) {
    if (known.includes(name)) continue;
    const hint = didYouMean(name, known) || `; it has ${listed(known)}`;
    violations.add(
      `output_names[${index}]`,
      `the model has no output ${JSON.stringify(name)}${hint}`,
      "signature.unknown_output",
    );
  }
  return asked;
}
