/** The members of an inference request beside its data: inputs' heads, outputs, parameters. Those that nobody knows are ignored, as the Open Inference Protocol says. */
import {
  classCount,
  noSharedMemory,
  OF_SHARED_MEMORY,
  type ParameterValue,
  readParameter,
} from "../inference/parameters.ts";
import { type JsonFaults, shownValue } from "../json/json-faults.ts";
import { integerOf } from "../json/json-number.ts";
import type { ExactJson, ExactObject } from "../json/json-text.ts";
import type { AskedOutput, InferRequest, InferTensor } from "./infer-request.ts";

/** Lists of more axes are refused by the schema's rule; nobody reads more of them than this. */
const MOST_AXES = 64;

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
    const value = parameters[name]!;
    if (name === "binary_data_output") {
      request.isBinary = flagOf(value, `parameters.${name}`, faults) ?? false;
    } else readParameter(name, parameterOf(value), request);
  }
}

/** Lists and objects are the caller's own, and told as what they are where they stand for a number. */
function parameterOf(value: ExactJson): ParameterValue {
  return typeof value === "object" && value !== null ? shownValue(value) : (value ?? undefined);
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
  for (let i = 0; i < json.length; i++) {
    const place = `outputs[${i}]`;
    const output = objectOf(json[i]!, place, faults);
    if (json[i] === null) faults.add(place, "null came; an object is expected", "json.object");
    if (output !== undefined) asked.push(askedOutput(output, place, request, faults));
  }
  request.asked = asked;
  request.outputNames = asked.map(({ name }) => name);
}

const MOST_OUTPUTS = 1024;

function askedOutput(
  json: ExactObject,
  place: string,
  request: InferRequest,
  faults: JsonFaults,
): AskedOutput {
  const name = textOf(json.name, `${place}.name`, faults);
  const parameters = objectOf(json.parameters, `${place}.parameters`, faults);
  if (parameters === undefined) return { name, isBinary: undefined };
  refuseSharedMemory(parameters, `${place}.parameters`);
  const { binary_data: binary, classification } = parameters;
  if (classification !== undefined && classification !== null) {
    const count = classCount(`${place}.parameters.classification`, parameterOf(classification));
    request.topClasses ??= new Map();
    if (count > 0) request.topClasses.set(name, count);
  }
  if (binary === undefined || binary === null) return { name, isBinary: undefined };
  return { name, isBinary: flagOf(binary, `${place}.parameters.binary_data`, faults) };
}

/** Throws UNIMPLEMENTED where values are to be read from, or written to, memory that is shared with the client. */
function refuseSharedMemory(parameters: ExactObject, place: string): void {
  for (const name of Object.keys(parameters)) {
    if (OF_SHARED_MEMORY.has(name)) throw noSharedMemory(`${place}.${name}`);
  }
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
