/**
 * Where a run starts that finds a folder of parts. Every step below ends in one rename or one manifest, so whatever
 * moment a run is killed at, the next one finds one of these rows; each leads to the same output.
 *
 * | state    | noted parts | joined file | output            | what the run does                                         |
 * |----------|-------------|-------------|-------------------|-----------------------------------------------------------|
 * | none     | any         | any         | absent            | start: empty the folder, read from row 0                  |
 * | any      | any         | any         | present, not ours | refuse, unless it is to be overwritten: then as if absent |
 * | writing  | all there   | any         | absent            | write: delete what is not noted, go on after the last part |
 * | writing  | one damaged | any         | absent            | write: go on after the last part before it                |
 * | joining  | all there   | any         | absent            | join: every row of the input is scored                    |
 * | joining  | one damaged | any         | absent            | write, as above                                           |
 * | renaming | any         | as noted    | absent            | rename: the joined file is whole                          |
 * | renaming | any         | gone        | ours              | clean: only the folder is left over                       |
 * | renaming | all there   | otherwise   | absent            | join                                                      |
 * | renaming | one damaged | otherwise   | absent            | write, as above                                           |
 *
 * `ours` is the file that the manifest noted before the rename: size, time and inode are the same.
 */
import type { FileIdentity, Manifest } from "./manifest.ts";

/** The state of the folder as a run finds it when it holds the lock. */
export interface FolderState {
  /** Undefined where none was written, or where the run is to start over. */
  readonly manifest: Manifest | undefined;
  /** The folder's files with their sizes. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly joined: FileIdentity | undefined;
  readonly output: FileIdentity | undefined;
  readonly overwrite: boolean;
}

/** The step that it takes then; `keptParts` are good, counted from the first. */
export type ResumeStep =
  | { readonly kind: "start" }
  | { readonly kind: "write" | "join" | "rename" | "clean"; readonly keptParts: number }
  | { readonly kind: "refuse" };

/** Decides by the table above. */
export function resumeStep({ manifest, sizes, joined, output, overwrite }: FolderState): ResumeStep {
  if (manifest?.state === "renaming" && joined === undefined && isSame(output, manifest.joined)) {
    return { kind: "clean", keptParts: manifest.parts.length };
  }
  if (output !== undefined && !overwrite) return { kind: "refuse" };
  if (manifest === undefined) return { kind: "start" };
  if (manifest.state === "renaming" && isSame(joined, manifest.joined)) {
    return { kind: "rename", keptParts: manifest.parts.length };
  }
  const damaged = manifest.parts.findIndex(({ file, sizeBytes }) => sizes.get(file) !== sizeBytes);
  if (damaged >= 0) return { kind: "write", keptParts: damaged };
  return { kind: manifest.state === "writing" ? "write" : "join", keptParts: manifest.parts.length };
}

function isSame(a: FileIdentity | undefined, b: FileIdentity | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a.sizeBytes === b.sizeBytes && a.modifiedAtMs === b.modifiedAtMs && a.inode === b.inode;
}
