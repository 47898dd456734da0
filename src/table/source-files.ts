import { realpathSync, type Stats, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { nearestName } from "../nearest-name.ts";
import type { DuckdbSession } from "./duckdb-session.ts";
import { sqlText } from "./sql-text.ts";
import { duckdbReason, tableError } from "./table-error.ts";
import type { SourceInput } from "./table-source.ts";

/** A file, or a pipe or device (`/dev/fd/3`), which can be read once from its start. */
export interface FoundFile extends SourceInput {
  readonly isStream: boolean;
}

/**
 * The files that paths and globs (`*`, `?`, `[…]`, `**`) name: inputs in the order given, the files of a glob sorted by
 * path. Throws a TABLE_INVALID for a glob without a match, a missing file, a folder, and a file that is named twice.
 */
export async function findSourceFiles(
  session: DuckdbSession,
  inputs: readonly string[],
): Promise<readonly FoundFile[]> {
  const found: FoundFile[] = [];
  const named = new Map<string, string>();
  for (const input of inputs) {
    const stats = statOf(input);
    const paths = stats === undefined && isGlob(input) ? await globbed(session, input) : [input];
    for (const path of paths) {
      // One file has many spellings; what is not there is told by `describeFile`.
      const file = statOf(path) === undefined ? path : realpathSync(path);
      const earlier = named.get(file);
      if (earlier !== undefined) {
        throw tableError(
          `${path} is named twice, by ${earlier} and by ${input}: its rows would be scored twice`,
        );
      }
      named.set(file, input);
      found.push(await describeFile(path));
    }
  }
  return found;
}

/** Whether DuckDB would take a path that is no file for a pattern. */
function isGlob(input: string): boolean {
  return /[*?[]/.test(input);
}

/** The files that a text names, where it is a path or a glob; none where it is anything else. */
export async function existingFiles(session: DuckdbSession, text: string): Promise<readonly SourceInput[]> {
  const rows = await session.rows(`SELECT file FROM glob(${sqlText(text)}) ORDER BY file`).catch(() => []);
  const files: SourceInput[] = [];
  for (const [path] of rows) {
    const stats = statOf(String(path));
    if (stats?.isFile()) files.push(describe(String(path), stats));
  }
  return files;
}

async function globbed(session: DuckdbSession, pattern: string): Promise<string[]> {
  let rows: readonly (readonly unknown[])[];
  try {
    rows = await session.rows(`SELECT file FROM glob(${sqlText(pattern)}) ORDER BY file`);
  } catch (error) {
    throw tableError(`${pattern} cannot be read: ${duckdbReason(error)}`, error);
  }
  if (rows.length === 0) {
    throw tableError(
      `no file matches ${pattern}${await folderContents(pattern.replace(/[*?[].*$/s, ""), pattern)}`,
    );
  }
  return rows.map(([file]) => String(file));
}

async function describeFile(path: string): Promise<FoundFile> {
  const stats = statOf(path);
  if (stats === undefined) {
    throw tableError(`there is no file ${path}${await folderContents(path, path)}`);
  }
  if (stats.isDirectory()) {
    throw tableError(`${path} is a folder; name its files, as in ${path.replace(/[/\\]+$/, "")}/*.parquet`);
  }
  return { ...describe(path, stats), isStream: !stats.isFile() };
}

function describe(name: string, stats: Stats): SourceInput {
  return { name, sizeBytes: stats.size, modifiedAtMs: Math.trunc(stats.mtimeMs) };
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw tableError(`${path} cannot be read: ${(error as Error).message}`, error);
  }
}

/** For a message: the entry nearest to what was asked for, else the first few; nothing where there is no folder. */
async function folderContents(prefix: string, wanted: string): Promise<string> {
  const folder = dirname(`${prefix}x`);
  let entries: string[];
  try {
    entries = (await readdir(folder)).filter((name) => !name.startsWith(".")).sort();
  } catch {
    return `; there is no folder ${folder} that can be read`;
  }
  if (entries.length === 0) return `; the folder ${folder} is empty`;
  const nearest = nearestName(basename(wanted), entries);
  if (nearest !== undefined) return `; did you mean ${JSON.stringify(nearest)}?`;
  const shown = entries.slice(0, 5).join(", ");
  const more = entries.length > 5 ? ` and ${entries.length - 5} more` : "";
  return `; the folder ${folder} holds ${shown}${more}`;
}
