import type { JsonValue } from "@bufbuild/protobuf";
import type { Column } from "../../model/row-columns.ts";
import { isFloat } from "../../tensor/datatype.ts";
import { shownName } from "../../wording/field-paths.ts";
import {
  exceedsIntegerRange,
  type Fault,
  floatFault,
  floatLimit,
  integerFault,
  stringFault,
} from "./value-rules.ts";

/** A value of `rows` as an input takes it; a missing number is NaN. */
export type Cell = number | string | boolean;

/** The value of a cell that fits its column; undefined where `cellFault` has to say what is wrong. */
export function readCell(value: JsonValue, { spec }: Column): Cell | undefined {
  const { datatype } = spec;
  if (datatype === "BYTES") {
    return typeof value === "string" && stringFault(value) === undefined ? value : undefined;
  }
  if (datatype === "BOOL") return typeof value === "boolean" ? value : undefined;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (isFloat(datatype)) {
    const number = value === null ? Number.NaN : value;
    if (typeof number !== "number") return undefined;
    if (Math.abs(number) <= floatLimit(datatype)) return number;
    return Number.isNaN(number) && !spec.rejectNan ? number : undefined;
  }
  const fits =
    typeof value === "number" && Number.isSafeInteger(value) && !exceedsIntegerRange(value, datatype);
  return fits ? value : undefined;
}

/** Says what is wrong with a value that `readCell` does not take. */
export function cellFault(value: JsonValue, column: Column): Fault {
  const { datatype, rejectNan } = column.spec;
  if (datatype === "BYTES") {
    return (
      (typeof value === "string" ? stringFault(value) : undefined) ?? wrongType(value, "a string", column)
    );
  }
  if (datatype === "BOOL") return wrongType(value, "true or false", column);
  if (isFloat(datatype)) {
    const number = value === null ? Number.NaN : value;
    const fault = typeof number === "number" ? floatFault(number, datatype, rejectNan) : undefined;
    return fault ?? wrongType(value, "a number or null", column);
  }
  const fault = typeof value === "number" ? integerFault(value, datatype) : undefined;
  return fault ?? wrongType(value, "a whole number", column);
}

function wrongType(value: JsonValue, expected: string, column: Column): Fault {
  const came =
    value === null
      ? "null"
      : Array.isArray(value)
        ? "a list"
        : typeof value === "object"
          ? "an object"
          : JSON.stringify(typeof value === "string" ? value.slice(0, 60) : value).slice(0, 60);
  return {
    rule: "signature.type",
    description: `${came} came; column ${shownName(column.name)} takes ${expected}`,
  };
}
