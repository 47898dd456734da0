/**
 * Values as stores keep them: text, which people can read and write with any client. A number is the shortest decimal that is the same
 * 64-bit float (a 32-bit float the decimal of its 64-bit value), so that both round-trip exactly; -0 keeps its sign; NaN is `NaN`.
 * Integers are all their digits, booleans `true` and `false`, text itself. A null is one NUL character, which no text that a model
 * takes has in it. A field that is not there is no value.
 */
import type { JsonValue } from "@bufbuild/protobuf";
import { type Datatype, isFloat, rowOf } from "../../tensor/datatype.ts";

/** A value as a store gives it; undefined: it has none. */
export type StoredValue = string | number | boolean | bigint | null | undefined;

/** A stored value that the column cannot take: text for a number, a fraction for an integer. */
export const UNFIT = Symbol("unfit");

/** A value as `rows` takes it; undefined: there is none, or null for a column that has no missing values. */
export type StoredCell = string | number | boolean | undefined | typeof UNFIT;

const NULL_TEXT = "\u0000";
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const NO_NUMBER = /^[+-]?nan$/i;

/** A value as a column of this datatype takes it. */
export function storedCell(value: StoredValue, datatype: Datatype): StoredCell {
  if (value === undefined) return undefined;
  if (value === null || value === NULL_TEXT) return isFloat(datatype) ? Number.NaN : undefined;
  if (datatype === "BYTES") return storedText(value);
  if (datatype === "BOOL") return storedFlag(value);
  const number = asNumber(value);
  if (number === UNFIT) return UNFIT;
  if (isFloat(datatype)) {
    const largest = rowOf(datatype).largest ?? Number.MAX_VALUE;
    return Math.abs(number) <= largest || Number.isNaN(number) ? number : UNFIT;
  }
  const [least, most] = rowOf(datatype).range ?? [0n, 0n];
  if (!Number.isSafeInteger(number)) return UNFIT;
  return number >= Number(least) && number <= Number(most) ? number : UNFIT;
}

/** An instant of RFC 3339, or one without a zone, which is UTC. */
const INSTANT = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?)?$/i;
/** In milliseconds a day of 1973: what is less are seconds. */
const LEAST_MS = 100_000_000_000;

/** The time that a value tells, in milliseconds since 1970: a number of them or of seconds, or an instant as text. NaN: it tells none. */
export function storedTimeMs(value: StoredValue): number {
  if (value === null || value === undefined || typeof value === "boolean") return Number.NaN;
  const instant = typeof value === "string" ? INSTANT.exec(value) : null;
  if (instant !== null) {
    const [, date, time = "00:00", zone = "Z"] = instant;
    return Date.parse(`${date}T${time}${zone}`);
  }
  const number = typeof value === "string" && !DECIMAL.test(value) ? Number.NaN : Number(value);
  return number < LEAST_MS ? number * 1000 : number;
}

/** A value that a configuration declares, as `storedCell` has it. */
export function declaredCell(value: JsonValue, datatype: Datatype): StoredCell {
  return typeof value === "object" && value !== null ? UNFIT : storedCell(value, datatype);
}

/** A value as it is written to a store. Throws a RangeError for text with a NUL character, which would be a null. */
export function textOfValue(value: string | number | boolean | bigint | null): string {
  if (value === null) return NULL_TEXT;
  if (typeof value !== "string") return Object.is(value, -0) ? "-0" : String(value);
  if (value.includes(NULL_TEXT)) throw new RangeError("text with a NUL character, which no model takes");
  return value;
}

function storedText(value: string | number | boolean | bigint): StoredCell {
  // Which text a number is, `1` or `1.0`, nobody can tell here.
  if (typeof value !== "string") return UNFIT;
  return value.includes(NULL_TEXT) || !value.isWellFormed() ? UNFIT : value;
}

function storedFlag(value: string | number | boolean | bigint): StoredCell {
  if (typeof value === "boolean") return value;
  const text = String(value).toLowerCase();
  if (text === "true" || text === "1") return true;
  return text === "false" || text === "0" ? false : UNFIT;
}

function asNumber(value: string | number | boolean | bigint): number | typeof UNFIT {
  if (typeof value !== "string") return Number(value);
  if (DECIMAL.test(value)) return Number(value);
  if (NO_NUMBER.test(value)) return Number.NaN;
  const flag = storedFlag(value);
  return flag === UNFIT ? UNFIT : Number(flag);
}
