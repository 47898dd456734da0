/**
 * Files on other machines, which DuckDB's extension httpfs reads where it is there: it is loaded for inputs that ask for it and for nothing
 * else, and never downloaded. Keys and region of S3 are those of the environment (`AWS_ACCESS_KEY_ID`, …), as httpfs reads them itself.
 */
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { DuckdbSession } from "./duckdb/duckdb-session.ts";
import { sqlText } from "./duckdb/sql-text.ts";
import { readFormat } from "./format-endings.ts";
import { remoteScheme } from "./path-patterns.ts";
import { duckdbReason, tableError } from "./table-error.ts";
import type { SourceInput } from "./table-source.ts";

const FETCHED = new Set(["http", "https", "s3"]);

/** Whether an input is an address that httpfs reads. */
export function isFetched(input: string): boolean {
  return FETCHED.has(remoteScheme(input) ?? "");
}

/** A file's name without what stands behind it in an address: `?X-Amz-Signature=…`. */
function pathOf(address: string): string {
  return /^https?:/i.test(address) ? address.replace(/[?#].*$/s, "") : address;
}

/** Loads httpfs from DuckDB's own folder of extensions. Throws a TABLE_INVALID that says where it was looked for, and what to do. */
export async function loadHttpfs(
  session: DuckdbSession,
  address: string,
  home: string = homedir(),
): Promise<void> {
  const [row = []] = await session.rows(
    "SELECT library_version, platform FROM pragma_version(), pragma_platform()",
  );
  const [version, platform] = row.map(String) as [string, string];
  const path = join(home, ".duckdb/extensions", version, platform, "httpfs.duckdb_extension");
  const wanted = `that of DuckDB ${version} for ${platform}, which INSTALL httpfs in a DuckDB of this version puts there`;
  const copies = `copy the file here first${COPIES[remoteScheme(address) ?? ""] ?? ""}`;
  if (!existsSync(path)) {
    throw tableError(
      `${address} is not on this machine's disk, and DuckDB's extension httpfs, which reads it, is not there: ${path} was looked for, ` +
        `and Assay downloads none. Put it there (${wanted}), or ${copies}`,
    );
  }
  try {
    await session.rows(`LOAD ${sqlText(path)}`);
  } catch (error) {
    throw tableError(
      `${address} is not on this machine's disk, and DuckDB's extension httpfs at ${path} cannot be loaded: ${duckdbReason(error)}. ` +
        `Replace it by ${wanted}, or ${copies}`,
      error,
    );
  }
}

/** The files that an address names, with their sizes; `s3://` may have `*`. httpfs is loaded. */
export async function remoteFiles(session: DuckdbSession, address: string): Promise<readonly SourceInput[]> {
  const found = `SELECT filename, size, last_modified FROM read_blob(${sqlText(address)}) ORDER BY filename`;
  const rows = await session.rows(found).catch((error: unknown) => {
    throw tableError(`${address} cannot be read: ${duckdbReason(error)}`, error);
  });
  return rows.map(([name, size, modified]) => ({
    name: String(name),
    sizeBytes: Number(size),
    modifiedAtMs: modified === null ? 0 : Date.parse(String(modified).replace(" ", "T")) || 0,
  }));
}

/** Refuses an address whose format is not read where it lies. */
export function checkRemoteFormat(address: string, format: string | undefined): void {
  const known = format ?? readFormat(pathOf(address));
  if (known === "parquet") return;
  const what = known === undefined ? "its ending tells no format" : `it is ${known}`;
  throw tableError(
    `${address} is not on this machine's disk, and ${what}: of such files only Parquet is read where it lies. ` +
      `Copy it here first${COPIES[remoteScheme(address) ?? ""] ?? ""}, or name it in a query: --input "sql:SELECT … FROM '${address}'"`,
  );
}

/** What copies from where. */
export const COPIES: Readonly<Record<string, string>> = {
  s3: " (aws s3 cp)",
  s3a: " (aws s3 cp)",
  s3n: " (aws s3 cp)",
  gs: " (gcloud storage cp)",
  hdfs: " (hdfs dfs -get)",
  abfs: " (azcopy copy)",
  abfss: " (azcopy copy)",
  wasb: " (azcopy copy)",
  wasbs: " (azcopy copy)",
  http: " (curl -O)",
  https: " (curl -O)",
  dbfs: " (databricks fs cp)",
  hf: " (hf download)",
};
