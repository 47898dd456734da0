import { type DuckDBConnection, DuckDBInstance, type DuckDBType } from "@duckdb/node-api";
import { joinedTextsSql } from "../../../src/table/duckdb/joined-texts.ts";
import type { ColumnRequest, TableChunk, TableColumn } from "../../../src/table/table-source.ts";

/** A query's rows as a table source would give them. */
export interface ChunkedTable {
  readonly columns: readonly TableColumn[];
  readonly chunks: readonly TableChunk[];
}

let connection: DuckDBConnection | undefined;

/** Runs a query in a database of this test file's own, without extensions from elsewhere. */
export async function queryChunks(sql: string, file = "data.csv"): Promise<ChunkedTable> {
  if (connection === undefined) {
    const instance = await DuckDBInstance.create(":memory:", {
      threads: "1",
      autoinstall_known_extensions: "false",
      autoload_known_extensions: "false",
    });
    connection = await instance.connect();
    await connection.run("SET TimeZone = 'UTC'");
  }
  const result = await connection.stream(sql);
  const columns = result.columnNames().map((name, index) => ({ name, type: result.columnType(index) }));
  const chunks: TableChunk[] = [];
  let fromRow = 0;
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) break;
    chunks.push({ chunk, fromRow, file, fileRow: fromRow + 1 });
    fromRow += chunk.rowCount;
  }
  return { columns, chunks };
}

/** What a table source selects for requests. */
export function requestSql(requests: readonly ColumnRequest[]): string {
  const quoted = (name: string) => `"${name}"`;
  const values = requests.map(({ name, asDouble, joinedTexts, packedFloats }) => {
    if (packedFloats !== undefined) return `list_value(${packedFloats.map(quoted).join(", ")})`;
    if (joinedTexts !== undefined) return joinedTextsSql(joinedTexts.map(quoted));
    return asDouble === true ? `${quoted(name)}::DOUBLE` : quoted(name);
  });
  return values.join(", ");
}

/** Columns of a type each, without rows. */
export function tableColumns(types: Readonly<Record<string, DuckDBType>>): TableColumn[] {
  return Object.entries(types).map(([name, type]) => ({ name, type }));
}
