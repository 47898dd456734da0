import { lstatSync, readlinkSync, realpathSync, type Stats, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { nearestName } from "../../wording/nearest-name.ts";
import type { DuckdbSession } from "../duckdb/duckdb-session.ts";
import { sqlText } from "../duckdb/sql-text.ts";
import { readFormat } from "../format-endings.ts";
import { isMeant, partitionNames, pathOfAddress, remoteScheme } from "../path-patterns.ts";
import { COPIES, checkRemoteFormat, isFetched, loadHttpfs, remoteFiles } from "../remote-files.ts";
import { duckdbReason, tableError } from "../table-error.ts";
import type { SourceInput, TableFormat } from "../table-source.ts";
import { systemCause } from "../write-failure.ts";

/** A file, or a pipe or device (`/dev/fd/3`), which can be read once from its start; or a file on another machine. */
export interface FoundFile extends SourceInput {
  readonly isStream: boolean;
  readonly isRemote?: boolean;
}

/**
 * The files that paths and globs (`*`, `?`, `[…]`, `**`) name: inputs in the order given, the files of a glob sorted by
 * path, those of a folder of partitions (`year=2024/…`) too. Throws a TABLE_INVALID for a glob without a match, a missing
 * file, another folder, and a file that is named twice.
 */
export async function findSourceFiles(
  session: DuckdbSession,
  inputs: readonly string[],
  format?: TableFormat,
): Promise<readonly FoundFile[]> {
  const found: FoundFile[] = [];
  const named = new Map<string, string>();
  const add = (file: FoundFile, place: string, given: string) => {
    const earlier = named.get(place);
    if (earlier !== undefined) {
      throw tableError(
        `${file.name} is named twice, by ${earlier} and by ${given}: its rows would be scored twice`,
      );
    }
    named.set(place, given);
    found.push(file);
  };
  const remote = inputs.filter(isFetched);
  for (const address of remote) checkRemoteFormat(address, format);
  if (remote.length > 0) await loadHttpfs(session, remote[0]!);
  for (const given of inputs) {
    if (isFetched(given)) {
      for (const file of await remoteFiles(session, given))
        add({ ...file, isStream: false, isRemote: true }, file.name, given);
      continue;
    }
    const input = localPath(given);
    const stats = statOf(input);
    const paths =
      stats === undefined && isGlob(input)
        ? await globbed(session, input)
        : stats?.isDirectory()
          ? await filesOfFolder(input)
          : [input];
    for (const path of paths) {
      // One file has many spellings; what is not there is told by `describeFile`.
      const place = statOf(path) === undefined ? path : realpathSync(path);
      add(await describeFile(path), place, given);
    }
  }
  return found;
}

/** The path that an input names. Throws where it is on another machine, or a shell would have had to read it. */
function localPath(input: string): string {
  if (input === "") throw tableError("an input is empty: name a file, a glob, sql: and a query, or -");
  const scheme = remoteScheme(input);
  const path = scheme === undefined ? pathOfAddress(input) : undefined;
  if (scheme !== undefined || (path === undefined && /^file:/i.test(input))) {
    throw tableError(
      `${input} is not on this machine's disk, and Assay does not read it there. ` +
        `Copy it here first${COPIES[scheme ?? ""] ?? ""}, or mount it, and name its path`,
    );
  }
  return path ?? input;
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
  const paths = rows.map(([file]) => String(file));
  const meant = paths.filter((path) => isMeant(pattern, path));
  if (paths.length > 0 && meant.length === 0) {
    throw tableError(
      `${pattern} matches only hidden files and markers (${shortList(paths.map((path) => basename(path)))}), which are no tables; ` +
        "name a file itself where one of them is meant",
    );
  }
  if (paths.length === 0) {
    throw tableError(
      `no file matches ${pattern}${await folderContents(pattern.replace(/[*?[].*$/s, ""), pattern)}`,
    );
  }
  return meant;
}

async function describeFile(path: string): Promise<FoundFile> {
  const stats = statOf(path);
  if (stats === undefined) throw await missingFile(path);
  return { ...describe(path, stats), isStream: !stats.isFile() };
}

async function missingFile(path: string): Promise<Error> {
  if (isDanglingLink(path))
    return tableError(`${path} is a link to ${readlinkSync(path)}, and nothing is there`);
  if (path.startsWith("~")) {
    const meant = /^~(?=\/|$)/.test(path) ? path.replace("~", homedir()) : undefined;
    const name = meant === undefined ? "write the folder out" : `write ${meant}`;
    return tableError(
      `there is no file ${path}: only a shell reads ~, and not within quotes or after "="; ${name}`,
    );
  }
  return tableError(`there is no file ${path}${await folderContents(path, path)}`);
}

function isDanglingLink(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  } catch {
    return false;
  }
}

/** The files of a folder of partitions. Any other folder holds files of one table, and more: which are meant is for the user to say. */
async function filesOfFolder(path: string): Promise<string[]> {
  const name = path.replace(/(?<=.)[/\\]+$/, "");
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  const names = new Set(entries.map((entry) => entry.name));
  const table = LAKE_FOLDERS.find(({ markers }) => markers.every((marker) => names.has(marker)));
  if (table !== undefined) {
    throw tableError(
      `${path} is a table of ${table.what}, whose folder also holds rows that were removed or replaced, and only its log tells which: ` +
        "write the version that is meant to files of its own (Spark, DuckDB, Polars and PyIceberg do), and name those",
    );
  }
  const files = await readdir(path, { recursive: true }).catch(() => []);
  const meant = files.filter((file) => isMeant(`${name}/**`, `${name}/${file}`)).sort();
  const first = meant.find((file) => readFormat(file) !== undefined);
  if (first === undefined) {
    throw tableError(
      `${path} is a folder without a table in it${await folderContents(`${path}/`, path)}; name a file`,
    );
  }
  const ending = /\.[^./]+(\.(gz|zst))?$/i.exec(first)![0];
  const depth = first.split("/").length - 1;
  const pattern = `${name}/${depth === 0 ? "" : "**/"}*${ending}`;
  const tables = meant.filter((file) => readFormat(file) !== undefined);
  // Files that lie beside the partitions' folders, or have another format, leave open what is meant.
  const isOneTable = tables.every((file) => readFormat(file) === readFormat(first));
  if (isOneTable && partitionNames(tables).length > 0) return tables.map((file) => join(name, file));
  throw tableError(`${path} is a folder; name its files: --input '${pattern}'`);
}

/** What the formats of tables in folders keep beside the data. */
const LAKE_FOLDERS = [
  { markers: ["_delta_log"], what: "Delta Lake" },
  { markers: [".hoodie"], what: "Hudi" },
  { markers: ["metadata", "data"], what: "Iceberg" },
] as const;

function describe(name: string, stats: Stats): SourceInput {
  return { name, sizeBytes: stats.size, modifiedAtMs: Math.trunc(stats.mtimeMs) };
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw tableError(`${path} cannot be read: ${systemCause(error) ?? (error as Error).message}`, error);
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
  return `; the folder ${folder} holds ${shortList(entries)}`;
}

function shortList(names: readonly string[]): string {
  const more = names.length > 5 ? ` and ${names.length - 5} more` : "";
  return `${names.slice(0, 5).join(", ")}${more}`;
}
