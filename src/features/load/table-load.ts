import { performance } from "node:perf_hooks";
import type { ConnectionOptions } from "node:tls";
import {
  type DuckDBDataChunk,
  type DuckDBDateValue,
  type DuckDBTimestampMillisecondsValue,
  type DuckDBTimestampNanosecondsValue,
  type DuckDBTimestampSecondsValue,
  type DuckDBTimestampTZValue,
  type DuckDBTimestampValue,
  type DuckDBType,
  DuckDBTypeId,
} from "@duckdb/node-api";
import { Redis } from "ioredis";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError, messageOf } from "../../errors.ts";
import { textOfValue } from "../../model/features/stored-value.ts";
import { openSource } from "../../table/read/open-source.ts";
import { tableError } from "../../table/table-error.ts";
import type { TableColumn } from "../../table/table-source.ts";
import { didYouMean } from "../../wording/nearest-name.ts";
import { keyMaker } from "../redis-store.ts";
import { whyUnreachable } from "../store-tls.ts";
import { redisUrl, shownUrl } from "../store-url.ts";

/** What is loaded, and where to. */
export interface TableLoad {
  /** A file, glob, `sql:` query, or `-`, as `assay score` reads them. */
  readonly table: string;
  readonly keys: readonly string[];
  /** Default: all but the keys. */
  readonly columns: readonly string[];
  /** With its password. */
  readonly url: string;
  /** Undefined: without TLS. */
  readonly tls: ConnectionOptions | undefined;
  /** Where the certificates that it trusts are from, for messages; empty: the machine's. */
  readonly caFile: string;
  /** `customers:{customer_id}`. */
  readonly hash: string;
  /** A field that is given the time of the load; empty: none. */
  readonly timeField: string;
  /** Seconds after which the store forgets a hash; 0: never. */
  readonly expireSeconds: number;
  readonly signal: AbortSignal;
  /** Called now and then with the rows that are written. */
  onProgress(rows: number): void;
}

/** What was loaded. */
export interface LoadResult {
  readonly rows: number;
  /** Rows without a key, which are left out. */
  readonly skipped: number;
  readonly seconds: number;
}

type Cell = string | number | boolean | bigint | null;

const PIPELINE_ROWS = 500;
const CONNECT_TIMEOUT_MS = 5_000;
const SILENT_MS = 30_000;
/** Keys are compared as text, and no two programs write a fraction alike. */
const FRACTIONS = new Set([DuckDBTypeId.FLOAT, DuckDBTypeId.DOUBLE, DuckDBTypeId.DECIMAL]);
const WIDE = new Set([
  DuckDBTypeId.DECIMAL,
  DuckDBTypeId.HUGEINT,
  DuckDBTypeId.UHUGEINT,
  DuckDBTypeId.BIGNUM,
]);
const PLAIN = new Set([
  DuckDBTypeId.BOOLEAN,
  DuckDBTypeId.TINYINT,
  DuckDBTypeId.SMALLINT,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.FLOAT,
  DuckDBTypeId.DOUBLE,
  DuckDBTypeId.VARCHAR,
  DuckDBTypeId.ENUM,
]);
/** Instants and dates, each with its milliseconds since 1970. */
const MS_OF: ReadonlyMap<DuckDBTypeId, (value: unknown) => bigint> = new Map([
  [DuckDBTypeId.TIMESTAMP, (value) => (value as DuckDBTimestampValue).micros / 1000n],
  [DuckDBTypeId.TIMESTAMP_TZ, (value) => (value as DuckDBTimestampTZValue).micros / 1000n],
  [DuckDBTypeId.TIMESTAMP_S, (value) => (value as DuckDBTimestampSecondsValue).seconds * 1000n],
  [DuckDBTypeId.TIMESTAMP_MS, (value) => (value as DuckDBTimestampMillisecondsValue).millis],
  [DuckDBTypeId.TIMESTAMP_NS, (value) => (value as DuckDBTimestampNanosecondsValue).nanos / 1_000_000n],
  [DuckDBTypeId.DATE, (value) => BigInt((value as DuckDBDateValue).days) * 86_400_000n],
]);

/**
 * Writes each row of a table to a hash of Redis or Valkey, values as docs/features.md says; of rows with one key the last stays. Rejects
 * with TABLE_INVALID, or with FEATURES_UNAVAILABLE where the store fails: what was written stays.
 */
export async function loadTable(load: TableLoad): Promise<LoadResult> {
  const startedAt = performance.now();
  const source = await openSource({ inputs: [load.table], signal: load.signal });
  let client: Redis | undefined;
  try {
    const { keys, columns } = chosenColumns(source.columns, load);
    const requests = [...keys, ...columns].map(({ name, type }) =>
      WIDE.has(type.typeId) ? { name, asDouble: true } : { name },
    );
    source.check?.(requests);
    client = await connect(load);
    const writer = new HashWriter(client, load, keys, columns);
    for await (const { chunk, faults, fileRow, file } of source.read(requests, 0)) {
      const fault = faults?.entries().next().value;
      if (fault !== undefined) throw tableError(`${file}, row ${fileRow + fault[0]}: ${fault[1]}`);
      for (let from = 0; from < chunk.rowCount; from += PIPELINE_ROWS) {
        load.signal.throwIfAborted();
        await writer.write(
          chunk,
          from,
          Math.min(chunk.rowCount, from + PIPELINE_ROWS),
          `${file}, row`,
          fileRow,
        );
      }
      load.onProgress(writer.rows);
    }
    return { rows: writer.rows, skipped: writer.skipped, seconds: (performance.now() - startedAt) / 1000 };
  } finally {
    client?.disconnect();
    source.close();
  }
}

class HashWriter {
  rows = 0;
  skipped = 0;
  private readonly client: Redis;
  private readonly load: TableLoad;
  private readonly keys: readonly TableColumn[];
  private readonly columns: readonly TableColumn[];
  private readonly keyOf: (texts: readonly string[]) => string;
  private readonly loadedAt = String(Date.now());

  constructor(client: Redis, load: TableLoad, keys: readonly TableColumn[], columns: readonly TableColumn[]) {
    this.client = client;
    this.load = load;
    this.keys = keys;
    this.columns = columns;
    this.keyOf = keyMaker(load.hash, load.keys);
  }

  async write(
    chunk: DuckDBDataChunk,
    from: number,
    to: number,
    place: string,
    fileRow: number,
  ): Promise<void> {
    const { keys, columns, load } = this;
    const read = [
      ...keys.map(({ type }, at) => cellReader(type, chunk, at)),
      ...columns.map(({ type }, at) => valueReader(type, chunk, keys.length + at)),
    ];
    const pipeline = this.client.pipeline();
    let rows = 0;
    for (let row = from; row < to; row++) {
      const texts = keys.map((_, at) => read[at]!(row));
      if (texts.some((text) => text === null || text === "")) {
        this.skipped++;
        continue;
      }
      const hash = this.keyOf(texts.map(String));
      const fields: string[] = [];
      for (let at = 0; at < columns.length; at++) {
        const { name } = columns[at]!;
        try {
          fields.push(name, textOfValue(read[keys.length + at]!(row)));
        } catch (cause) {
          throw tableError(
            `${place} ${fileRow + row}, column ${JSON.stringify(name)}: ${messageOf(cause)}`,
            cause,
          );
        }
      }
      if (load.timeField !== "") fields.push(load.timeField, this.loadedAt);
      pipeline.hset(hash, ...fields);
      if (load.expireSeconds > 0) pipeline.expire(hash, load.expireSeconds);
      rows++;
    }
    const answers = rows === 0 ? [] : await pipeline.exec();
    const failed =
      answers === null ? new Error("the connection was lost") : answers.find(([error]) => error)?.[0];
    if (failed) throw this.failure(failed);
    this.rows += rows;
  }

  private failure(cause: Error): AssayError {
    return new AssayError(
      Reason.FEATURES_UNAVAILABLE,
      `${shownUrl(this.load.url)}: ${cause.message}; ${this.rows} rows are written, load the table again`,
      { cause },
    );
  }
}

/** NDJSON columns hold JSON text, one literal a cell. */
function cellReader(type: DuckDBType, chunk: DuckDBDataChunk, at: number): (row: number) => Cell {
  const vector = chunk.getColumnVector(at);
  if (type.alias !== "JSON") return (row) => vector.getItem(row) as Cell;
  return (row) => {
    const text = vector.getItem(row) as string | null;
    if (text === null || text === "null") return null;
    // The digits of a number stay as they are.
    return text.startsWith('"') ? (JSON.parse(text) as string) : text;
  };
}

/** As `cellReader`, with times as their milliseconds since 1970. */
function valueReader(type: DuckDBType, chunk: DuckDBDataChunk, at: number): (row: number) => Cell {
  const msOf = MS_OF.get(type.typeId);
  if (msOf === undefined) return cellReader(type, chunk, at);
  const vector = chunk.getColumnVector(at);
  return (row) => {
    const value = vector.getItem(row);
    return value === null ? null : msOf(value);
  };
}

function chosenColumns(
  known: readonly TableColumn[],
  load: TableLoad,
): { keys: readonly TableColumn[]; columns: readonly TableColumn[] } {
  const byName = new Map(known.map((column) => [column.name, column]));
  const find = (name: string): TableColumn => {
    const column = byName.get(name);
    if (column !== undefined) return column;
    throw tableError(
      `${load.table}: it has no column ${JSON.stringify(name)}${didYouMean(name, byName.keys())}`,
    );
  };
  const keys = load.keys.map(find);
  for (const { name, type } of keys)
    if (FRACTIONS.has(type.typeId))
      throw tableError(
        `${load.table}: column ${JSON.stringify(name)} is ${type}; keys are whole numbers or text`,
      );
  const columns =
    load.columns.length > 0 ? load.columns.map(find) : known.filter(({ name }) => !load.keys.includes(name));
  if (columns.length === 0) throw tableError(`${load.table}: it has no columns beside its keys`);
  for (const { name, type } of columns)
    if (!PLAIN.has(type.typeId) && !WIDE.has(type.typeId) && !MS_OF.has(type.typeId))
      throw tableError(
        `${load.table}: column ${JSON.stringify(name)} is ${type}; numbers, booleans, text and times are loaded: leave it out (--columns), or cast it with sql: (SELECT …)`,
      );
  return { keys, columns };
}

async function connect({ url, tls, caFile }: TableLoad): Promise<Redis> {
  const client = new Redis(redisUrl(url), {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENT_MS,
    retryStrategy: null,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    disableClientInfo: true,
    ...(tls === undefined ? {} : { tls }),
  });
  let last: Error | undefined;
  client.on("error", (error: Error) => {
    last = error;
  });
  try {
    await client.connect();
    return client;
  } catch (cause) {
    client.disconnect();
    throw new AssayError(
      Reason.FEATURES_UNAVAILABLE,
      `${shownUrl(url)} cannot be reached: ${whyUnreachable(last ?? cause, caFile, "--tls-ca-file")}`,
      { cause },
    );
  }
}
