/** The members of an inference request beside its data: inputs' heads, outputs, parameters. Those that nobody knows are ignored, as the Open Inference Protocol says. */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { type JsonFaults, shownValue } from "../json/json-faults.ts";
import { integerOf } from "../json/json-number.ts";
import type { ExactJson, ExactObject } from "../json/json-text.ts";
import type { AskedOutput, InferRequest, InferTensor } from "./infer-request.ts";

/** Lists of more axes are refused by the schema's rule; nobody reads more of them than this. */
const MOST_AXES = 64;
/** Triton's words for what a server keeps between calls, which none of Assay's models does. */
const RESERVED = new Set(["sequence_id", "sequence_start", "sequence_end", "headers"]);
const RESERVED_PREFIX = "triton_";
const SHARED_MEMORY = ["shared_memory_region", "shared_memory_offset", "shared_memory_byte_size"];

/** The object that a member is; undefined where it is absent, or none, with a fault. */
export function objectOf(
  json: ExactJson | undefined,
  place: string,
  faults: JsonFaults,
): ExactObject | undefined {
  if (json === undefined || json === null) return undefined;
  if (typeof json === "object" && !Array.isArray(json)) return json;
  faults.add(place, `${shownValue(json)} came; an object is expected`, "json.object");
  return undefined;
}

/** Reads id and parameters of a request. */
export function readRequestHead(json: ExactObject, request: InferRequest, faults: JsonFaults): void {
  if (json.id !== undefined && json.id !== null) request.requestId = textOf(json.id, "id", faults);
  const parameters = objectOf(json.parameters, "parameters", faults);
  if (parameters === undefined) return;
  for (const name of Object.keys(parameters)) {
    const place = `parameters.${name}`;
    const value = parameters[name]!;
    if (name === "binary_data_output") request.isBinary = flagOf(value, place, faults) ?? false;
    else if (name === "timeout") request.timeoutMs = timeoutOf(value, place, faults);
    else if (name === "priority") wholeOf(value, place, faults);
    else if (RESERVED.has(name) || name.startsWith(RESERVED_PREFIX))
      refuseReserved(name, value, place, faults);
  }
}

/** Reads name, datatype and shape of an input. */
export function readInputHead(
  json: ExactObject,
  tensor: InferTensor,
  place: string,
  faults: JsonFaults,
): void {
  tensor.name = textOf(json.name, `${place}.name`, faults);
  tensor.datatype = textOf(json.datatype, `${place}.datatype`, faults);
  const { shape } = json;
  if (!Array.isArray(shape)) {
    faults.add(`${place}.shape`, missing(shape, "a list of whole numbers"), "json.list");
    return;
  }
  tensor.shape = [];
  for (let axis = 0; axis < Math.min(shape.length, MOST_AXES); axis++) {
    tensor.shape.push(wholeOf(shape[axis]!, `${place}.shape[${axis}]`, faults) ?? 0n);
  }
}

/** The bytes behind the JSON that an input says are its own; undefined where its values stand in the JSON. */
export function readInputParameters(
  json: ExactObject,
  place: string,
  faults: JsonFaults,
): number | undefined {
  const parameters = objectOf(json.parameters, `${place}.parameters`, faults);
  if (parameters === undefined) return undefined;
  refuseSharedMemory(parameters, `${place}.parameters`);
  const size = parameters.binary_data_size;
  if (size === undefined || size === null) return undefined;
  const whole = wholeOf(size, `${place}.parameters.binary_data_size`, faults);
  return whole === undefined ? 0 : Number(whole);
}

/** Reads the outputs that are asked for. */
export function readOutputs(json: ExactJson | undefined, request: InferRequest, faults: JsonFaults): void {
  if (json === undefined || json === null) return;
  if (!Array.isArray(json)) {
    faults.add("outputs", `${shownValue(json)} came; a list is expected`, "json.list");
    return;
  }
  if (json.length === 0) return;
  if (json.length > MOST_OUTPUTS) {
    const what = `${json.length} came; at most ${MOST_OUTPUTS} are taken in one request`;
    faults.add("outputs", what, "repeated.max_items");
    return;
  }
  const asked: AskedOutput[] = [];
  const names: string[] = [];
  for (let i = 0; i < json.length; i++) {
    const place = `outputs[${i}]`;
    const output = objectOf(json[i] ?? undefined, place, faults);
    if (output === undefined) {
      if (json[i] === null) faults.add(place, "null came; an object is expected", "json.object");
      continue;
    }
    const name = textOf(output.name, `${place}.name`, faults);
    asked.push({ name, ...readOutputParameters(output, place, faults) });
    names.push(name);
  }
  request.asked = asked;
  request.outputNames = names;
}

const MOST_OUTPUTS = 1024;
const MOST_CLASSES = 2 ** 31;

function readOutputParameters(
  json: ExactObject,
  place: string,
  faults: JsonFaults,
): Pick<AskedOutput, "isBinary" | "topClasses"> {
  const parameters = objectOf(json.parameters, `${place}.parameters`, faults);
  if (parameters === undefined) return VALUES;
  refuseSharedMemory(parameters, `${place}.parameters`);
  const { binary_data: binary, classification } = parameters;
  const isBinary =
    binary === undefined || binary === null
      ? undefined
      : flagOf(binary, `${place}.parameters.binary_data`, faults);
  if (classification === undefined || classification === null) return { isBinary, topClasses: 0 };
  const classes = wholeOf(classification, `${place}.parameters.classification`, faults);
  return { isBinary, topClasses: Math.min(Number(classes ?? 0n), MOST_CLASSES) };
}

const VALUES = { isBinary: undefined, topClasses: 0 };

function refuseReserved(name: string, value: ExactJson, place: string, faults: JsonFaults): void {
  // Clients that have no sequence send its absence.
  if (value === 0 || value === "" || value === false) return;
  if (name === "triton_enable_empty_final_response") return;
  const what = name.startsWith("sequence")
    ? "models keep nothing between requests here; leave it out"
    : "the name is reserved, and means nothing here; leave it out";
  faults.add(place, what, "parameters.reserved");
}

/** Throws UNIMPLEMENTED where values are to be read from, or written to, memory that is shared with the client. */
function refuseSharedMemory(parameters: ExactObject, place: string): void {
  const name = SHARED_MEMORY.find((one) => Object.hasOwn(parameters, one));
  if (name === undefined) return;
  throw new AssayError(
    Reason.UNIMPLEMENTED,
    `${place}.${name}: the server shares no memory with its clients; send the values in the request, as JSON or binary data`,
  );
}

/** Microseconds, as Triton has them; 0 is none. */
function timeoutOf(value: ExactJson, place: string, faults: JsonFaults): number | undefined {
  const micros = wholeOf(value, place, faults);
  return micros === undefined || micros === 0n ? undefined : Number(micros) / 1000;
}

function textOf(json: ExactJson | undefined, place: string, faults: JsonFaults): string {
  if (typeof json === "string") return json.toWellFormed();
  faults.add(place, missing(json, "a text"), "json.text");
  return "";
}

function flagOf(json: ExactJson, place: string, faults: JsonFaults): boolean | undefined {
  if (typeof json === "boolean") return json;
  faults.add(place, missing(json, "true or false"), "json.boolean");
  return undefined;
}

function wholeOf(json: ExactJson, place: string, faults: JsonFaults): bigint | undefined {
  const whole = typeof json === "string" ? undefined : integerOf(json);
  if (whole !== undefined && whole >= 0n && whole < 2n ** 63n) return whole;
  faults.add(place, missing(json, "a whole number from 0 on"), "json.integer");
  return undefined;
}

function missing(json: ExactJson | undefined, expected: string): string {
  return json === undefined
    ? `is missing; ${expected} is expected`
    : `${shownValue(json)} came; ${expected} is expected`;
}
