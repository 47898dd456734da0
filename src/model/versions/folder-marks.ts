import { createHash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { VersionPlace } from "../version-files.ts";

/** Entries of one folder and those below that are looked at; what people serve has some dozens. */
const MAX_ENTRIES = 10_000;
const MAX_DEPTH = 5;

/**
 * Marks of a file, or of all that lies in a folder: others as soon as anything there is written, put there, taken away or renamed,
 * as far as lengths, times and inode numbers tell it. Links are followed; `isLeftOut` is asked for the names in the folder itself. Files
 * are looked at and not read, so that a look costs microseconds a file on every file system.
 */
export async function marksOf(
  path: string,
  isLeftOut: (name: string) => boolean = () => false,
): Promise<string> {
  const hash = createHash("sha1");
  let entries = 0;
  const look = async (at: string, depth: number): Promise<void> => {
    if (++entries > MAX_ENTRIES) return;
    const info = await stat(at).catch(({ code }: NodeJS.ErrnoException) => code);
    if (typeof info !== "object") {
      hash.update(`${at}\0${info}\n`);
      return;
    }
    // A folder's own times change with what is put there, which is looked at itself.
    if (!info.isDirectory()) {
      hash.update(`${at}\0${info.size} ${info.mtimeMs} ${info.ctimeMs} ${info.ino}\n`);
      return;
    }
    hash.update(`${at}/\n`);
    if (depth === MAX_DEPTH) return;
    const names = await readdir(at).catch(({ code }: NodeJS.ErrnoException) => [`\0${code}`]);
    for (const name of names.sort()) {
      if (name.startsWith(".") || (depth === 0 && isLeftOut(name))) continue;
      await look(join(at, name), depth + 1);
    }
  };
  await look(path, 0);
  return hash.digest("base64");
}

/** Marks of all that one version is made of. */
export async function versionMarks({ folder, modelFolder, fileName }: VersionPlace): Promise<string> {
  if (modelFolder === undefined) return marksOf(fileName === undefined ? folder : join(folder, fileName));
  const own = await marksOf(folder);
  if (modelFolder === folder) return own;
  return `${own} ${await marksOf(modelFolder, (name) => /^\d+$/.test(name))}`;
}
