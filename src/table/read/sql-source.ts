import type { DuckdbSession } from "../duckdb/duckdb-session.ts";
import { isFetched, loadHttpfs, remoteFiles } from "../remote-files.ts";
import { duckdbReason, tableError } from "../table-error.ts";
import type { SourceInput, TableSource } from "../table-source.ts";
import { fileColumns } from "./file-source.ts";
import { existingFiles } from "./source-files.ts";
import { parseQuery } from "./sql-inputs.ts";
import { fromRowOn, numberedTable, queriedFile } from "./table-file.ts";

/** The beginning of a query's input. */
export const SQL_PREFIX = "sql:";

const NAME = "the query";

/**
 * Opens `sql:` and a query. Its inputs are the query itself and the files it names, as far as its syntax shows them.
 * Without an ORDER BY at the outermost SELECT it cannot be resumed.
 */
export async function openSqlSource(session: DuckdbSession, input: string): Promise<TableSource> {
  const query = input.slice(SQL_PREFIX.length).replace(/[\s;]+$/, "");
  const explain = (error: unknown) => tableError(`${NAME} cannot be run: ${duckdbReason(error)}`, error);
  const { isOrdered, mayBeFiles } = await parseQuery(session, query);
  const remote = mayBeFiles.filter(isFetched);
  if (remote.length > 0) await loadHttpfs(session, remote[0]!);
  const columns = await session.columns(query).catch((error) => {
    throw explain(error);
  });
  const inputs: SourceInput[] = [{ name: input, sizeBytes: 0, modifiedAtMs: 0 }];
  for (const text of mayBeFiles) {
    const files = isFetched(text) ? remoteFiles(session, text) : existingFiles(session, text);
    for (const file of await files) {
      if (!inputs.some(({ name }) => name === file.name)) inputs.push(file);
    }
  }
  // On lines of its own, since the query may end in a comment.
  const table = `(\n${query}\n)`;
  const file = queriedFile(session, {
    name: NAME,
    columns,
    rowCount: undefined,
    table,
    from: (_, fromRow) => numberedTable(table, columns.length) + fromRowOn(fromRow),
    explain,
  });
  return {
    format: "sql",
    inputs,
    columns,
    rowCount: undefined,
    notResumable: isOrdered
      ? undefined
      : "the query has no ORDER BY at its outermost SELECT, so that its rows may come in another order",
    async *read(requests, fromRow) {
      let row = fromRow;
      for await (const chunk of file.read(fileColumns(file, requests), fromRow)) {
        yield { chunk, fromRow: row, file: NAME, fileRow: row + 1 };
        row += chunk.rowCount;
      }
    },
    close: () => session.close(),
  };
}
