import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";

/** The marks by which a file is cheaply told to be perhaps another one. */
export interface FileIdentity {
  readonly byteLength: number;
  readonly modifiedAtMs: number;
  readonly changedAtMs: number;
  readonly inode: number;
}

/** A file that a model was made of, or would have been had it been there. */
export interface SourceFile {
  /** As the version folder's owner knows it: `model.onnx.data`, `../config.json`. */
  readonly name: string;
  readonly path: string;
  /** Undefined where there was no file. */
  readonly identity: FileIdentity | undefined;
  /** SHA-256, lower-case hex; undefined where there was no file. */
  readonly sha256: string | undefined;
}

const CHUNK_BYTES = 1024 * 1024;

/** The present identity of a file; undefined where there is none that can be read. */
export async function identify(path: string): Promise<FileIdentity | undefined> {
  try {
    const { size, mtimeMs, ctimeMs, ino } = await stat(path);
    return { byteLength: size, modifiedAtMs: mtimeMs, changedAtMs: ctimeMs, inode: ino };
  } catch {
    return undefined;
  }
}

/** True for two looks at a file that nobody wrote to in between. */
export function isSameIdentity(a: FileIdentity | undefined, b: FileIdentity | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.byteLength === b.byteLength &&
    a.modifiedAtMs === b.modifiedAtMs &&
    a.changedAtMs === b.changedAtMs &&
    a.inode === b.inode
  );
}

/** SHA-256 of a file, read in pieces; rejects where it cannot be read. */
export async function digestFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES }))
    hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** A file as it lies there; without a digest where there is none. */
export async function readSourceFile(name: string, path: string): Promise<SourceFile> {
  const identity = await identify(path);
  return { name, path, identity, sha256: identity === undefined ? undefined : await digestFile(path) };
}
