import type { DuckDBDataChunk, DuckDBType, DuckDBValue } from "@duckdb/node-api";
import { AssayError } from "../../errors.ts";
import type { DuckdbSession } from "../duckdb/duckdb-session.ts";
import { joinedTextsSql } from "../duckdb/joined-texts.ts";
import { type InferredType, type TypeCounts, typeCountsOf, typeCountsSql } from "../inferred-types.ts";
import { duckdbReason, tableError } from "../table-error.ts";
import type { FloatChunk, TableColumn } from "../table-source.ts";

/** A value that all rows of a file have. */
export interface FileConstant {
  readonly type: DuckDBType;
  /** For DuckDB's queries. */
  readonly sql: string;
  /** For vectors. */
  readonly value: DuckDBValue;
}

/** A column to read, by its position in the file. */
export interface FileColumn {
  readonly index: number;
  readonly asDouble: boolean;
  /** Read as that. */
  readonly as?: InferredType | undefined;
  /** Read instead: the texts of these columns joined, each of which is read by itself as well. `index` is -1 then. */
  readonly joined?: readonly number[];
  /** Read instead: one list with the values of these columns. `index` is -1 then. */
  readonly packed?: readonly number[];
  /** Read instead: this value for every row. `index` is -1 then. */
  readonly constant?: FileConstant;
}

/** Rows of a file, with the floats that were read apart from its vectors. */
export interface FileRows {
  readonly chunk: DuckDBDataChunk;
  readonly floats?: FloatChunk;
}

/** One opened file of an input. Everything it throws is a TABLE_INVALID that names the file. */
export interface TableFile {
  /** For messages. */
  readonly name: string;
  readonly columns: readonly TableColumn[];
  /** Names of CSV that are also values of their columns, so that the header may be a row. */
  readonly namesAmongValues?: readonly string[];
  /** Undefined where only reading tells. */
  readonly rowCount: number | undefined;
  /** Reads as far as needed to know. */
  countRows(): Promise<number>;
  /** The rows from `fromRow` (from 0) on; vectors in the order of `columns`. */
  read(columns: readonly FileColumn[], fromRow: number): AsyncGenerator<DuckDBDataChunk>;
  /** The same, with packed floats read by a thread of their own; undefined where that is not worth a thread. */
  readApart?(columns: readonly FileColumn[], fromRow: number): AsyncGenerator<FileRows> | undefined;
  /** How many values of columns are of which types; undefined where columns have types of their own. */
  countTypes?(columns: readonly number[]): Promise<TypeCounts[]>;
  /** Rows that could not be read, which are all null; undefined where such a row ends the reading. */
  readonly faults?: RowsWithFaults;
}

/** Which rows could not be read, and why. */
export interface RowsWithFaults {
  /** Those among `rowCount` rows from row `fromRow` on, by their place among these. Cheap where asked in order. */
  of(fromRow: number, rowCount: number): Promise<ReadonlyMap<number, string>>;
}

/** A file that DuckDB reads by a query. */
export interface QueriedFile {
  readonly name: string;
  readonly columns: readonly TableColumn[];
  readonly rowCount: number | undefined;
  /** What stands after FROM to count its rows. */
  readonly table: string;
  /** What stands after FROM to read columns, whose names are then `c` and their position, from a row on. */
  from(columns: readonly FileColumn[], fromRow: number): string;
  /** Says what failed; default: the file and DuckDB's reason. */
  readonly explain?: (error: unknown) => Error | Promise<Error>;
}

/** A TableFile of a file that DuckDB reads. Columns are asked for by position, so that any name will do. */
export function queriedFile(session: DuckdbSession, file: QueriedFile): TableFile {
  const explain = file.explain ?? ((error) => unreadable(file.name, error));
  return {
    name: file.name,
    columns: file.columns,
    rowCount: file.rowCount,
    async countRows() {
      if (file.rowCount !== undefined) return file.rowCount;
      try {
        return Number((await session.rows(`SELECT count(*) FROM ${file.table}`))[0]?.[0]);
      } catch (error) {
        throw await explain(error);
      }
    },
    async countTypes(columns) {
      const counts = columns.map((index) => typeCountsSql(textOf(file, index), jsonOf(file, index)));
      const own = columns.map((index) => ({ index, asDouble: false }));
      try {
        const [row = []] = await session.rows(`SELECT ${counts.flat().join()} FROM ${file.from(own, 0)}`);
        return typeCountsOf(row);
      } catch (error) {
        throw await explain(error);
      }
    },
    async *read(columns, fromRow) {
      const values = columns.map(({ index, asDouble, joined, packed, constant, as }) => {
        if (constant !== undefined) return constant.sql;
        if (packed !== undefined) return `list_value(${packed.map((position) => `c${position}`).join()})`;
        if (joined !== undefined) return joinedTextsSql(joined.map((position) => `c${position}`));
        if (as !== undefined) return `CAST(${textOf(file, index)} AS ${as})`;
        return asDouble ? `CAST(c${index} AS DOUBLE)` : `c${index}`;
      });
      const own = columns.flatMap((column) => {
        if (column.packed !== undefined) return column.packed.map((index) => ({ index, asDouble: false }));
        return column.joined === undefined && column.constant === undefined ? [column] : [];
      });
      try {
        yield* session.stream(values, file.from(own, fromRow));
      } catch (error) {
        throw await explain(error);
      }
    },
  };
}

/** The text of a column's values, of JSON that of its strings. */
function textOf(file: QueriedFile, index: number): string {
  return jsonOf(file, index) === undefined ? `c${index}` : `(c${index} ->> '$')`;
}

/** The column where it is JSON. */
function jsonOf({ columns }: QueriedFile, index: number): string | undefined {
  return columns[index]!.type.alias === "JSON" ? `c${index}` : undefined;
}

/** A table whose columns, all of them in their order, are named `c0`, `c1`, … */
export function numberedTable(table: string, columnCount: number): string {
  return `${table} AS t(${Array.from({ length: columnCount }, (_, index) => `c${index}`).join()})`;
}

/** The clause that leaves out the rows before one. */
export function fromRowOn(fromRow: number): string {
  return fromRow === 0 ? "" : ` OFFSET ${fromRow}`;
}

/** The error for a file that DuckDB cannot read; an AssayError is returned as it is. */
export function unreadable(name: string, error: unknown): AssayError {
  if (error instanceof AssayError) return error;
  return tableError(`${name} cannot be read: ${duckdbReason(error)}`, error);
}
