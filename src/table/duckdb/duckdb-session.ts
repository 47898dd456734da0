import { type DuckDBDataChunk, DuckDBInstance } from "@duckdb/node-api";
import type { TableColumn } from "../table-source.ts";
import { chunkRead } from "./chunk-memory.ts";
import { duckdbSettings } from "./duckdb-settings.ts";

/** A DuckDB of its own, in memory, with one connection and one query at a time; whoever opened it closes it. */
export interface DuckdbSession {
  /** All rows of a short answer, as JSON values. */
  rows(sql: string): Promise<readonly (readonly unknown[])[]>;
  /** The columns that a query would give, by the names it gives them; runs nothing. */
  columns(sql: string): Promise<readonly TableColumn[]>;
  /**
   * The rows of SELECT `values` FROM `from` in their order; the next chunk is fetched while the caller works on this one.
   * A chunk has one more vector than values: DuckDB's Node package ends a result that fails in the middle as if it were
   * complete, so that a last row of our own has to say that it is.
   */
  stream(values: readonly string[], from: string): AsyncGenerator<DuckDBDataChunk>;
  /** Ends what is running; the connection closes when that has ended. */
  close(): void;
}

/** Where a session may put what does not fit in its memory. */
export interface SessionOptions {
  /** Sorts of large queries go there. Default: nothing is written, and such a query fails. */
  readonly temporaryFolder?: string | undefined;
}

const MEMORY_MEGABYTES = 256;

/** Opens a session. */
export async function openDuckdbSession(options: SessionOptions = {}): Promise<DuckdbSession> {
  const settings = duckdbSettings(MEMORY_MEGABYTES, options.temporaryFolder);
  const instance = await DuckDBInstance.create(":memory:", settings);
  const connection = await instance.connect();
  let closed = false;
  let fetching: Promise<unknown> | undefined;

  async function* stream(values: readonly string[], from: string): AsyncGenerator<DuckDBDataChunk> {
    const nulls = values.map(() => "NULL,").join("");
    const rows = `SELECT ${values.map((value) => `${value},`).join("")} FALSE FROM ${from}`;
    const result = await connection.stream(`(${rows}) UNION ALL (SELECT ${nulls} TRUE)`);
    const fetch = () => {
      const chunk = result.fetchChunk();
      // It may fail while the caller is busy with the chunk before; the failure is thrown when its turn comes.
      fetching = chunk.catch(() => {});
      return chunk;
    };
    let next = fetch();
    let running = true;
    try {
      for (;;) {
        const chunk = await next;
        if (chunk === null || chunk.rowCount === 0) {
          running = false;
          if (closed) return;
          throw await failureOf(values, from);
        }
        const isLast = chunk.getColumnVector(values.length).getItem(chunk.rowCount - 1) === true;
        if (isLast) {
          running = false;
          chunk.rowCount -= 1;
        } else {
          next = fetch();
        }
        chunkRead();
        if (chunk.rowCount > 0) yield chunk;
        if (isLast) return;
      }
    } finally {
      if (running && !closed) connection.interrupt();
      await fetching;
    }
  }

  /** Runs a query that ended early once more, in a way that tells why. */
  async function failureOf(values: readonly string[], from: string): Promise<unknown> {
    const named = values.map((value, index) => `${value} AS v${index}`);
    const hashed = values.map((_, index) => `v${index}`);
    try {
      await connection.run(
        `SELECT bit_xor(hash(${hashed.join() || "0"})) FROM (SELECT ${named.join() || "0"} FROM ${from})`,
      );
    } catch (error) {
      return error;
    }
    return new Error("reading it ended early, and reading it again did not: is something writing to it?");
  }

  return {
    async rows(sql) {
      return await (await connection.run(sql)).getRowsJson();
    },
    async columns(sql) {
      const prepared = await connection.prepare(sql);
      try {
        return Array.from({ length: prepared.columnCount }, (_, index) => ({
          name: prepared.columnName(index),
          type: prepared.columnType(index),
        }));
      } finally {
        prepared.destroySync();
      }
    },
    stream,
    close() {
      if (closed) return;
      closed = true;
      connection.interrupt();
      const disconnect = () => {
        connection.closeSync();
        instance.closeSync();
      };
      // A connection must not go away under a fetch that still runs in another thread.
      if (fetching === undefined) disconnect();
      else void fetching.then(disconnect);
    },
  };
}
