import { rmSync, writeFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isRunning, type ProcessIdentity, pidNamespace, thisProcess } from "./process-identity.ts";
import { writeFailure } from "./write-failure.ts";

const NAME = /^assay-(input|output)-/;
const OWNER_FILE = "owner.json";
/** A full folder for temporary files must not hold up a run. */
const MOST_LOOKED_AT = 1000;

interface Owner extends ProcessIdentity {
  readonly pidNamespace: string;
}

/**
 * Makes a folder of this process alone for what passes through the disk, and removes those that runs left which were
 * killed (SIGKILL, a loss of power). Whoever made it removes it. `parent`: default the system's folder. Throws a
 * TABLE_INVALID where there is no room.
 */
export async function makeTemporaryFolder(
  kind: "input" | "output",
  parent: string | undefined,
): Promise<string> {
  const within = parent ?? tmpdir();
  await removeLeftFolders(within);
  try {
    const folder = await mkdtemp(join(within, `assay-${kind}-`));
    try {
      const owner: Owner = { ...thisProcess(), pidNamespace: pidNamespace() };
      writeFileSync(join(folder, OWNER_FILE), JSON.stringify(owner));
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
    return folder;
  } catch (error) {
    throw temporaryFailure(within, error);
  }
}

/** The error for a folder of temporary files that cannot be written, which no flag names. */
export function temporaryFailure(folder: string, error: unknown): unknown {
  return writeFailure(
    folder,
    error,
    " (a folder for temporary files; the variable TMPDIR names another place)",
  );
}

/** Only folders whose owner is known, ran on this machine, among these processes, and has ended. */
async function removeLeftFolders(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names.filter((each) => NAME.test(each)).slice(0, MOST_LOOKED_AT)) {
    const folder = join(parent, name);
    try {
      const owner = JSON.parse(await readFile(join(folder, OWNER_FILE), "utf8")) as Owner;
      const isOfHere = owner.host === thisProcess().host && owner.pidNamespace === pidNamespace();
      if (!isOfHere || !Number.isInteger(owner.pid) || isRunning(owner)) continue;
      await rm(folder, { recursive: true, force: true });
    } catch {
      // Another user's, one that is just being made or removed, or none of Assay's.
    }
  }
}
