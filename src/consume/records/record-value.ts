/**
 * A record's value, read: what it asks to be scored, and the schema id in front of it.
 * Comes in: octets as JSON (an object of columns, an array of features, a PredictRequest) or as a PredictRequest in protobuf,
 * bare or framed for a schema registry (a zero, four octets of schema id; for protobuf then the path of the message's type).
 * Promises: never throws; what cannot be read is told with the field and the reason.
 */
import { isUtf8 } from "node:buffer";
import { fromBinary, fromJson, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { type PredictRequest, PredictRequestSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { messageOf } from "../../errors.ts";

/** Why a value asks for nothing that can be scored. */
export interface ValueFault {
  /** In proto names; empty where it is the value as a whole. */
  readonly field: string;
  readonly message: string;
}

/** What a value asks for. */
export type Asked =
  | { readonly kind: "rows"; readonly rows: readonly JsonObject[]; readonly requestId: string }
  | { readonly kind: "features"; readonly features: readonly number[]; readonly requestId: string }
  | { readonly kind: "request"; readonly request: PredictRequest }
  /** No value: the key's row was deleted. */
  | { readonly kind: "deleted" }
  | { readonly kind: "fault"; readonly fault: ValueFault };

/** A value as it was read. */
export interface RecordValue {
  readonly asked: Asked;
  /** What stands in front of the message: magic octet, schema id, and for protobuf the path of its type. Undefined: it is bare. */
  readonly frame: Buffer | undefined;
}

/** How values are written; `auto`: each as it begins. */
export type ValueFormat = "auto" | "json" | "protobuf";

/** The model and version that rows are scored with. */
export interface ScoringModel {
  readonly modelName: string;
  readonly modelVersion: string;
  /** As `--model` names the version: a number or a label; undefined: none. */
  readonly askedVersion: string | undefined;
}

/** The magic octet and the schema id. */
export const FRAME_BYTES = 5;

const REQUEST_MEMBERS: ReadonlySet<string> = new Set(
  PredictRequestSchema.fields.flatMap(({ name, jsonName }) => [name, jsonName]),
);
const ROW_MEMBERS = ["features", "rows", "inputs"];

/** Reads a value. */
export function readRecordValue(value: Buffer | null, format: ValueFormat, model: ScoringModel): RecordValue {
  if (value === null) return { asked: { kind: "deleted" }, frame: undefined };
  const isFramed = value.length > FRAME_BYTES && value[0] === 0;
  const body = isFramed ? value.subarray(FRAME_BYTES) : value;
  if (format === "json" || (format === "auto" && looksLikeJson(body))) {
    return { asked: readJson(body, model), frame: isFramed ? value.subarray(0, FRAME_BYTES) : undefined };
  }
  if (!isFramed) return { asked: readProtobuf(body, model), frame: undefined };
  const at = messagePathEnd(body);
  if (at === undefined) {
    const asked = fault("", "a zero and a schema id came, and then no path of a message's type");
    return { asked, frame: value.subarray(0, FRAME_BYTES) };
  }
  return { asked: readProtobuf(body.subarray(at), model), frame: value.subarray(0, FRAME_BYTES + at) };
}

/** A PredictRequest in protobuf begins with none of these, but for a line feed, which may be its first tag. */
function looksLikeJson(body: Buffer): boolean {
  let at = 0;
  while (body[at] === 0x20 || body[at] === 0x09 || body[at] === 0x0a || body[at] === 0x0d) at++;
  if (body[at] !== 0x7b && body[at] !== 0x5b) return false;
  const last = body.length - 1;
  return at === 0 || body[0] !== 0x0a || body[last] === 0x7d || body[last] === 0x5d || body[last] === 0x0a;
}

/** Where the message begins after its path: a count and so many numbers as zigzag varints, or one zero for the first type. */
function messagePathEnd(body: Buffer): number | undefined {
  let at = 0;
  const next = (): number | undefined => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const octet = body[at++];
      if (octet === undefined) return undefined;
      value += (octet & 0x7f) * 2 ** shift;
      if (octet < 0x80) return value;
    }
    return undefined;
  };
  const count = next();
  // Zigzag: an odd number is below zero.
  if (count === undefined || count % 2 === 1 || count / 2 > body.length) return undefined;
  for (let i = 0; i < count / 2; i++) if (next() === undefined) return undefined;
  return at;
}

function readJson(body: Buffer, model: ScoringModel): Asked {
  // Decoded as it is, it would be another text, and be scored as one.
  if (!isUtf8(body)) return fault("", "the value is no UTF-8, in which JSON is written");
  let json: JsonValue;
  try {
    json = JSON.parse(body.toString("utf8")) as JsonValue;
  } catch (error) {
    return fault("", `the value is no JSON: ${messageOf(error)}`);
  }
  if (Array.isArray(json)) return readFeatures(json);
  if (typeof json !== "object" || json === null)
    return fault(
      "",
      `${JSON.stringify(json)} came; an object of columns or an array of features is expected`,
    );
  if (!isRequest(json)) return { kind: "rows", rows: [json], requestId: "" };
  try {
    return ofRequest(fromJson(PredictRequestSchema, json), model);
  } catch (error) {
    return fault("", `the value is no PredictRequest: ${messageOf(error)}`);
  }
}

/** An object whose members are all a PredictRequest's, one of them its rows. */
function isRequest(json: JsonObject): boolean {
  return ROW_MEMBERS.some((name) => Array.isArray(json[name])) && Object.keys(json).every(isRequestMember);
}

function isRequestMember(name: string): boolean {
  return REQUEST_MEMBERS.has(name);
}

/** Numbers; null is a missing one. */
function readFeatures(json: readonly JsonValue[]): Asked {
  const features: number[] = new Array(json.length);
  for (let i = 0; i < json.length; i++) {
    const value = json[i];
    if (typeof value === "number") features[i] = value;
    else if (value === null || value === "NaN") features[i] = Number.NaN;
    else return fault(`features[${i}]`, `${shown(value)} came; a number is expected`);
  }
  if (features.length === 0)
    return fault("features", "an empty array came; at least one feature is expected");
  return { kind: "features", features, requestId: "" };
}

function readProtobuf(body: Buffer, model: ScoringModel): Asked {
  try {
    return ofRequest(fromBinary(PredictRequestSchema, body), model);
  } catch (error) {
    return fault("", `the value is no PredictRequest in protobuf: ${messageOf(error)}`);
  }
}

/** Rows and features are joined with those of other records; what asks for more than scores goes alone. */
function ofRequest(request: PredictRequest, model: ScoringModel): Asked {
  const { modelName, modelVersion, features, rows, inputs, outputNames, requestId } = request;
  if (modelName !== "" && modelName !== model.modelName)
    return fault("model_name", `${JSON.stringify(modelName)} came; rows are scored with ${model.modelName}`);
  const isVersion = ["", model.modelVersion, model.askedVersion].includes(modelVersion);
  if (!isVersion)
    return fault("model_version", `${modelVersion} came; rows are scored with ${model.modelVersion}`);
  const forms = Number(features.length > 0) + Number(rows.length > 0) + Number(inputs.length > 0);
  if (forms === 1 && outputNames.length === 0) {
    if (rows.length > 0) return { kind: "rows", rows, requestId };
    if (features.length > 0) return { kind: "features", features, requestId };
  }
  return { kind: "request", request };
}

function fault(field: string, message: string): Asked {
  return { kind: "fault", fault: { field, message } };
}

function shown(value: JsonValue | undefined): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
