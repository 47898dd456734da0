/** Values of JSON as elements of a model's input: what it takes, and what is wrong with the rest. */
import { isUtf8 } from "node:buffer";
import type { ModelInput } from "../../service/check/model-inputs.ts";
import {
  type Fault,
  floatFault,
  floatLimit,
  integerRangeFault,
  stringFault,
} from "../../service/check/value-rules.ts";
import { type Datatype, rowOf } from "../../tensor/datatype.ts";
import { shownValue } from "./json-faults.ts";
import { integerOf } from "./json-number.ts";
import type { ExactJson, ExactObject } from "./json-text.ts";

/** An element as the array of its datatype holds it, or a text. */
export type ModelElement = number | bigint | string;

/** Octets as TensorFlow Serving writes them in JSON, which a model gets as the UTF-8 text that they are. */
const B64 = "b64";
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** The text of `{"b64": "…"}`; undefined where the value is none, or its octets are no UTF-8. */
export function textOfB64(value: ExactJson): string | undefined {
  if (!isB64(value)) return undefined;
  const octets = value[B64];
  if (typeof octets !== "string" || !BASE64.test(octets)) return undefined;
  const bytes = Buffer.from(octets, "base64");
  // A decoder that throws would cost a hundred times as much for each of a million.
  return isUtf8(bytes) ? bytes.toString() : undefined;
}

/** Whether a value is `{"b64": "…"}`. */
export function isB64(value: ExactJson): value is { [B64]: ExactJson } {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.hasOwn(value, B64) && Object.keys(value).length === 1;
}

/** Reads elements of one input. */
export class ElementReader {
  private readonly spec: ModelInput;
  private readonly isLong: boolean;
  private readonly limit: number;

  constructor(spec: ModelInput) {
    const { elementBytes } = rowOf(spec.datatype);
    this.spec = spec;
    this.isLong = rowOf(spec.datatype).kind === "integer" && elementBytes === 8;
    this.limit = floatLimit(spec.datatype);
  }

  /** The element; undefined where `fault` has to say what is wrong. */
  read(value: ExactJson): ModelElement | undefined {
    const { datatype, rejectNan } = this.spec;
    switch (rowOf(datatype).kind) {
      case "float": {
        const number = numberOf(value);
        if (number === undefined) return undefined;
        if (Math.abs(number) <= this.limit) return stored(datatype, number);
        return Number.isNaN(number) && !rejectNan ? stored(datatype, number) : undefined;
      }
      case "integer": {
        const integer = integerOfElement(value);
        if (integer === undefined || integerRangeFault(integer, datatype) !== undefined) return undefined;
        return this.isLong ? integer : Number(integer);
      }
      case "flag":
        return typeof value === "boolean" ? Number(value) : undefined;
      default: {
        const text = typeof value === "string" ? value : textOfB64(value);
        return text === undefined || stringFault(text) !== undefined ? undefined : text;
      }
    }
  }

  /** What is wrong with a value that `read` does not take. */
  fault(value: ExactJson): Fault {
    const { datatype, rejectNan } = this.spec;
    const { kind } = rowOf(datatype);
    if (kind === "float") {
      const number = numberOf(value);
      const fault = number === undefined ? undefined : floatFault(number, datatype, rejectNan);
      return fault ?? wrong(value, "a number, or null where it is missing,", "json.number");
    }
    if (kind === "integer") {
      const integer = integerOfElement(value);
      const fault = integer === undefined ? undefined : integerRangeFault(integer, datatype);
      return fault ?? wrong(value, `a whole number (${datatype})`, "json.integer");
    }
    if (kind === "flag") return wrong(value, "true or false", "json.boolean");
    const text = typeof value === "string" ? value : textOfB64(value);
    const fault = text === undefined ? undefined : stringFault(text);
    if (fault !== undefined) return fault;
    if (!isB64(value)) return wrong(value, "a text", "json.text");
    const description = "octets came in b64 that are no base64 of UTF-8 text, which is what the model takes";
    return { description, rule: "json.base64" };
  }
}

function wrong(value: ExactJson, expected: string, rule: string): Fault {
  return { description: `${shownValue(value)} came; ${expected} is expected`, rule };
}

function numberOf(value: ExactJson): number | undefined {
  if (typeof value === "number") return value;
  if (value === null || value === "NaN") return Number.NaN;
  return typeof value === "bigint" || typeof value === "boolean" ? Number(value) : undefined;
}

function integerOfElement(value: ExactJson): bigint | undefined {
  return typeof value === "string"
    ? undefined
    : integerOf(typeof value === "boolean" ? Number(value) : value);
}

function stored(datatype: Datatype, number: number): number {
  const { bits } = rowOf(datatype);
  return bits === undefined ? number : bits.fromNumber(number);
}

/** Whether a value is an object, and no list. */
export function isObject(value: ExactJson): value is ExactObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
