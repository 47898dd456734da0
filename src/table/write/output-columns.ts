import {
  DOUBLE,
  DuckDBEnumType,
  type DuckDBType,
  DuckDBTypeId,
  ENUM,
  INTEGER,
  VARCHAR,
} from "@duckdb/node-api";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { ARROW_TYPES } from "../arrow/duckdb-to-arrow.ts";
import { sqlName, sqlText } from "../duckdb/sql-text.ts";
import type { ResultColumns } from "../result-rows.ts";
import type { TableFormat } from "../table-source.ts";

/** A column of the output on its way: appended as `type`, stored in the parts by `toPart`, written by `toOutput`. */
export interface OutputColumn {
  readonly name: string;
  /** Its name in the parts; undefined where every row has the same value and the parts leave it out. */
  readonly partName: string | undefined;
  readonly type: DuckDBType;
  /** SQL over the appended table; undefined as for `partName`. */
  readonly toPart: string | undefined;
  /** SQL over the parts. */
  readonly toOutput: string;
}

/** The name in the parts of the messages of failed rows; a part without any does not have it. */
export const ERROR_PART_NAME = "error";

/** The most labels that have a number each: of one byte or two. */
const MOST_CODES = 10_000;

/** Parquet has no type for these, or one that loses digits: they are written as text. */
const AS_TEXT: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.UHUGEINT,
  DuckDBTypeId.BIGNUM,
  DuckDBTypeId.BIT,
  DuckDBTypeId.UNION,
  DuckDBTypeId.TIME_TZ,
  DuckDBTypeId.TIME_NS,
  DuckDBTypeId.INTERVAL,
  DuckDBTypeId.VARIANT,
  DuckDBTypeId.GEOMETRY,
]);

/**
 * The output's columns in order: those kept, score, label, one a class, model_version, score_error. `keepTypes` are the
 * kept columns' types. Throws CONFIG_INVALID where two would have one name, which upper and lower case do not tell apart.
 */
export function outputColumns(
  columns: ResultColumns,
  keepTypes: readonly DuckDBType[],
  format: TableFormat,
): OutputColumn[] {
  const made: OutputColumn[] = columns.keep.map(({ name }, index) =>
    keptColumn(name, keepTypes[index]!, index, format),
  );
  const result = (name: string, partName: string, type: DuckDBType) =>
    made.push({ name, partName, type, toPart: partName, toOutput: finite(partName, type, format) });
  if (columns.hasScore) result("score", "score", DOUBLE);
  if (columns.hasLabel) result("label", "label", labelType(columns, format));
  for (const [index, name] of columns.probabilities.entries())
    result(`probability_${name}`, `p${index}`, DOUBLE);
  // A constant of an ENUM type is written without looking at any row: it saves a third of the time of the join.
  const version = sqlText(columns.modelVersion);
  const constant = format === "parquet" ? `${version}::ENUM(${version})` : version;
  made.push({
    name: "model_version",
    partName: undefined,
    type: VARCHAR,
    toPart: undefined,
    toOutput: constant,
  });
  made.push({
    name: "score_error",
    partName: undefined,
    type: VARCHAR,
    toPart: undefined,
    toOutput: ERROR_PART_NAME,
  });
  refuseSameNames(made);
  return made;
}

/** A SELECT of the output's own columns, from the table that was appended to. */
export function selectForOutput(columns: readonly OutputColumn[], table: string, hasErrors: boolean): string {
  return `SELECT ${outputSelectList(columns, hasErrors)} FROM (${selectForPart(columns, table, hasErrors)})`;
}

/** The type of a column in SQL. */
export function sqlType(type: DuckDBType): string {
  return type instanceof DuckDBEnumType ? `ENUM(${type.values.map(sqlText).join()})` : String(type);
}

/** A SELECT of what a part stores, from the table that was appended to. */
export function selectForPart(columns: readonly OutputColumn[], table: string, hasErrors: boolean): string {
  const stored = columns.filter(({ partName }) => partName !== undefined);
  const list = stored.map(({ partName, toPart }) => `${toPart} AS ${sqlName(partName!)}`);
  if (hasErrors) list.push(ERROR_PART_NAME);
  return `SELECT ${list.join(", ")} FROM ${table}`;
}

/** The list of a SELECT over the parts; `hasErrors` says whether any of them has messages of failed rows. */
export function outputSelectList(columns: readonly OutputColumn[], hasErrors: boolean): string {
  return columns
    .map(({ name, toOutput }) => {
      const value = toOutput === ERROR_PART_NAME && !hasErrors ? "NULL::VARCHAR" : toOutput;
      return `${value} AS ${sqlName(name)}`;
    })
    .join(", ");
}

/** Labels that are known are numbers on their way, and DuckDB writes their texts to Parquet once; other formats take texts. */
function labelType({ knownLabels = [] }: ResultColumns, format: TableFormat): DuckDBType {
  const isKnown = knownLabels.length > 0 && new Set(knownLabels).size === knownLabels.length;
  return format === "parquet" && isKnown && knownLabels.length <= MOST_CODES ? ENUM(knownLabels) : VARCHAR;
}

/** The list of a SELECT over parts that have the output's own columns. */
export function reselectList(columns: readonly OutputColumn[]): string {
  return columns
    .map(({ name, partName, toOutput }) => {
      const isConstant = partName === undefined && toOutput !== ERROR_PART_NAME;
      return isConstant ? `${toOutput} AS ${sqlName(name)}` : sqlName(name);
    })
    .join(", ");
}

function keptColumn(name: string, type: DuckDBType, index: number, format: TableFormat): OutputColumn {
  const partName = `c${index}`;
  const column = { name, partName, type, toPart: partName, toOutput: finite(partName, type, format) };
  if (type.typeId === DuckDBTypeId.SQLNULL) return { ...column, type: INTEGER };
  if (type.alias === "JSON") {
    return { ...column, toOutput: format === "ndjson" ? `${partName}::JSON` : `${partName}::JSON ->> '$'` };
  }
  if (type.typeId === DuckDBTypeId.HUGEINT) return { ...column, toPart: `${partName}::DECIMAL(38, 0)` };
  if (AS_TEXT.has(type.typeId)) return { ...column, toPart: `${partName}::VARCHAR` };
  if (format === "arrow" && !ARROW_TYPES.has(type.typeId))
    return { ...column, toOutput: `${partName}::VARCHAR` };
  return column;
}

/** JSON has no NaN and no infinity; as pandas and polars do, they are written as null. */
function finite(partName: string, type: DuckDBType, format: TableFormat): string {
  const isFloat = type.typeId === DuckDBTypeId.DOUBLE || type.typeId === DuckDBTypeId.FLOAT;
  return format === "ndjson" && isFloat ? `CASE WHEN isfinite(${partName}) THEN ${partName} END` : partName;
}

function refuseSameNames(columns: readonly OutputColumn[]): void {
  const seen = new Map<string, string>();
  for (const { name } of columns) {
    const other = seen.get(name.toLowerCase());
    if (other !== undefined) {
      const message =
        other === name
          ? `the output would have two columns ${JSON.stringify(name)}`
          : `the output would have the columns ${JSON.stringify(other)} and ${JSON.stringify(name)}, which upper and lower case alone do not tell apart`;
      throw new AssayError(
        Reason.CONFIG_INVALID,
        `${message}: leave one out of --keep, or rename it in the input`,
      );
    }
    seen.set(name.toLowerCase(), name);
  }
}
