import { stat } from "node:fs/promises";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import type { StoredValue } from "../model/features/stored-value.ts";
import type { DuckdbSession } from "../table/duckdb/duckdb-session.ts";
import { counted } from "../wording/counted.ts";
import { didYouMean } from "../wording/nearest-name.ts";
import { type FeatureStore, type KeyTexts, keyId, type StoredRow } from "./feature-store.ts";

/** Options of a store in a file. */
export interface TableOptions {
  /** A Parquet file, or a DuckDB database where `table` names one of its tables. */
  readonly path: string;
  readonly table: string;
  /** Columns of the table: those of the key, and those of the answer in its order. */
  readonly keys: readonly string[];
  readonly fields: readonly string[];
  /** The one of the fields that tells when a row's values are of; empty: none. */
  readonly timeField: string;
  /** The most memory that keys and values may take. */
  readonly maxBytes: number;
  /** How often it is looked whether the file has changed; milliseconds. */
  readonly lookEveryMs: number;
}

/** Rows in memory: their places by key, and the values of each column. */
interface LoadedTable {
  readonly places: ReadonlyMap<string, number>;
  readonly columns: readonly (readonly StoredValue[])[];
  readonly mark: string;
}

const KEY_BYTES = 120;
const CELL_BYTES = 16;
/** Keys are compared as text, and no two programs write a fraction alike. */
const NO_KEY = /^(FLOAT|DOUBLE|DECIMAL|BLOB|TIME|INTERVAL)/;
const NO_VALUE =
  /(\[\]|\[\d+\]|\(.*\)|MAP|STRUCT|BLOB|TIME( WITH TIME ZONE)?|DATE|INTERVAL|BIT|UUID)$|^TIMESTAMP/;
const IS_TIME = /^(TIMESTAMP|DATE$)/;

/**
 * A table that is read into memory as a whole, and again when its file changes: DuckDB is there only while it is read. What serves stays
 * until the new one has been read.
 */
export class TableStore implements FeatureStore {
  private readonly options: TableOptions;
  private loaded: LoadedTable | undefined = undefined;
  private lookedAt = Number.NEGATIVE_INFINITY;
  private looking: Promise<void> | undefined = undefined;

  constructor(options: TableOptions) {
    this.options = options;
  }

  async open(): Promise<void> {
    await this.look();
  }

  async lookUp(keys: readonly KeyTexts[]): Promise<readonly StoredRow[]> {
    if (performance.now() - this.lookedAt >= this.options.lookEveryMs) await this.look();
    const { places, columns } = this.loaded!;
    return keys.map((texts) => {
      const place = places.get(keyId(texts));
      return place === undefined ? undefined : columns.map((column) => column[place]);
    });
  }

  close(): void {
    this.loaded = undefined;
  }

  /** One look at a time, for all that wait. */
  private look(): Promise<void> {
    this.looking ??= this.readWhereChanged().finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  private async readWhereChanged(): Promise<void> {
    const lookedAt = performance.now();
    const { path } = this.options;
    const found = await stat(path).catch((cause: unknown) => {
      throw this.fault("it cannot be read: is the path right, and may the server read it?", cause);
    });
    const mark = `${found.ino} ${found.size} ${found.mtimeMs}`;
    if (this.loaded?.mark !== mark) this.loaded = await this.read(mark);
    this.lookedAt = lookedAt;
  }

  private async read(mark: string): Promise<LoadedTable> {
    const { openDuckdbSession } = await import("../table/duckdb/duckdb-session.ts");
    const session = await openDuckdbSession();
    try {
      return await this.readRows(session, mark);
    } catch (cause) {
      throw cause instanceof AssayError ? cause : this.fault(await reasonOf(cause), cause);
    } finally {
      session.close();
    }
  }

  private async readRows(session: DuckdbSession, mark: string): Promise<LoadedTable> {
    const { sqlName, sqlPath, sqlText } = await import("../table/duckdb/sql-text.ts");
    const { path, table, keys, fields, timeField, maxBytes } = this.options;
    if (table !== "") await session.rows(`ATTACH ${sqlText(path)} AS features (READ_ONLY)`);
    const from = table === "" ? `read_parquet(${sqlPath(path)})` : `features.${sqlName(table)}`;
    const known = new Map(
      (await session.columns(`SELECT * FROM ${from}`)).map(({ name, type }) => [name, String(type)]),
    );
    for (const name of [...keys, ...fields])
      if (!known.has(name))
        throw this.fault(`it has no column ${JSON.stringify(name)}${didYouMean(name, known.keys())}`);
    for (const name of keys)
      if (NO_KEY.test(known.get(name)!))
        throw this.fault(
          `column ${JSON.stringify(name)} is ${known.get(name)}; keys are whole numbers or text`,
        );
    const isTime = (name: string): boolean => name === timeField && IS_TIME.test(known.get(name)!);
    for (const name of fields)
      if (!isTime(name) && NO_VALUE.test(known.get(name)!.replace(/^DECIMAL\(.*\)$/, "DECIMAL")))
        throw this.fault(
          `column ${JSON.stringify(name)} is ${known.get(name)}; numbers, booleans and text are taken`,
        );
    const keyValues = keys.map((name) => `CAST(${sqlName(name)} AS VARCHAR)`);
    const values = fields.map((name) => {
      if (isTime(name)) return `epoch_ms(${sqlName(name)})`;
      const isWide = /^(DECIMAL|U?HUGEINT|BIGNUM)/.test(known.get(name)!);
      return isWide ? `CAST(${sqlName(name)} AS DOUBLE)` : sqlName(name);
    });
    const places = new Map<string, number>();
    const columns = fields.map((): StoredValue[] => []);
    let bytes = 0;
    for await (const chunk of session.stream([...keyValues, ...values], from)) {
      for (let row = 0; row < chunk.rowCount; row++) {
        const texts = keys.map((_, at) => chunk.getColumnVector(at).getItem(row) as string | null);
        if (texts.includes(null)) continue;
        const id = keyId(texts as string[]);
        if (places.has(id))
          throw this.fault(
            `rows ${places.get(id)! + 1} and ${places.size + 1} have the same key; one row a key is expected`,
          );
        places.set(id, places.size);
        bytes += KEY_BYTES + 2 * id.length;
        for (let at = 0; at < columns.length; at++) {
          const value = chunk.getColumnVector(keys.length + at).getItem(row) as StoredValue;
          columns[at]!.push(value);
          bytes += CELL_BYTES + (typeof value === "string" ? 2 * value.length : 0);
        }
        if (bytes > maxBytes)
          throw this.fault(
            `its first ${counted(places.size, "row")} take more than ${maxBytes} bytes of memory: raise cache_bytes, or put it in Redis`,
          );
      }
    }
    return { places, columns, mark };
  }

  private fault(what: string, cause?: unknown): AssayError {
    const { path, table } = this.options;
    const name = table === "" ? path : `${path}, table ${JSON.stringify(table)}`;
    return new AssayError(Reason.TABLE_INVALID, `${name}: ${what}`, { cause });
  }
}

async function reasonOf(cause: unknown): Promise<string> {
  return (await import("../table/table-error.ts")).duckdbReason(cause);
}
