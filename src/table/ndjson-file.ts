import type { DuckDBType } from "@duckdb/node-api";
import type { DuckdbSession } from "./duckdb-session.ts";
import { checkPacked, openBytes, readHead } from "./file-bytes.ts";
import { sqlPath, sqlText } from "./sql-text.ts";
import { duckdbReason, tableError } from "./table-error.ts";
import { fromRowOn, queriedFile, type TableFile, unreadable } from "./table-file.ts";
import type { SourceInput, TableColumn } from "./table-source.ts";

/** A file of JSON objects, and where its text came from. */
export interface NdjsonOrigin {
  /** For messages. */
  readonly name: string;
  readonly path: string;
  /** Objects line by line, or in one array. */
  readonly layout: "newline_delimited" | "array";
  /** Lines of the input before this file's first. */
  readonly linesBefore: number;
}

/**
 * Opens files of JSON objects. Reads each whole for its keys, so that one which first occurs late is found: a column for
 * each key of any of the files, and null in rows that lack it.
 */
export async function openNdjsonFiles(
  session: DuckdbSession,
  inputs: readonly SourceInput[],
): Promise<TableFile[]> {
  const origins: NdjsonOrigin[] = [];
  const keys = new Set<string>();
  for (const { name } of inputs) {
    const layout = await layoutOf(name);
    const origin: NdjsonOrigin = { name, path: name, layout, linesBefore: 0 };
    for (const key of await ndjsonKeys(session, origin)) keys.add(key);
    origins.push(origin);
  }
  const type = await jsonText(session);
  const columns = [...keys].map((name) => ({ name, type }));
  return origins.map((origin) => ndjsonFile(session, origin, columns));
}

/** The keys of a file's objects, each once. */
export async function ndjsonKeys(session: DuckdbSession, origin: NdjsonOrigin): Promise<string[]> {
  const objects = `read_json_objects(${sqlPath(origin.path)}, format='${origin.layout}', hive_partitioning=false)`;
  try {
    const rows = await session.rows(`SELECT DISTINCT unnest(json_keys(json)) FROM ${objects}`);
    return rows.map(([key]) => String(key));
  } catch (error) {
    throw await explainNdjson(error, origin);
  }
}

/** A file of JSON objects whose keys are known. Each column is JSON text; JSON's null, and a missing key, are null. */
export function ndjsonFile(
  session: DuckdbSession,
  origin: NdjsonOrigin,
  fileColumns: readonly TableColumn[],
): TableFile {
  const { name, path, layout } = origin;
  const keys = fileColumns.map((column) => column.name);
  const table = (columns: readonly number[]) => {
    const fields = columns.map((index) => `${sqlText(keys[index]!)}: 'JSON'`);
    // Without a column DuckDB would look for columns itself.
    const wanted = fields.length > 0 ? fields.join() : "none: 'JSON'";
    return `read_json(${sqlPath(path)}, format='${layout}', records=true, columns={${wanted}}, hive_partitioning=false)`;
  };
  return queriedFile(session, {
    name,
    columns: fileColumns,
    rowCount: undefined,
    table: table([]),
    from(columns, fromRow) {
      const indexes = [...new Set(columns.map(({ index }) => index))];
      const seen = new Map<string, string>();
      for (const index of indexes) {
        const key = keys[index]!;
        const other = seen.get(key.toLowerCase());
        if (other !== undefined) {
          throw tableError(
            `${name} has the keys ${JSON.stringify(other)} and ${JSON.stringify(key)}, ` +
              "which differ only in case and cannot be read together",
          );
        }
        seen.set(key.toLowerCase(), key);
      }
      const aliases = indexes.map((index) => `c${index}`).join() || "c";
      return `${table(indexes)} AS t(${aliases})${fromRowOn(fromRow)}`;
    },
    explain: (error) => explainNdjson(error, origin),
  });
}

/** The type of the columns: VARCHAR under the name JSON. */
export async function jsonText(session: DuckdbSession): Promise<DuckDBType> {
  return (await session.columns("SELECT NULL::JSON"))[0]!.type;
}

async function layoutOf(path: string): Promise<NdjsonOrigin["layout"]> {
  try {
    await checkPacked(path);
    const head = await readHead(path, 4096);
    return /^\ufeff?\s*\[/.test(head.toString("utf8")) ? "array" : "newline_delimited";
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function explainNdjson(error: unknown, origin: NdjsonOrigin): Promise<Error> {
  const text = error instanceof Error ? error.message : String(error);
  const told =
    /^(?:\w+ )*Error: (Malformed JSON|JSON transform error) in file .*?, (?:at byte \d+ )?in line (\d+): (.*)/s.exec(
      text,
    );
  if (told === null) return unreadable(origin.name, error);
  // DuckDB counts the objects before the line that is no JSON, and itself, and one more.
  const row = Number(told[2]) - (told[1] === "Malformed JSON" ? 1 : 0);
  const at =
    origin.layout === "array"
      ? `${origin.name}, object ${row}`
      : `${origin.name}, line ${origin.linesBefore + (await lineOfRow(origin.path, row))}`;
  const reason = told[3]!.split("\n")[0]!.replace(/[\s.]*(Try .*)?$/, "");
  const got = /^Expected OBJECT, but got (\w+): (.*)/s.exec(reason);
  if (got !== null) {
    return tableError(`${at} is ${got[2]}, and an object such as {"column": 1} is expected`, error);
  }
  return tableError(`${at} is not a JSON object: ${duckdbReason(reason)}`, error);
}

/** The line, from 1, that holds a row; blank lines hold none. */
async function lineOfRow(path: string, row: number): Promise<number> {
  let line = 1;
  let rows = 0;
  let isBlank = true;
  for await (const bytes of openBytes(path) as AsyncIterable<Buffer>) {
    for (const byte of bytes) {
      if (byte === 10) {
        line++;
        isBlank = true;
      } else if (isBlank && byte !== 32 && byte !== 9 && byte !== 13) {
        isBlank = false;
        if (++rows === row) return line;
      }
    }
  }
  return line;
}
