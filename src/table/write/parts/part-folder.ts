import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat, unlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { FileIdentity, Manifest } from "../manifest.ts";

/** The folder of an output's parts. */
export interface PartFolder {
  /** Absolute. */
  readonly path: string;
  /** As messages name it. */
  readonly name: string;
  /** The output, as it was given. */
  readonly outputPath: string;
}

/** The folder beside an output. */
export function partFolder(outputPath: string): PartFolder {
  return { path: `${resolve(outputPath)}.parts`, name: `${outputPath}.parts`, outputPath };
}

/** The path of one of the folder's files. */
export function inFolder(folder: PartFolder, file: string): string {
  return join(folder.path, file);
}

/** The name of the file that the parts are joined into, until it is renamed to the output. */
export const JOINED_FILE = "joined";
/** The name of the folder where DuckDB puts what its memory cannot hold. */
export const SPILL_FOLDER = "spill";
/** The name of the manifest. */
export const MANIFEST_FILE = "manifest.json";

/** The name of a part, by its place. */
export function partFile(index: number): string {
  return `part-${String(index).padStart(6, "0")}.parquet`;
}

/** Makes a folder's entries last: what was renamed into it stands after a loss of power. Not possible on Windows. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Makes a written file last, then gives it its name in one step. */
export async function renameForGood(from: string, to: string): Promise<void> {
  const file = await open(from, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(from, to);
  await syncFolder(dirname(to));
}

/** Replaces the folder's manifest in one step. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const path = join(folder, MANIFEST_FILE);
  const file = await open(`${path}.tmp`, "w");
  try {
    await file.writeFile(JSON.stringify(manifest, undefined, 1));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.tmp`, path);
  await syncFolder(folder);
}

/** The text of the folder's manifest; undefined where there is none. */
export async function readManifestText(folder: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, MANIFEST_FILE), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** The marks that tell a file from another; undefined where there is none. */
export async function identityOf(path: string): Promise<FileIdentity | undefined> {
  try {
    const { size, mtimeMs, ino } = await stat(path);
    return { sizeBytes: size, modifiedAtMs: mtimeMs, inode: ino };
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

/** The folder's files with their sizes. */
export async function fileSizes(folder: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const name of await readdir(folder)) sizes.set(name, (await stat(join(folder, name))).size);
  return sizes;
}

/** Deletes all of the folder but what `keep` holds. */
export async function deleteFromFolder(folder: string, keep: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!keep.has(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Deletes what a run that stops has not finished; where it cannot, the next one does. */
export async function deleteHalfWritten({ path }: PartFolder): Promise<void> {
  for (const name of await readdir(path).catch(() => [])) {
    if (!name.endsWith(".tmp") && name !== SPILL_FOLDER) continue;
    await rm(join(path, name), { recursive: true, force: true }).catch(() => {});
  }
}

/** Deletes what a finished run leaves, the manifest last: as long as it stands, the next run knows that all is done. */
export async function clearFolder(folder: string, lockName: string): Promise<void> {
  await deleteFromFolder(folder, new Set([MANIFEST_FILE, lockName]));
  await unlink(join(folder, MANIFEST_FILE)).catch(ignoreMissing);
}

/** Removes the folder where it is empty. */
export async function removeEmptyFolder(folder: string): Promise<void> {
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (!["ENOTEMPTY", "EEXIST", "ENOENT"].includes(error.code ?? "")) throw error;
  });
}

/** Creates the folder where it is missing; its own folder must be there. */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
