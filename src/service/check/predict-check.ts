import { type PredictRequest, PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { hasRows } from "../../model/signature.ts";
import type { ServedModel } from "../../registry/served-model.ts";
import { checkInputs } from "../tensors/tensor-inputs.ts";
import type { CheckedRows } from "./checked-rows.ts";
import { addDefaultInputs } from "./default-inputs.ts";
import { checkFeatures } from "./feature-rows.ts";
import { checkOutputNames } from "./output-names.ts";
import { isPlainRequest } from "./plain-request.ts";
import { rulesOutline } from "./rule-outline.ts";
import { checkSchemaRules } from "./schema-rules.ts";
import { checkRows } from "./struct-rows.ts";
import { createViolations, type Violations } from "./violations.ts";

/** A request that fits its model: what to run, and what to return. */
export interface CheckedRequest {
  /** Without inputs where there are more rows than the model's queue takes. */
  readonly rows: CheckedRows;
  /** Outputs to return as tensors. */
  readonly outputNames: readonly string[];
}

/** Checks a request against the schema and the model's signature; throws INVALID_REQUEST with every violation. */
export function checkPredictRequest(request: PredictRequest, model: ServedModel): CheckedRequest {
  const violations = createViolations();
  checkRequestRules(request, violations);
  const outputNames = checkOutputNames(request.outputNames, model.signature, violations);
  // Without exactly one form there is nothing to hold against the signature.
  const rows = hasOneForm(request) ? checkForm(request, model, violations) : undefined;
  violations.throwIfAny();
  return { rows: addDefaultInputs(rows!, model.signature), outputNames };
}

/** Adds what a request breaks of the schema's rules. */
export function checkRequestRules(request: PredictRequest, violations: Violations): void {
  if (!isPlainRequest(request)) checkSchemaRules(PredictRequestSchema, rulesOutline(request), violations);
}

/** Whether exactly one of `features`, `inputs` and `rows` is set; the schema's rule names what is not so. */
export function hasOneForm({ features, inputs, rows }: PredictRequest): boolean {
  return Number(features.length > 0) + Number(inputs.length > 0) + Number(rows.length > 0) === 1;
}

function checkForm(
  request: PredictRequest,
  model: ServedModel,
  violations: Violations,
): CheckedRows | undefined {
  const { signature, rowColumns } = model;
  const { maxQueueRows } = model.batcher;
  const { features, inputs, rows } = request;
  if (features.length > 0) return checkFeatures(features, signature, violations);
  if (inputs.length > 0) return checkInputs(inputs, signature, violations, maxQueueRows);
  if (rowColumns.kind === "unmapped") {
    violations.add("rows", rowColumns.reason, "signature.rows");
    return undefined;
  }
  if (!hasRows(signature) && rows.length > 1) {
    const came = `${rows.length} rows came; the model has no batch dimension and takes one row a request`;
    violations.add("rows", came, "signature.row_count");
    return undefined;
  }
  // The queue refuses them all: nobody needs to know what is in them.
  if (rows.length > maxQueueRows) return { rowCount: rows.length, inputs: [] };
  return checkRows(rows, rowColumns.mapping, signature, violations);
}
