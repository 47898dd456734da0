import type { Datatype } from "../../tensor/datatype.ts";
import type { FloatDatatype } from "../../tensor/float-bytes.ts";

const INTEGER_RANGE: Readonly<Partial<Record<Datatype, readonly [bigint, bigint]>>> = {
  INT8: [-128n, 127n],
  INT16: [-32768n, 32767n],
  INT32: [-2147483648n, 2147483647n],
  INT64: [-(2n ** 63n), 2n ** 63n - 1n],
  UINT8: [0n, 255n],
  UINT16: [0n, 65535n],
  UINT32: [0n, 4294967295n],
  UINT64: [0n, 2n ** 64n - 1n],
};

const LEAST: Partial<Record<Datatype, number>> = {};
const MOST: Partial<Record<Datatype, number>> = {};
for (const [datatype, [least, most]] of Object.entries(INTEGER_RANGE)) {
  LEAST[datatype as Datatype] = Number(least);
  MOST[datatype as Datatype] = Number(most);
}

/** The smallest and largest value of an integer datatype; undefined for all others. */
export function integerRange(datatype: Datatype): readonly [bigint, bigint] | undefined {
  return INTEGER_RANGE[datatype];
}

/** True for FP16, FP32 and FP64. */
export function isFloat(datatype: Datatype): datatype is FloatDatatype {
  return datatype === "FP16" || datatype === "FP32" || datatype === "FP64";
}

const FLOAT_LIMIT: Readonly<Partial<Record<Datatype, number>>> = { FP16: 65504, FP32: 3.4028235677973366e38 };

/** The largest magnitude that stays finite in a float datatype; `Math.abs(x) <= limit` is false for NaN and infinity. */
export function floatLimit(datatype: Datatype): number {
  return FLOAT_LIMIT[datatype] ?? Number.MAX_VALUE;
}

/**
 * What is wrong with one float, as rule and description, or undefined. NaN means missing and is allowed unless the
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
  const limit = FLOAT_LIMIT[datatype];
  if (limit !== undefined && Math.abs(value) > limit) {
    return {
      rule: "value.range",
      description: `${value} came; the largest ${datatype} number is about ${limit}`,
    };
  }
  return undefined;
}

/** What is wrong with a number meant for an integer input, as rule and description, or undefined. */
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

/** Whether a whole number, no larger than 2^53, lies outside an integer datatype. */
export function exceedsIntegerRange(value: number, datatype: Datatype): boolean {
  const least = LEAST[datatype] ?? Number.NEGATIVE_INFINITY;
  const most = MOST[datatype] ?? Number.POSITIVE_INFINITY;
  return value < least || value > most;
}

/** What is wrong with the size of an integer, as rule and description, or undefined. */
export function integerRangeFault(value: bigint, datatype: Datatype): Fault | undefined {
  const range = integerRange(datatype);
  if (range === undefined || (value >= range[0] && value <= range[1])) return undefined;
  return { rule: "value.range", description: `${value} came; ${datatype} takes ${range[0]} to ${range[1]}` };
}

/** What is wrong with a string, as rule and description, or undefined. ONNX Runtime would cut it at a NUL in silence. */
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
