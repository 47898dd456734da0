import { availableParallelism } from "node:os";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { quoteText } from "./sql-text.ts";

/** DuckDB as the sinks use it; whoever opened it closes it. */
export interface OutputDatabase {
  /** Where rows are appended, on the thread of JavaScript. */
  readonly appending: DuckDBConnection;
  /** Where files are written meanwhile: a query would hold up whoever appends on its connection. */
  readonly copying: DuckDBConnection;
  close(): void;
}

/** Opens an in-memory database of at most `memoryMegabytes`; what does not fit goes to `spillFolder`, made when needed. */
export async function openOutputDatabase(
  spillFolder: string | undefined,
  memoryMegabytes: number,
): Promise<OutputDatabase> {
  const instance = await DuckDBInstance.create(":memory:", {
    threads: "1",
    memory_limit: `${memoryMegabytes}MB`,
    preserve_insertion_order: "true",
    temp_directory: spillFolder ?? "",
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const appending = await instance.connect();
  const copying = await instance.connect();
  await copying.run(`SET TimeZone = ${quoteText("UTC")}`);
  return {
    appending,
    copying,
    close() {
      appending.closeSync();
      copying.closeSync();
      instance.closeSync();
    },
  };
}

/** Lets queries use several cores: for the join, when nothing else runs any more. */
export async function useAllCores({ copying }: OutputDatabase): Promise<void> {
  await copying.run(`SET threads = ${Math.min(4, availableParallelism())}`);
}
