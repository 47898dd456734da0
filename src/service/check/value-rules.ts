import { DATATYPE_NAMES, type Datatype, rowOf } from "../../tensor/datatype.ts";

const LEAST: Partial<Record<Datatype, number>> = {};
const MOST: Partial<Record<Datatype, number>> = {};
for (const datatype of DATATYPE_NAMES) {
  const { range } = rowOf(datatype);
  if (range === undefined) continue;
  LEAST[datatype] = Number(range[0]);
  MOST[datatype] = Number(range[1]);
}

/** The largest magnitude that stays finite in a float datatype; `Math.abs(x) <= limit` is false for NaN and infinity. */
export function floatLimit(datatype: Datatype): number {
  return rowOf(datatype).largest ?? Number.MAX_VALUE;
}

/**
 * Says what is wrong with one float, as rule and description, or undefined. NaN means missing and is allowed unless the
 * model's configuration refuses it; infinity, and numbers that become infinite in the model's datatype, are refused.
 */
export function floatFault(value: number, datatype: Datatype, rejectNan: boolean): Fault | undefined {
  if (Number.isNaN(value)) {
    return rejectNan
      ? { rule: "value.nan", description: "NaN came; this input takes no missing values (nan: REJECT)" }
      : undefined;
  }
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
    return { rule: "value.finite", description: `${value} came; a finite number is expected` };
  }
  const limit = floatLimit(datatype);
  if (Math.abs(value) > limit) {
    return {
      rule: "value.range",
      description: `${value} came; the largest ${datatype} number is about ${limit}`,
    };
  }
  return undefined;
}

/** Says what is wrong with a number meant for an integer input, as rule and description, or undefined. */
export function integerFault(value: number, datatype: Datatype): Fault | undefined {
  if (!Number.isInteger(value)) {
    return { rule: "value.integer", description: `${value} came; ${datatype} takes whole numbers` };
  }
  if (!Number.isSafeInteger(value)) {
    return {
      rule: "value.integer",
      description: `${value} came; numbers beyond 2^53 lose digits in JSON: send them as an ${datatype} tensor`,
    };
  }
  return integerRangeFault(BigInt(value), datatype);
}

/** Tells whether a whole number, no larger than 2^53, lies outside an integer datatype. */
export function exceedsIntegerRange(value: number, datatype: Datatype): boolean {
  const least = LEAST[datatype] ?? Number.NEGATIVE_INFINITY;
  const most = MOST[datatype] ?? Number.POSITIVE_INFINITY;
  return value < least || value > most;
}

/** Says what is wrong with the size of an integer, as rule and description, or undefined. */
export function integerRangeFault(value: bigint, datatype: Datatype): Fault | undefined {
  const { range } = rowOf(datatype);
  if (range === undefined || (value >= range[0] && value <= range[1])) return undefined;
  return { rule: "value.range", description: `${value} came; ${datatype} takes ${range[0]} to ${range[1]}` };
}

/** Says what is wrong with a string, as rule and description, or undefined. ONNX Runtime would cut it at a NUL in silence. */
export function stringFault(value: string): Fault | undefined {
  if (value.includes("\u0000")) {
    return {
      rule: "value.nul",
      description: "a string with a NUL character came; the model would see only what is before it",
    };
  }
  if (!value.isWellFormed()) {
    return { rule: "value.utf8", description: "a string that is not valid UTF-8 came" };
  }
  return undefined;
}

/** A rule's id and what is wrong. */
export interface Fault {
  readonly rule: string;
  readonly description: string;
}
