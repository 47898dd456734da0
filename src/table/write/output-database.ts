import { availableParallelism } from "node:os";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { duckdbSettings } from "../duckdb/duckdb-settings.ts";
import { sqlText } from "../duckdb/sql-text.ts";

/** DuckDB as the sinks use it; whoever opened it closes it. */
export interface OutputDatabase {
  /** Where rows are appended, on the thread of JavaScript. */
  readonly appending: DuckDBConnection;
  /** Where files are written meanwhile: a query would hold up whoever appends on its connection. */
  readonly copying: DuckDBConnection;
  /** Raises the limit where 2,048 rows, which DuckDB handles at once, are so long that it would not do. */
  makeRoomFor(chunkBytes: number): Promise<void>;
  close(): void;
}

/** Two parts, each appended, stored, being read and in the writer's row group. */
const COPIES_OF_A_CHUNK = 8;

/** Opens an in-memory database of at most `memoryMegabytes`; what does not fit goes to `spillFolder`, made when needed. */
export async function openOutputDatabase(
  spillFolder: string | undefined,
  memoryMegabytes: number,
): Promise<OutputDatabase> {
  const instance = await DuckDBInstance.create(":memory:", duckdbSettings(memoryMegabytes, spillFolder));
  const appending = await instance.connect();
  const copying = await instance.connect();
  await copying.run(`SET TimeZone = ${sqlText("UTC")}`);
  let limitBytes = memoryMegabytes * 1e6;
  return {
    appending,
    copying,
    async makeRoomFor(chunkBytes) {
      const needed = chunkBytes * COPIES_OF_A_CHUNK;
      if (needed <= limitBytes) return;
      limitBytes = needed;
      await appending.run(`SET memory_limit = '${Math.ceil(needed / 1e6)}MB'`);
    },
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
