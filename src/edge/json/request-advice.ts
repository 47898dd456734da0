/** What people who write JSON by hand send instead of a PredictRequest, and what to send: a bare row, a list, a matrix of features. */
import { PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { counted } from "../../wording/counted.ts";
import { type JsonFaults, shownValue } from "./json-faults.ts";
import type { ExactJson, ExactObject } from "./json-text.ts";
import { isMisspelt } from "./member-names.ts";

/** The member that holds a tensor's values: `data` on `/predict`, `contents` in protobuf's JSON. */
export type TensorForm = "data" | "contents";

/** Members that need no further look, since what is wrong with them has been said. */
export interface Advised {
  readonly members: readonly string[];
  /** The unknown ones too. */
  readonly unknown: boolean;
}

/** The members of a request, in proto names. */
export const REQUEST_MEMBERS: readonly string[] = PredictRequestSchema.fields.map(({ name }) => name);
/** The members of a request, in both spellings. */
export const REQUEST_SPELLINGS: ReadonlySet<string> = new Set(
  PredictRequestSchema.fields.flatMap(({ name, jsonName }) => [name, jsonName]),
);
const SHOWN_MEMBERS = 3;

/** Advice on what to send instead of a request that is no object. */
export function adviceOnBody(json: ExactJson): string {
  const came = `${shownValue(json)} came; an object is expected`;
  if (!Array.isArray(json))
    return `${came}: {"features": [numbers of one row]} or {"rows": [{"column": value}]}`;
  const [first] = json;
  if (Array.isArray(first)) {
    return `${came}: a tensor in {"inputs": [{"name", "datatype", "shape", …}]}, or one request a row with {"features": [numbers]}`;
  }
  if (typeof first === "object" && first !== null)
    return `${came}: {"rows": [{"column": value}]} takes these objects`;
  return `${came}: {"features": [numbers of one row]} takes this list`;
}

/** Says what is wrong with a request as a whole; undefined where its members are to be read one by one. */
export function adviseOnRequest(
  json: ExactObject,
  path: string,
  form: TensorForm,
  faults: JsonFaults,
): Advised | undefined {
  const { features } = json;
  if (Array.isArray(features) && Array.isArray(features[0])) {
    faults.add(join(path, "features"), matrixAdvice(features, features[0], form), "json.matrix");
    return { members: ["features"], unknown: false };
  }
  if (Array.isArray(features) && typeof features[0] === "object" && features[0] !== null) {
    const what = "a list of objects came; features takes numbers, and rows takes objects: send them as rows";
    faults.add(join(path, "features"), what, "json.number");
    return { members: ["features"], unknown: false };
  }
  if (features !== undefined || json.rows !== undefined || json.inputs !== undefined) return undefined;
  const unknown = Object.keys(json).filter((name) => !REQUEST_SPELLINGS.has(name));
  const looked = unknown.slice(0, 20);
  if (unknown.length === 0 || looked.some((name) => isMisspelt(name, REQUEST_MEMBERS))) return undefined;
  const shown = looked.slice(0, SHOWN_MEMBERS).map((name) => JSON.stringify(name.slice(0, 40)));
  const more = unknown.length > SHOWN_MEMBERS ? ` and ${unknown.length - SHOWN_MEMBERS} more` : "";
  faults.add(
    path,
    `no features, rows or inputs came, and ${shown.join(", ")}${more} are no members of a request: the columns of a row stand in {"rows": [{${shown[0]}: …}]}`,
    "json.unknown_member",
  );
  return { members: [], unknown: true };
}

function matrixAdvice(rows: readonly ExactJson[], row: readonly ExactJson[], form: TensorForm): string {
  const values =
    form === "data"
      ? `"data": [${row.length} numbers a row]`
      : `"contents": {"fp32_contents": [${row.length} numbers a row]}`;
  return `${counted(rows.length, "row")} came; features takes the numbers of one row: send each row in a request of its own, or all as a tensor: {"inputs": [{"name": the model's input, "datatype": "FP32", "shape": [${rows.length}, ${row.length}], ${values}}]}`;
}

function join(path: string, member: string): string {
  return path === "" ? member : `${path}.${member}`;
}
