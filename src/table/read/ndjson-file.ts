import type { DuckDBType } from "@duckdb/node-api";
import { messageOf } from "../../errors.ts";
import type { DuckdbSession } from "../duckdb/duckdb-session.ts";
import { sqlPath, sqlText } from "../duckdb/sql-text.ts";
import { duckdbReason, tableError } from "../table-error.ts";
import type { SourceInput, TableColumn } from "../table-source.ts";
import type { Utf8Copies } from "../utf16.ts";
import { checkBytes, readHead } from "./file-bytes.ts";
import { badLines, lineOfRow, type NdjsonOrigin } from "./ndjson-lines.ts";
import { fromRowOn, queriedFile, type TableFile, unreadable } from "./table-file.ts";

/**
 * Opens files of JSON objects. Reads each whole for its keys, so that one which first occurs late is found: a column for
 * each key of any of the files, and null in rows that lack it.
 */
export async function openNdjsonFiles(
  session: DuckdbSession,
  inputs: readonly SourceInput[],
  copies: Utf8Copies,
  keepsBadLines: boolean,
): Promise<TableFile[]> {
  const origins: NdjsonOrigin[] = [];
  const keys = new Set<string>();
  for (const { name } of inputs) {
    const origin = await originOf(name, copies, keepsBadLines);
    for (const key of await ndjsonKeys(session, origin)) keys.add(key);
    origins.push(origin);
  }
  if (keys.size === 0) {
    const files = origins.length === 1 ? origins[0]!.name : `${origins[0]!.name} and the other files`;
    throw tableError(`${files}: no object with a key is in it, so that the table has no columns`);
  }
  const type = await jsonText(session);
  const columns = [...keys].map((name) => ({ name, type }));
  return Promise.all(origins.map((origin) => ndjsonFile(session, origin, columns)));
}

async function originOf(name: string, copies: Utf8Copies, keepsBadLines: boolean): Promise<NdjsonOrigin> {
  try {
    let packing = await checkBytes(name, "ndjson");
    const copy = await copies.copyOf(name, packing, false);
    if (copy !== undefined) packing = "none";
    const path = copy ?? name;
    const head = await readHead(path, packing, 4096);
    const layout = /^\ufeff?\s*\[/.test(head.toString("utf8")) ? "array" : "newline_delimited";
    return {
      name,
      path,
      packing,
      layout,
      linesBefore: 0,
      keepsBadLines: keepsBadLines && layout !== "array",
    };
  } catch (error) {
    throw unreadable(name, error);
  }
}

/** The parameters of DuckDB's readers of JSON. */
function readOptions({ packing, layout, keepsBadLines }: NdjsonOrigin): string {
  const compression = packing === "none" ? "uncompressed" : packing;
  return `format='${layout}', compression='${compression}', ignore_errors=${keepsBadLines}, hive_partitioning=false`;
}

/** The keys of a file's objects, each once. */
export async function ndjsonKeys(session: DuckdbSession, origin: NdjsonOrigin): Promise<string[]> {
  const objects = `read_json_objects(${sqlPath(origin.path)}, ${readOptions(origin)})`;
  try {
    const rows = await session.rows(`SELECT DISTINCT unnest(json_keys(json)) FROM ${objects}`);
    return rows.map(([key]) => String(key));
  } catch (error) {
    throw await explainNdjson(error, origin);
  }
}

/** A file of JSON objects whose keys are known. Each column is JSON text; JSON's null, and a missing key, are null. */
export async function ndjsonFile(
  session: DuckdbSession,
  origin: NdjsonOrigin,
  fileColumns: readonly TableColumn[],
): Promise<TableFile> {
  const { name, path } = origin;
  const keys = fileColumns.map((column) => column.name);
  const table = (columns: readonly number[]) => {
    const fields = columns.map((index) => `${sqlText(keys[index]!)}: 'JSON'`);
    // Without a column DuckDB would look for columns itself.
    const wanted = fields.length > 0 ? fields.join() : "none: 'JSON'";
    return `read_json(${sqlPath(path)}, records=true, columns={${wanted}}, ${readOptions(origin)})`;
  };
  const file = queriedFile(session, {
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
  return origin.keepsBadLines
    ? { ...file, faults: await badLines(session, origin, readOptions(origin)) }
    : file;
}

/** The type of the columns: VARCHAR under the name JSON. */
export async function jsonText(session: DuckdbSession): Promise<DuckDBType> {
  return (await session.columns("SELECT NULL::JSON"))[0]!.type;
}

async function explainNdjson(error: unknown, origin: NdjsonOrigin): Promise<Error> {
  const text = messageOf(error);
  const told =
    /^(?:\w+ )*Error: (Malformed JSON|JSON transform error) in file .*?, (?:at byte \d+ )?in line (\d+): (.*)/s.exec(
      text,
    );
  if (told === null) {
    const inArray = origin.layout === "array" && /Malformed JSON/.test(text);
    if (!inArray) return unreadable(origin.name, error);
    const reason = /at byte (\d+) in record\/value \d+: (.*)/s.exec(text);
    const at =
      reason === null ? "" : ` (${duckdbReason(reason[2])} at byte ${reason[1]} of what was read last)`;
    return tableError(
      `${origin.name} is an array of objects that is not whole JSON${at}: is its end missing?`,
      error,
    );
  }
  // DuckDB counts the objects before the line that is no JSON, and itself, and one more.
  const row = Number(told[2]) - (told[1] === "Malformed JSON" ? 1 : 0);
  const found = origin.layout === "array" ? undefined : await lineOfRow(origin, row);
  const at = `${origin.name}, ${found === undefined ? `object ${row}` : `line ${found.line}`}`;
  const reason = told[3]!.split("\n")[0]!.replace(/[\s.]*(Try .*)?$/, "");
  const got = /^Expected OBJECT, but got (\w+): (.*)/s.exec(reason);
  if (got !== null) {
    return tableError(`${at} is ${got[2]}, and an object such as {"column": 1} is expected`, error);
  }
  const goesOn = found !== undefined && /^\s*\{/.test(found.text) && !/\}\s*$/.test(found.text);
  const advice = goesOn ? "; an object ends in the line in which it begins (jq -c . writes them so)" : "";
  return tableError(`${at} is not a JSON object: ${duckdbReason(reason)}${advice}`, error);
}
