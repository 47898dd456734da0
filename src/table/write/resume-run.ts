import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { type Manifest, parseManifest } from "./manifest.ts";
import { manifestChanges } from "./manifest-changes.ts";
import { lockOutput, type OutputLock } from "./output-lock.ts";
import {
  deleteFromFolder,
  fileSizes,
  identityOf,
  inFolder,
  JOINED_FILE,
  MANIFEST_FILE,
  type PartFolder,
  readManifestText,
  removeEmptyFolder,
  writeManifest,
} from "./parts/part-folder.ts";
import { resumeStep } from "./resume-policy.ts";

/** A folder that this run may work in. */
export interface ResumedRun {
  readonly lock: OutputLock;
  /** With the parts that are good; `now` itself where the run starts. */
  readonly manifest: Manifest;
  readonly step: "start" | "write" | "join" | "rename" | "clean";
}

/**
 * Takes the folder's lock, finds out where to go on and deletes what is of no use. `now` is the manifest that a new run
 * would begin with. Throws CONFIG_INVALID or TABLE_INVALID where the run may not go on, and leaves the folder as it is.
 */
export async function resumeRun(
  folder: PartFolder,
  now: Manifest,
  choice: { readonly overwrite: boolean; readonly restart: boolean },
): Promise<ResumedRun> {
  const lock = await lockOutput(folder).catch(async (error: unknown) => {
    // Made for the lock, and the lock could not be written.
    await removeEmptyFolder(folder.path).catch(() => {});
    throw error;
  });
  try {
    const found = await findRun(folder, now, choice);
    const parts = found.manifest.parts.map(({ file }) => file);
    // Before a damaged part is replaced: the old note could by chance fit the new file.
    if (found.step === "write") await writeManifest(folder.path, { ...found.manifest, state: "writing" });
    const keep =
      found.step === "start" ? [] : [MANIFEST_FILE, ...(found.step === "rename" ? [JOINED_FILE] : [])];
    await deleteFromFolder(folder.path, new Set([lock.name, ...keep, ...parts]));
    return { lock, ...found };
  } catch (error) {
    await lock.release();
    await removeEmptyFolder(folder.path);
    throw error;
  }
}

async function findRun(
  folder: PartFolder,
  now: Manifest,
  { overwrite, restart }: { readonly overwrite: boolean; readonly restart: boolean },
): Promise<Omit<ResumedRun, "lock">> {
  const manifest = await readManifest(folder, restart);
  const changes = manifest === undefined ? [] : manifestChanges(manifest, now);
  const output = await identityOf(folder.outputPath);
  const state = {
    sizes: await fileSizes(folder.path),
    joined: await identityOf(inFolder(folder, JOINED_FILE)),
    output,
  };
  let step = resumeStep({ manifest, overwrite, ...state });
  // The other run has finished but for its folder: this one is not a continuation of it.
  if (step.kind === "clean" && changes.length > 0) step = overwrite ? { kind: "start" } : { kind: "refuse" };
  if (step.kind === "refuse") throw outputExists(folder.outputPath);
  if (step.kind === "start" || manifest === undefined) return { step: "start", manifest: now };
  if (changes.length > 0) {
    const reason = changes.some((change) => change.reason === Reason.TABLE_INVALID)
      ? Reason.TABLE_INVALID
      : Reason.CONFIG_INVALID;
    const texts = changes.map(({ text }) => text).join("; ");
    throw new AssayError(
      reason,
      `cannot go on with ${folder.outputPath}, of which ${folder.name} holds a part: ${texts}. ${START_OVER(folder)}`,
    );
  }
  const { fingerprint } = now;
  return {
    step: step.kind,
    manifest: { ...manifest, fingerprint, parts: manifest.parts.slice(0, step.keptParts) },
  };
}

async function readManifest(folder: PartFolder, restart: boolean): Promise<Manifest | undefined> {
  if (restart) return undefined;
  const text = await readManifestText(folder.path);
  if (text === undefined) return undefined;
  const manifest = parseManifest(text);
  if (manifest !== undefined) return manifest;
  const message = `${folder.name}/${MANIFEST_FILE} was not written by this version of Assay. ${START_OVER(folder)}`;
  throw new AssayError(Reason.CONFIG_INVALID, message);
}

const START_OVER = (folder: PartFolder) => `Start over with --restart, or remove ${folder.name}`;

/** An output that is there already and is not to be replaced. */
export function outputExists(outputPath: string): AssayError {
  const message = `${outputPath} is there already: give another --output, or replace it with --overwrite`;
  return new AssayError(Reason.CONFIG_INVALID, message);
}
