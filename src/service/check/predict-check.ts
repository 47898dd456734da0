import { type PredictRequest, PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import type { Tensor } from "../../../gen/assay/v1/tensor_pb.ts";
import { hasRows } from "../../model/signature.ts";
import type { ServedModel } from "../../registry/served-model.ts";
import { isDatatype } from "../../tensor/datatype.ts";
import { checkInputs } from "../tensors/tensor-inputs.ts";
import { addDefaultInputs, type CheckedRows } from "./checked-rows.ts";
import { checkFeatures } from "./feature-rows.ts";
import { checkOutputNames } from "./output-names.ts";
import { rulesOutline } from "./rule-outline.ts";
import { checkSchemaRules } from "./schema-rules.ts";
import { checkManyRows, checkRows } from "./struct-rows.ts";
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

/** Fewer rows are checked at once. */
const FEW_ROWS = 16;

/** Whether the check of a request may be long. */
export function hasManyRows({ rows }: PredictRequest): boolean {
  return rows.length > FEW_ROWS;
}

/** The same as `checkPredictRequest`, row by row: yields where the event loop may be given back. */
export function* checkInSteps(request: PredictRequest, model: ServedModel): Generator<void, CheckedRequest> {
  const { signature, rowColumns } = model;
  const { rows } = request;
  const isRead =
    rowColumns.kind === "mapped" &&
    hasOneForm(request) &&
    hasRows(signature) &&
    rows.length <= model.batcher.maxQueueRows;
  if (!isRead) return checkPredictRequest(request, model);
  const violations = createViolations();
  checkRequestRules(request, violations);
  const outputNames = checkOutputNames(request.outputNames, signature, violations);
  const checked = yield* checkManyRows(rows, rowColumns.mapping, signature, violations);
  violations.throwIfAny();
  return { rows: addDefaultInputs(checked!, signature), outputNames };
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

/**
 * True only for requests that keep every rule of the schema, told without the validator, which takes a third of the time of a
 * small stream item. False means that the validator must say what is wrong, if anything is. A property test holds the two together.
 */
export function isPlainRequest(request: PredictRequest): boolean {
  const { modelName, modelVersion, requestId, features, inputs, rows, outputNames } = request;
  // Code points, which the rules count, are never more than UTF-16 units.
  if (modelName.length > 256 || modelVersion.length > 20 || requestId.length > 256) return false;
  const forms = (features.length > 0 ? 1 : 0) + (inputs.length > 0 ? 1 : 0) + (rows.length > 0 ? 1 : 0);
  if (forms !== 1 || features.length > 10_000 || inputs.length > 1024 || rows.length > 65_536) return false;
  if (outputNames.length > 1024 || !outputNames.every(isPlainName)) return false;
  return inputs.every(isPlainTensor);
}

function isPlainName(name: string): boolean {
  return name.length > 0 && name.length <= 256;
}

function isPlainTensor({ name, datatype, shape }: Tensor): boolean {
  if (!isPlainName(name) || !isDatatype(datatype) || shape.length > 16) return false;
  for (const length of shape) if (length < 0n) return false;
  return true;
}
