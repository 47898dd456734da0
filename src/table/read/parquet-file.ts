import { messageOf } from "../../errors.ts";
import type { DuckdbSession } from "../duckdb/duckdb-session.ts";
import { sqlPath, sqlText } from "../duckdb/sql-text.ts";
import { beginning } from "../file-kind.ts";
import { readFloatsApart } from "../floats/floats-apart.ts";
import { tableError } from "../table-error.ts";
import { rawHead } from "./file-bytes.ts";
import {
  fromRowOn,
  numberedTable,
  type QueriedFile,
  queriedFile,
  type TableFile,
  unreadable,
} from "./table-file.ts";

/** The column that DuckDB adds on request; a filter on it skips whole row groups. */
const ROW_NUMBER = "file_row_number";

/** From here on a thread saves more than its start costs, 0.1 s. */
const LEAST_ROWS_APART = 250_000;

/** Opens a Parquet file: reads its footer. The number of rows is what its row groups say. `isRemote`: the path is an address that httpfs reads. */
export async function openParquetFile(
  session: DuckdbSession,
  path: string,
  isRemote = false,
): Promise<TableFile> {
  const place = isRemote ? sqlText(path) : sqlPath(path);
  const table = `read_parquet(${place}, hive_partitioning=false)`;
  const numbered = `read_parquet(${place}, hive_partitioning=false, ${ROW_NUMBER}=true)`;
  try {
    const read = await session.columns(`SELECT * FROM ${table}`);
    const names = topLevelNames(
      await session.rows(`SELECT name, num_children FROM parquet_schema(${place})`),
    );
    if (read.length === 0) throw tableError(`${path} has no columns`);
    // DuckDB gives a new name to a column whose name differs from another's only in case.
    const columns = read.map(({ name, type }, index) => ({
      name: names.length === read.length ? names[index]! : name,
      type,
    }));
    const canNumber = !names.some((name) => name.toLowerCase() === ROW_NUMBER);
    const rowCount = Number((await session.rows(`SELECT count(*) FROM ${table}`))[0]?.[0]);
    const file: QueriedFile = {
      name: path,
      columns,
      rowCount,
      table,
      from: (_, fromRow) => {
        if (fromRow === 0 || !canNumber) return numberedTable(table, columns.length) + fromRowOn(fromRow);
        return `${numberedTable(numbered, columns.length)} WHERE ${ROW_NUMBER} >= ${fromRow}`;
      },
    };
    return {
      ...queriedFile(session, file),
      readApart: (wanted, fromRow) =>
        // The thread has a session of its own, without httpfs.
        !isRemote && rowCount - fromRow >= LEAST_ROWS_APART
          ? readFloatsApart(session, file, wanted, fromRow)
          : undefined,
    };
  } catch (error) {
    throw isRemote ? unreadable(path, error) : await explainParquet(path, error);
  }
}

/** DuckDB tells of magic bytes and settings of its own. */
async function explainParquet(path: string, error: unknown): Promise<unknown> {
  const text = messageOf(error);
  if (/is encrypted/i.test(text)) {
    return tableError(
      `${path} is an encrypted Parquet file, and Assay takes no keys; write it without encryption`,
      error,
    );
  }
  if (!/magic bytes|too small to be a Parquet/i.test(text)) return unreadable(path, error);
  const head = await rawHead(path);
  const what = head.subarray(0, 4).toString("latin1").startsWith("PAR1")
    ? "is cut off: it begins as Parquet, and its index at the end is missing; copy or write it anew"
    : `is no Parquet file: ${beginning(head)}; --input-format says another format`;
  return tableError(`${path} ${what}`, error);
}

/** The names of the root's children in the depth-first list of a Parquet schema. */
function topLevelNames(schema: readonly (readonly unknown[])[]): string[] {
  const names: string[] = [];
  let index = 0;
  const skip = (): string => {
    const [name, children] = schema[index++] ?? [];
    for (let left = Number(children ?? 0); left > 0 && index < schema.length; left--) skip();
    return String(name);
  };
  const root = schema[index++];
  for (let left = Number(root?.[1] ?? 0); left > 0 && index < schema.length; left--) names.push(skip());
  return names;
}
