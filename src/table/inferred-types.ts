/** Types of columns that are text: `--infer-types`. A column is of a type where each of its values is written as that type's values are. */
import { BIGINT, BOOLEAN, DATE, DOUBLE, type DuckDBType, TIMESTAMP, TIMESTAMPTZ } from "@duckdb/node-api";
import { sqlText } from "./duckdb/sql-text.ts";

/** A type that text may turn out to be. */
export type InferredType =
  | "BIGINT"
  | "DOUBLE"
  | "BOOLEAN"
  | "DATE"
  | "TIMESTAMP"
  | "TIMESTAMP WITH TIME ZONE";

/** The types as a column has them. */
export const INFERRED_TYPES: Readonly<Record<InferredType, DuckDBType>> = {
  BIGINT,
  DOUBLE,
  BOOLEAN,
  DATE,
  TIMESTAMP,
  "TIMESTAMP WITH TIME ZONE": TIMESTAMPTZ,
};

/** How many values a column has, and how many of them are of each type. */
export interface TypeCounts {
  readonly values: number;
  readonly ofType: Readonly<Record<InferredType, number>>;
}

/** A number with a zero before it is a code: a postcode, an article. */
const NUMBER = "-?(0|[1-9][0-9]*)";
const DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}";
const MOMENT = `${DAY}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,6})?)?`;
/** A double holds them all. */
const MOST_DIGITS = 17;

/** How a value is written, and whether JSON has it as a string; the first type that all values have is the column's. */
const WRITTEN: Readonly<Record<InferredType, { readonly pattern: string; readonly isJsonText: boolean }>> = {
  BIGINT: { pattern: NUMBER, isJsonText: false },
  DOUBLE: { pattern: `${NUMBER}(\\.[0-9]+)?([eE][+-]?[0-9]+)?`, isJsonText: false },
  BOOLEAN: { pattern: "(?i:true|false)", isJsonText: false },
  DATE: { pattern: DAY, isJsonText: true },
  TIMESTAMP: { pattern: MOMENT, isJsonText: true },
  "TIMESTAMP WITH TIME ZONE": {
    pattern: `${MOMENT}(Z|[+-][0-9]{2}(:[0-9]{2})?)`,
    isJsonText: true,
  },
};
const TYPES = Object.keys(WRITTEN) as readonly InferredType[];

/** The items of a SELECT that count a column's values by type; `text` is their text, `json` the column where it is JSON. */
export function typeCountsSql(text: string, json: string | undefined): string[] {
  const counts = TYPES.map((type) => {
    const { pattern, isJsonText } = WRITTEN[type];
    const isWritten = `regexp_full_match(${text}, ${sqlText(pattern)}) AND TRY_CAST(${text} AS ${type}) IS NOT NULL`;
    const isExact =
      type === "DOUBLE"
        ? ` AND length(regexp_replace(${text}, '[eE].*|[^0-9]', '', 'g')) <= ${MOST_DIGITS} AND isfinite(TRY_CAST(${text} AS DOUBLE))`
        : "";
    const isSo = json === undefined ? "" : ` AND json_type(${json}) ${isJsonText ? "=" : "<>"} 'VARCHAR'`;
    return `count(*) FILTER (${isWritten}${isExact}${isSo})`;
  });
  return [`count(${text})`, ...counts];
}

/** What those items came to, a column after the other. */
export function typeCountsOf(row: readonly unknown[]): TypeCounts[] {
  const width = TYPES.length + 1;
  return Array.from({ length: row.length / width }, (_, column) => {
    const [values = 0, ...counts] = row.slice(column * width, (column + 1) * width).map(Number);
    const ofType = Object.fromEntries(TYPES.map((type, index) => [type, counts[index] ?? 0]));
    return { values, ofType: ofType as TypeCounts["ofType"] };
  });
}

/** The type of a column whose values stand in several files; undefined: it stays text. */
export function inferredType(files: readonly TypeCounts[]): InferredType | undefined {
  const values = files.reduce((sum, counts) => sum + counts.values, 0);
  if (values === 0) return undefined;
  return TYPES.find((type) => files.every((counts) => counts.ofType[type] === counts.values));
}
