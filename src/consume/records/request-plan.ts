/** Which records are scored in one request, and what a refusal of it means for each of them: pure decisions. */
import { create, type JsonObject } from "@bufbuild/protobuf";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import type { Model } from "../../../gen/assay/v1/model_service_pb.ts";
import { type PredictRequest, PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { TensorSchema } from "../../../gen/assay/v1/tensor_pb.ts";
import { type AssayError, reasonName } from "../../errors.ts";
import type { Asked } from "./record-value.ts";

/** Why a record has no score. */
export interface Refusal {
  /** The name of a reason of error.proto. */
  readonly reason: string;
  /** In proto names, of the record's own value; empty where it is the value as a whole. */
  readonly field: string;
  readonly message: string;
}

/** Records that are scored in one request: their places in the list that was planned, and how many rows each has. */
export interface RequestPart {
  readonly kind: "rows" | "features" | "request";
  readonly places: readonly number[];
  readonly counts: readonly number[];
}

/** What a model's requests depend on. */
export interface RequestForm {
  /** The float input that a row of `width` features fills; undefined: features go one row a request. */
  readonly featureInput: { readonly name: string; readonly width: number } | undefined;
  /** Answers have one score or label a row, so that those of several records can be told apart. */
  readonly isJoinable: boolean;
}

/** What the description of a model says of requests for it. */
export function requestForm({ inputs, scoreOutput, labelOutput }: Model): RequestForm {
  const [input] = inputs;
  const width = Number(input?.shape[1] ?? 0);
  const isMatrix =
    inputs.length === 1 && input!.datatype === "FP32" && input!.shape.length === 2 && width > 0;
  return {
    featureInput: isMatrix ? { name: input!.name, width } : undefined,
    isJoinable: scoreOutput !== "" || labelOutput !== "",
  };
}

/** Plans the requests for what was read: neighbours of one kind together, at most `mostRows` rows each. */
export function planRequests(asked: readonly Asked[], form: RequestForm, mostRows: number): RequestPart[] {
  const parts: RequestPart[] = [];
  const open = new Map<string, { places: number[]; counts: number[]; rows: number }>();
  for (const [place, one] of asked.entries()) {
    if (one.kind === "deleted" || one.kind === "fault") continue;
    if (one.kind === "request" || !isJoined(one, form)) {
      const count = one.kind === "rows" ? one.rows.length : 1;
      parts.push({ kind: one.kind, places: [place], counts: [count] });
      continue;
    }
    const count = one.kind === "rows" ? one.rows.length : 1;
    let part = open.get(one.kind);
    if (part === undefined || part.rows + count > mostRows) {
      part = { places: [], counts: [], rows: 0 };
      open.set(one.kind, part);
      parts.push({ kind: one.kind, places: part.places, counts: part.counts });
    }
    part.places.push(place);
    part.counts.push(count);
    part.rows += count;
  }
  return parts;
}

function isJoined(one: Asked, { featureInput, isJoinable }: RequestForm): boolean {
  if (!isJoinable) return false;
  return one.kind !== "features" || one.features.length === featureInput?.width;
}

/** The request for a part. */
export function partRequest(part: RequestPart, asked: readonly Asked[], form: RequestForm): PredictRequest {
  const members = part.places.map((place) => asked[place]!);
  const [first] = members;
  if (first?.kind === "request") return first.request;
  if (first?.kind === "features") {
    const { featureInput } = form;
    if (!isJoined(first, form)) return create(PredictRequestSchema, { features: [...first.features] });
    const { name, width } = featureInput!;
    const values = new Float32Array(members.length * width);
    for (const [row, one] of members.entries())
      if (one.kind === "features") values.set(one.features, row * width);
    const rawContents = new Uint8Array(values.buffer);
    const shape = [BigInt(members.length), BigInt(width)];
    const tensor = create(TensorSchema, { name, datatype: "FP32", shape, rawContents });
    return create(PredictRequestSchema, { inputs: [tensor] });
  }
  const rows: JsonObject[] = [];
  for (const one of members) if (one.kind === "rows") rows.push(...one.rows);
  return create(PredictRequestSchema, { rows });
}

/** Concern the rows of a request, one of them or all together. */
const OF_THE_ROWS: ReadonlySet<Reason> = new Set([
  Reason.INVALID_REQUEST,
  Reason.RUN_FAILED,
  Reason.ROWS_REFUSED,
  Reason.REQUEST_TOO_LARGE,
  Reason.OUTPUT_TOO_LARGE,
  Reason.MESSAGE_TOO_LARGE,
]);
/** May be the doing of one row, which ends the worker or never lets it end. */
const PERHAPS_THE_ROWS: ReadonlySet<Reason> = new Set([Reason.INSTANCE_LOST, Reason.RUN_TIMEOUT]);
const MOST_LOSSES = 5;

/** What is done after a request failed. */
export type Verdict =
  /** These records have no score; the others are sent again. Keys are positions in the part. */
  | { readonly kind: "refuse"; readonly refusals: ReadonlyMap<number, Refusal> }
  /** Which record it is shows when each half is sent. */
  | { readonly kind: "halve" }
  /** The server's own matter. */
  | { readonly kind: "retry" };

/** Judges a failed request; `losses` counts how often its rows were lost with the worker that had them. */
export function judge(error: AssayError, part: RequestPart, losses: number): Verdict {
  const { reason } = error;
  const isLoss = PERHAPS_THE_ROWS.has(reason) && losses >= MOST_LOSSES;
  if (!OF_THE_ROWS.has(reason) && !isLoss) return { kind: "retry" };
  if (reason === Reason.INVALID_REQUEST && part.places.length > 1) {
    const refusals = namedRecords(error, part);
    return refusals.size > 0 ? { kind: "refuse", refusals } : { kind: "halve" };
  }
  if (part.places.length > 1) return { kind: "halve" };
  const [violation] = error.violations;
  const field = violation?.field ?? "";
  const message = violation?.description ?? error.message;
  return { kind: "refuse", refusals: new Map([[0, { reason: reasonName(reason), field, message }]]) };
}

const ROW = /^rows\[(\d+)\]/;
const ELEMENT = /^inputs\[0\]\.raw_contents\[(\d+)\](?:\[(\d+)\])?/;

/** The records that violations name, each with its first, as a path in its own value. */
function namedRecords({ reason, violations }: AssayError, part: RequestPart): Map<number, Refusal> {
  const refusals = new Map<number, Refusal>();
  const firstRows: number[] = [];
  let rows = 0;
  for (const count of part.counts) {
    firstRows.push(rows);
    rows += count;
  }
  for (const { field, description } of violations) {
    const match = part.kind === "rows" ? ROW.exec(field) : ELEMENT.exec(field);
    if (match === null) continue;
    const row = Number(match[1]);
    const position = recordOf(row, firstRows);
    if (row >= rows || refusals.has(position)) continue;
    const own =
      part.kind === "rows"
        ? field.replace(ROW, `rows[${row - firstRows[position]!}]`)
        : `features[${match[2] ?? 0}]`;
    refusals.set(position, { reason: reasonName(reason), field: own, message: description });
  }
  return refusals;
}

/** The last record that begins at or before a row. */
function recordOf(row: number, firstRows: readonly number[]): number {
  let low = 0;
  let high = firstRows.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (firstRows[middle]! <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** A part without some of its records; undefined where none is left. */
export function without(part: RequestPart, refused: ReadonlyMap<number, unknown>): RequestPart | undefined {
  const isLeft = (_: number, position: number) => !refused.has(position);
  const places = part.places.filter(isLeft);
  return places.length === 0 ? undefined : { ...part, places, counts: part.counts.filter(isLeft) };
}

/** The two halves of a part. */
export function halves({ kind, places, counts }: RequestPart): [RequestPart, RequestPart] {
  const half = places.length >> 1;
  return [
    { kind, places: places.slice(0, half), counts: counts.slice(0, half) },
    { kind, places: places.slice(half), counts: counts.slice(half) },
  ];
}
