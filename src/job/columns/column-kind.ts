import { type DuckDBType, DuckDBTypeId } from "@duckdb/node-api";
import type { Datatype } from "../../tensor/datatype.ts";

/**
 * The kind of values in a table's column, as far as a model's input cares. `wide` numbers are read as DOUBLE; `text` is VARCHAR, `json`
 * VARCHAR with one JSON literal a cell.
 */
export type ColumnKind =
  | "float"
  | "number"
  | "int64"
  | "uint64"
  | "wide"
  | "boolean"
  | "text"
  | "json"
  | "enum"
  | "time"
  | "nested"
  | "other";

const KINDS: Readonly<Partial<Record<DuckDBTypeId, ColumnKind>>> = {
  [DuckDBTypeId.FLOAT]: "float",
  [DuckDBTypeId.DOUBLE]: "number",
  [DuckDBTypeId.TINYINT]: "number",
  [DuckDBTypeId.SMALLINT]: "number",
  [DuckDBTypeId.INTEGER]: "number",
  [DuckDBTypeId.UTINYINT]: "number",
  [DuckDBTypeId.USMALLINT]: "number",
  [DuckDBTypeId.UINTEGER]: "number",
  [DuckDBTypeId.BIGINT]: "int64",
  [DuckDBTypeId.UBIGINT]: "uint64",
  [DuckDBTypeId.HUGEINT]: "wide",
  [DuckDBTypeId.UHUGEINT]: "wide",
  [DuckDBTypeId.DECIMAL]: "wide",
  [DuckDBTypeId.BIGNUM]: "wide",
  [DuckDBTypeId.BOOLEAN]: "boolean",
  [DuckDBTypeId.ENUM]: "enum",
  [DuckDBTypeId.DATE]: "time",
  [DuckDBTypeId.TIME]: "time",
  [DuckDBTypeId.TIME_NS]: "time",
  [DuckDBTypeId.TIME_TZ]: "time",
  [DuckDBTypeId.INTERVAL]: "time",
  [DuckDBTypeId.TIMESTAMP]: "time",
  [DuckDBTypeId.TIMESTAMP_S]: "time",
  [DuckDBTypeId.TIMESTAMP_MS]: "time",
  [DuckDBTypeId.TIMESTAMP_NS]: "time",
  [DuckDBTypeId.TIMESTAMP_TZ]: "time",
  [DuckDBTypeId.LIST]: "nested",
  [DuckDBTypeId.ARRAY]: "nested",
  [DuckDBTypeId.STRUCT]: "nested",
  [DuckDBTypeId.MAP]: "nested",
  [DuckDBTypeId.UNION]: "nested",
  [DuckDBTypeId.VARIANT]: "nested",
};

/** The kind of values in a column of this type. */
export function columnKind(type: DuckDBType): ColumnKind {
  if (type.typeId === DuckDBTypeId.VARCHAR) return type.alias === "JSON" ? "json" : "text";
  return KINDS[type.typeId] ?? "other";
}

/**
 * Why no value of a column can feed an input of this datatype, and what to do; undefined where values may fit.
 * `textNumbers`: the table's text may stand for numbers, as in CSV.
 */
export function kindFault(
  column: { readonly name: string; readonly type: DuckDBType },
  datatype: Datatype,
  textNumbers: boolean,
): string | undefined {
  const kind = columnKind(column.type);
  const cell = `"${column.name.replaceAll('"', '""')}"`;
  if (kind === "json") return undefined;
  if (kind === "nested") return `nested columns cannot be scored; take a field of it with sql: (SELECT …)`;
  if (kind === "other") return `this type cannot be scored; cast it with sql: (SELECT CAST(${cell} AS …) …)`;
  if (datatype === "BYTES") {
    if (kind === "text" || kind === "enum") return undefined;
    // The model knows categories by their exact text; `1`, `1.0` and `01` would be three of them.
    return `${datatype} takes text; say how it is written with sql: (SELECT CAST(${cell} AS VARCHAR) …)`;
  }
  if (kind === "time")
    return `${datatype} takes numbers; say which with sql: (SELECT epoch(${cell}) …, or date_part)`;
  if (kind === "enum" || (kind === "text" && !textNumbers)) {
    return `${datatype} takes ${datatype === "BOOL" ? "booleans" : "numbers"}; cast it with sql: (SELECT CAST(${cell} AS ${datatype === "BOOL" ? "BOOLEAN" : "DOUBLE"}) …)`;
  }
  if (datatype === "BOOL" && kind !== "boolean" && kind !== "text")
    return `BOOL takes booleans; cast it with sql: (SELECT CAST(${cell} AS BOOLEAN) …)`;
  return undefined;
}
