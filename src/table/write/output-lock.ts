import { link, readdir, readFile, stat, unlink, utimes, writeFile } from "node:fs/promises";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { isRunning, type ProcessIdentity, thisProcess } from "../process-identity.ts";
import { inFolder, makeFolder, type PartFolder } from "./parts/part-folder.ts";

const HEARTBEAT_MS = 5_000;
const FOREIGN_STALE_MS = 60_000;
const LOCK_NAME = /^lock-(\d+)$/;

/** Held by the one run that writes an output. */
export interface OutputLock {
  /** Its file in the folder. */
  readonly name: string;
  release(): Promise<void>;
}

/**
 * Creates the folder where it is missing and takes its lock. Locks are numbered, and who creates the next number holds it: a stale one is never
 * removed before its successor stands, so two runs cannot both take it over. Stale is the lock of a process of this
 * machine that has ended, and that of another machine's (a folder shared over a network) which gave no sign for a minute.
 * Throws CONFIG_INVALID where another run holds it.
 */
export async function lockOutput(folder: PartFolder): Promise<OutputLock> {
  for (;;) {
    await makeFolder(folder.path);
    const numbers = await lockNumbers(folder.path);
    const last = numbers.at(-1) ?? 0;
    if (last > 0) {
      const holder = await holderOf(inFolder(folder, `lock-${last}`));
      if (holder !== undefined) throw heldBy(holder, folder.outputPath, `${folder.name}/lock-${last}`);
    }
    const name = `lock-${last + 1}`;
    if (!(await create(inFolder(folder, name)))) continue;
    for (const number of numbers) await unlink(inFolder(folder, `lock-${number}`)).catch(ignoreMissing);
    return hold(inFolder(folder, name), name);
  }
}

function hold(path: string, name: string): OutputLock {
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, HEARTBEAT_MS);
  heartbeat.unref();
  return {
    name,
    async release() {
      clearInterval(heartbeat);
      await unlink(path).catch(ignoreMissing);
    },
  };
}

async function lockNumbers(folder: string): Promise<number[]> {
  const numbers = (await readdir(folder)).map((name) => Number(LOCK_NAME.exec(name)?.[1] ?? 0));
  return numbers.filter((number) => number > 0).sort((a, b) => a - b);
}

/** Creates the lock with its text in one step; false where another run was faster, or just removed the folder. */
async function create(path: string): Promise<boolean> {
  const text = JSON.stringify(thisProcess());
  const draft = `${path}.${process.pid}`;
  try {
    await writeFile(draft, text);
    await link(draft, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST" || code === "ENOENT") return false;
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(code ?? "")) throw error;
    // A file system without hard links: a run killed between these two leaves an empty lock, which holderOf ignores.
    return await writeFile(path, text, { flag: "wx" }).then(
      () => true,
      (failure: NodeJS.ErrnoException) => {
        if (failure.code === "EEXIST") return false;
        throw failure;
      },
    );
  } finally {
    await unlink(draft).catch(ignoreMissing);
  }
}

/** Who holds a lock; undefined where it is stale or gone. */
async function holderOf(path: string): Promise<ProcessIdentity | undefined> {
  let holder: ProcessIdentity;
  let touchedAtMs: number;
  try {
    holder = JSON.parse(await readFile(path, "utf8")) as ProcessIdentity;
    touchedAtMs = (await stat(path)).mtimeMs;
  } catch {
    return undefined;
  }
  if (holder.host !== thisProcess().host)
    return Date.now() - touchedAtMs < FOREIGN_STALE_MS ? holder : undefined;
  return isRunning(holder) ? holder : undefined;
}

function heldBy({ pid, host }: ProcessIdentity, outputPath: string, lock: string): AssayError {
  const where = host === thisProcess().host ? "" : ` on ${host}`;
  return new AssayError(
    Reason.CONFIG_INVALID,
    `${outputPath} is being written by another run (process ${pid}${where}): wait for it, or give another --output. If no such run is left, remove ${lock}`,
  );
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
