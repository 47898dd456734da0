import type { Batching, ModelSignature, Repair, TensorSpec } from "../signature.ts";
import type { Coupling } from "./coupling-check.ts";

/** A check's verdict, or that none could be made because no made-up row runs. */
export type Evidence = Coupling | { readonly kind: "unproven" };

/** The way in which rows may share a run, and what is said about it. */
export interface BatchingDecision {
  readonly batching: Batching;
  readonly repairs: readonly Repair[];
  readonly notices: readonly string[];
}

const UNPROVEN = "not proven independent, add golden.json";

/**
 * Decides how rows may share a run. `declared` is `across-requests` for open rows, `within-request` where the owner wants a run for
 * each request, `single-rows` where the file fixes one row, or `fixedRows` of them. `met` says whether golden cases were met together and row by row.
 */
export function decideBatching(
  declared: Batching,
  evidence: Evidence,
  met: { readonly togetherMet: boolean; readonly aloneMet: boolean },
  fixedRows = 1,
): BatchingDecision {
  if (declared === "no-batch-dimension") return { batching: declared, repairs: [], notices: [] };
  if (evidence.kind === "not-rows" && !(declared === "single-rows" && evidence.singleRowFits)) {
    const notice = `output ${JSON.stringify(evidence.output)} does not have one value a row: a request is one run`;
    return { batching: "no-batch-dimension", repairs: [], notices: [notice] };
  }
  if (declared === "single-rows") return decideFixed(evidence, met, fixedRows);
  const decision = decideOpen(evidence, met);
  const isNarrower = declared === "within-request" && decision.batching === "across-requests";
  return isNarrower ? { ...decision, batching: declared } : decision;
}

function decideFixed(
  evidence: Evidence,
  met: { readonly togetherMet: boolean; readonly aloneMet: boolean },
  fixedRows: number,
): BatchingDecision {
  if (evidence.kind === "independent" && met.togetherMet && met.aloneMet) {
    const description = `is fixed at ${fixedRows}; opened, because different rows give the same answers together as one by one`;
    return {
      batching: "across-requests",
      repairs: [{ kind: "batch_dimension_opened", target: "", description }],
      notices: [],
    };
  }
  const why =
    evidence.kind === "coupled" || evidence.kind === "not-rows"
      ? "rows run together give other answers than one by one"
      : evidence.kind === "together-fails"
        ? "rows cannot be run together"
        : UNPROVEN;
  return {
    batching: "single-rows",
    repairs: [],
    notices: [`the batch dimension is fixed at ${fixedRows} and each row is run singly: ${why}`],
  };
}

function decideOpen(
  evidence: Evidence,
  met: { readonly togetherMet: boolean; readonly aloneMet: boolean },
): BatchingDecision {
  if (!met.togetherMet || evidence.kind === "together-fails") {
    const notice = met.togetherMet
      ? "rows cannot be run together: each row is run singly"
      : "golden rows are met one by one and missed together: each row is run singly";
    return { batching: "single-rows", repairs: [], notices: [notice] };
  }
  if (evidence.kind === "coupled" || !met.aloneMet) {
    const where =
      evidence.kind === "coupled"
        ? ` (output ${JSON.stringify(evidence.mismatch.output)}: ${evidence.mismatch.description})`
        : "";
    const notice = `rows influence each other${where}: each request is run by itself, never joined with others or split`;
    return { batching: "within-request", repairs: [], notices: [notice] };
  }
  if (evidence.kind === "independent") return { batching: "across-requests", repairs: [], notices: [] };
  const notice = `${UNPROVEN}: only rows of one request share a batch`;
  return { batching: "within-request", repairs: [], notices: [notice] };
}

/** The signature of a file that fixes one row and whose outputs have no rows: axis 0 is 1 again. */
export function closeRows(signature: ModelSignature): ModelSignature {
  return { ...signature, inputs: signature.inputs.map((spec) => withRows(spec, 1)) };
}

/** The signature of a file that fixes more than one row, with axis 0 open: to be checked row by row. */
export function openRows(signature: ModelSignature): ModelSignature {
  const inputs = signature.inputs.map((spec) => withRows(spec, -1));
  const outputs = signature.outputs.map((spec) => withRows(spec, -1));
  return { ...signature, inputs, outputs, batching: "single-rows" };
}

function withRows(spec: TensorSpec, rows: number): TensorSpec {
  return spec.shape.length > 0 ? { ...spec, shape: [rows, ...spec.shape.slice(1)] } : spec;
}
