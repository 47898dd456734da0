/** What the parameters of a request say: which the server heeds, which it refuses by name, which are the caller's own and ignored. */
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import type { TensorRequest } from "../../service/tensor-request.ts";
import { shownName } from "../../wording/field-paths.ts";

/** A parameter's value, from a message or from JSON. */
export type ParameterValue = boolean | bigint | number | string | undefined;

/** A parameter as protobuf has it. */
interface ParameterMessage {
  readonly parameterChoice: { readonly case?: string | undefined; readonly value?: ParameterValue };
}

type Parameters = Readonly<Record<string, ParameterMessage>>;

/** Requests of a sequence are kept together and in order by servers whose models have a state. */
const OF_SEQUENCES = new Set(["sequence_id", "sequence_start", "sequence_end"]);
/** They say where in a client's memory values lie. */
export const OF_SHARED_MEMORY: ReadonlySet<string> = new Set([
  "shared_memory_region",
  "shared_memory_offset",
  "shared_memory_byte_size",
]);
/** Names that Triton keeps for itself. */
const RESERVED_PREFIX = "triton_";
/** Asks a model with many answers to say which is the last; each model here has one. */
export const EMPTY_FINAL_RESPONSE = "triton_enable_empty_final_response";
const MICROSECONDS_A_MS = 1000;
const MOST_CLASSES = 2 ** 31 - 1;

/** Reads the parameters of a request. Throws INVALID_REQUEST for one that is reserved, or of another type. */
export function readParameters(parameters: Parameters, request: TensorRequest): void {
  for (const name of Object.keys(parameters)) readParameter(name, givenValue(parameters[name]!), request);
}

/** Reads one of them. */
export function readParameter(name: string, value: ParameterValue, request: TensorRequest): void {
  const field = `parameters[${shownName(name)}]`;
  if (name === "timeout") {
    const micros = wholeNumber(field, value, "microseconds");
    if (micros > 0) request.timeoutMs = micros / MICROSECONDS_A_MS;
  } else if (name === "priority") {
    const priority = wholeNumber(field, value, "a priority, 1 being the highest");
    if (priority > 0) request.lane = priority === 1 ? "interactive" : "bulk";
  } else if (OF_SEQUENCES.has(name)) {
    // Clients that have no sequence send its absence.
    if (isAbsence(value)) return;
    throw refusal(field, "the models here keep no state between requests, so there are no sequences");
  } else if (name === "headers" || name === "binary_data_output") {
    if (!isAbsence(value)) throw refusal(field, "it is reserved; the server has no use for it here");
  } else if (name.startsWith(RESERVED_PREFIX) && name !== EMPTY_FINAL_RESPONSE) {
    throw refusal(
      field,
      `names that begin with ${RESERVED_PREFIX} are reserved, and the server has none of this name`,
    );
  }
}

/** Refuses what an input's parameters ask for and the server has not. */
export function refuseInputParameters(parameters: Parameters, path: string): void {
  for (const name of Object.keys(parameters))
    if (OF_SHARED_MEMORY.has(name)) throw noSharedMemory(`${path}[${shownName(name)}]`);
}

/** The outputs' classifications by name; undefined where none is asked for. */
export function readOutputParameters(
  outputs: readonly { readonly name: string; readonly parameters: Parameters }[],
): ReadonlyMap<string, number> | undefined {
  let topClasses: Map<string, number> | undefined;
  for (let i = 0; i < outputs.length; i++) {
    const { name: output, parameters } = outputs[i]!;
    for (const name of Object.keys(parameters)) {
      const field = `outputs[${i}].parameters[${shownName(name)}]`;
      if (OF_SHARED_MEMORY.has(name)) throw noSharedMemory(field);
      if (name !== "classification") continue;
      const count = classCount(field, givenValue(parameters[name]!));
      if (count === 0) continue;
      topClasses ??= new Map();
      topClasses.set(output, count);
    }
  }
  return topClasses;
}

/** The number of classes that are asked for; 0: values. */
export function classCount(field: string, value: ParameterValue): number {
  return Math.min(wholeNumber(field, value, "the number of classes"), MOST_CLASSES);
}

/** The error of calls and parameters that are about memory which a client shares. */
export function noSharedMemory(what: string): AssayError {
  return new AssayError(
    Reason.UNIMPLEMENTED,
    `${what}: the server maps no memory of its clients; send the values in the request, and read them from the answer`,
  );
}

function givenValue({ parameterChoice }: ParameterMessage): ParameterValue {
  return parameterChoice.value;
}

function isAbsence(value: ParameterValue): boolean {
  return value === undefined || value === false || value === "" || value === 0 || value === 0n;
}

function wholeNumber(field: string, value: ParameterValue, what: string): number {
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number) && number >= 0) return number;
  const came =
    value === undefined ? "no value" : typeof value === "string" ? shownName(value) : String(value);
  throw refusal(field, `${came} came; ${what} is expected, a whole number from 0 on`);
}

function refusal(field: string, description: string): AssayError {
  return new AssayError(Reason.INVALID_REQUEST, `${field}: ${description}`, {
    violations: [{ field, description, rule: "parameters" }],
  });
}
