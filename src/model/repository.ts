/**
 * Finds the models of a repository: `<name>/<version>/model.onnx`, with config.json and golden.json beside it or, for all
 * versions, one folder up. Comes in: a folder. Goes out: one FoundModel a version, ordered by name and version number.
 * Promises: whatever cannot be served is reported with a reason and never keeps the others from being found; only regular
 * files are read, and never one outside the version folder; nothing is written.
 */
import { realpathSync, statSync } from "node:fs";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { type FolderNames, noModelReason } from "./no-model.ts";
import type { FoundFile } from "./onnx/external-data.ts";
import { misnamedFileReason } from "./onnx/file-kind.ts";
import { readTestDataSets } from "./onnx/test-data-sets.ts";
import { prepareModel } from "./prepare-model.ts";
import type { FoundModel } from "./prepared-model.ts";
import { quoted, refusal } from "./refusal.ts";
import { identify, isSameIdentity } from "./source-file.ts";
import { readSourceFiles, sourcePlaces, withFiles } from "./source-files.ts";

/** A protobuf message holds less than 2 GiB. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;
const MAX_TEXT_BYTES = 64 * 2 ** 20;
/** Times that a folder is read while somebody writes to it. */
const READ_ATTEMPTS = 3;
const READ_AGAIN_MS = 200;

/**
 * Reads every version of every model. `onIgnored` hears of each folder that can be no model, and why. Throws CONFIG_INVALID where
 * the repository itself cannot be read.
 */
export async function scanRepository(
  dir: string,
  onIgnored: (name: string, why: string) => void = () => {},
): Promise<FoundModel[]> {
  const names = await folderNames(dir).catch((cause: unknown) => {
    const code = (cause as NodeJS.ErrnoException).code;
    const what =
      code === "ENOENT" ? "does not exist" : code === "ENOTDIR" ? "is no folder" : `cannot be read (${code})`;
    throw new AssayError(
      Reason.CONFIG_INVALID,
      `the model repository ${JSON.stringify(dir)} ${what}: expected a folder with <name>/<version>/model.onnx`,
      { cause },
    );
  });
  const found: FoundModel[] = [];
  for (const name of names.files) {
    const reason = misnamedFileReason(name);
    if (reason === undefined) continue;
    const stem = name.slice(0, name.lastIndexOf("."));
    const moved = name.endsWith(".onnx")
      ? `${name} lies in the repository itself; expected ${stem}/1/model.onnx: move it there`
      : reason;
    found.push(refused(stem, "", moved));
  }
  for (const name of names.lost) {
    found.push(refused(name, "", "the link leads to nothing: mend it, or take it away"));
  }
  for (const modelName of names.folders) {
    const why = await noModelReason(modelName, () => folderNames(join(dir, modelName)));
    if (why !== undefined) {
      onIgnored(modelName, why);
      continue;
    }
    found.push(
      ...(await scanModel(dir, modelName).catch((cause: unknown) => [
        refused(modelName, "", unreadReason(cause), cause),
      ])),
    );
  }
  return found.sort(byNameAndVersion);
}

/**
 * Reads what lies at a path: a model file, a version folder, a model folder or a repository. Throws CONFIG_INVALID where
 * nothing is there.
 */
export async function scanPath(path: string): Promise<FoundModel[]> {
  const full = resolve(path);
  const info = await stat(full).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== "ENOENT") return undefined;
    const expected = "expected a model file, a version's folder, a model's folder or a repository";
    throw new AssayError(Reason.CONFIG_INVALID, `there is no ${JSON.stringify(path)}: ${expected}`, {
      cause,
    });
  });
  if (info?.isFile()) {
    const name = basename(full);
    const model = await scanVersion(dirname(dirname(full)), name, "", dirname(full), name);
    return [model];
  }
  if (info?.isDirectory() !== true) return scanRepository(path);
  const { folders, files } = await folderNames(full);
  const parent = dirname(full);
  if (files.includes("model.onnx") && /^[1-9]\d*$/.test(basename(full))) {
    return [await scanVersion(parent, basename(parent), basename(full))];
  }
  const holdsVersions = folders.some((name) => /^\d+$/.test(name));
  return holdsVersions || files.includes("model.onnx")
    ? scanModel(parent, basename(full))
    : scanRepository(full);
}

/** Reads the versions of one model folder. */
async function scanModel(dir: string, modelName: string): Promise<FoundModel[]> {
  const folder = join(dir, modelName);
  const { folders, files } = await folderNames(folder);
  const found: FoundModel[] = [];
  for (const version of folders) {
    if (/^[1-9]\d{0,18}$/.test(version)) found.push(await scanVersion(folder, modelName, version));
    else if (/^[-+v]?\d/i.test(version) || (await holdsModel(join(folder, version)))) {
      found.push(
        refused(
          modelName,
          version,
          `the version folder ${JSON.stringify(version)} is no positive number; expected 1, 2, …: rename it`,
        ),
      );
    }
  }
  if (found.length === 0) found.push(refused(modelName, "", noVersionReason(modelName, files)));
  return found;
}

function noVersionReason(modelName: string, files: readonly string[]): string {
  const model = files.find((file) => file.endsWith(".onnx"));
  if (model !== undefined) {
    return `${model} lies in the model's folder; expected a version folder: move it to ${modelName}/1/model.onnx`;
  }
  const misnamed = files.map(misnamedFileReason).find((reason) => reason !== undefined);
  return misnamed ?? `the folder has no version folder; expected ${modelName}/1/model.onnx`;
}

async function scanVersion(
  modelFolder: string,
  modelName: string,
  modelVersion: string,
  folder = join(modelFolder, modelVersion),
  fileName = "model.onnx",
): Promise<FoundModel> {
  try {
    const places = sourcePlaces(folder, modelFolder, fileName);
    for (let attempt = 1; ; attempt++) {
      const before = await Promise.all(places.map(({ path }) => identify(path)));
      const found = await readVersion(modelFolder, modelName, modelVersion, folder, fileName);
      const files = found.kind === "prepared" ? await readSourceFiles(found.model, places) : [];
      // A copy that was still going on leaves parts of two files, or one that cannot be read yet.
      const after = await Promise.all(places.map(({ path }) => identify(path)));
      const isStill = before.every((identity, at) => isSameIdentity(identity, after[at]));
      if (isStill)
        return found.kind === "refused" ? found : { kind: "prepared", model: withFiles(found.model, files) };
      if (attempt === READ_ATTEMPTS) {
        throw refusal(
          "files of the version folder were written to while they were read: restart the server once they are whole, and put new files in place by renaming a finished copy",
        );
      }
      await delay(READ_AGAIN_MS);
    }
  } catch (cause) {
    return refused(modelName, modelVersion, unreadReason(cause), cause);
  }
}

async function readVersion(
  modelFolder: string,
  modelName: string,
  modelVersion: string,
  folder: string,
  fileName: string,
): Promise<FoundModel> {
  const bytes = await readModelFile(folder, fileName);
  const root = await realpath(folder);
  return prepareModel({
    modelName,
    modelVersion,
    bytes,
    configText: await readBeside("config.json", folder, modelFolder),
    goldenText: await readBeside("golden.json", folder, modelFolder),
    testDataCases: await readTestDataSets(folder, bytes),
    findExternal: (location) => findExternal(root, location),
  });
}

/** Whatever is wrong with one version must not keep the others from being found. */
function unreadReason(cause: unknown): string {
  if (cause instanceof AssayError) return cause.message;
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === "EACCES" || code === "EPERM") {
    return `the folder or a file in it cannot be read by this user (${code}): give it read access, on folders search access too`;
  }
  const what = code !== undefined && /^E[A-Z0-9]+$/.test(code) ? code : `a bug in Assay: ${message}`;
  return `the folder cannot be read (${what})`;
}

async function readModelFile(folder: string, fileName: string): Promise<Uint8Array> {
  const path = join(folder, fileName);
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) {
    const { files } = await folderNames(folder);
    const misnamed = files.map(misnamedFileReason).find((reason) => reason !== undefined);
    throw refusal(misnamed ?? "the version folder has no model.onnx: put the exported file there");
  }
  if (!info.isFile()) throw refusal("model.onnx is no regular file: put the exported file there");
  if (info.size > MAX_MODEL_BYTES) {
    throw refusal(
      `model.onnx has ${info.size} bytes; a protobuf holds less than 2 GiB: save it with its weights in a file beside it (save_as_external_data)`,
    );
  }
  const { buffer, byteOffset, byteLength } = await readFile(path);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The text of a file of the version folder, else of the model's folder. */
async function readBeside(
  fileName: string,
  versionFolder: string,
  modelFolder: string,
): Promise<string | undefined> {
  for (const folder of [versionFolder, modelFolder]) {
    const path = join(folder, fileName);
    const info = await stat(path).catch(() => undefined);
    if (info === undefined) continue;
    if (!info.isFile() || info.size > MAX_TEXT_BYTES) {
      throw refusal(
        `${fileName} is no regular file of at most ${MAX_TEXT_BYTES} bytes: replace it or take it away`,
      );
    }
    return readFile(path, "utf8");
  }
  return undefined;
}

/** Links are followed before the place is judged, so that no name leads outside. */
function findExternal(root: string, location: string): FoundFile {
  let path: string;
  try {
    path = realpathSync(join(root, location));
  } catch (cause) {
    throw refusal(
      `the weights lie in ${quoted(location)}, which is not in the version folder: copy it there, beside model.onnx`,
      cause,
    );
  }
  const info = statSync(path);
  if (!path.startsWith(root + sep) || !info.isFile()) {
    throw refusal(
      `the weights lie in ${quoted(location)}, which is no file of the version folder itself: copy the file there, beside model.onnx`,
    );
  }
  return { path, byteLength: info.size };
}

async function holdsModel(folder: string): Promise<boolean> {
  // One that cannot be read, such as lost+found, holds none that anyone meant to be served.
  const { files } = await folderNames(folder).catch(() => ({ files: [] }));
  return files.some((file) => misnamedFileReason(file) !== undefined);
}

/** Hidden entries are not looked at; links are followed, and those that lead to nothing are told apart. */
async function folderNames(folder: string): Promise<FolderNames & { lost: string[] }> {
  const folders: string[] = [];
  const files: string[] = [];
  const lost: string[] = [];
  for (const name of (await readdir(folder)).sort()) {
    if (name.startsWith(".") || name === "__MACOSX") continue;
    const info = await stat(join(folder, name)).catch((error: NodeJS.ErrnoException) => error.code);
    if (info === "EACCES") throw Object.assign(new Error(`${name} cannot be looked at`), { code: info });
    if (info === "ENOENT" && !name.includes(".")) lost.push(name);
    else if (typeof info === "object" && info.isDirectory()) folders.push(name);
    else if (typeof info === "object" && info.isFile()) files.push(name);
  }
  return { folders, files, lost };
}

function refused(modelName: string, modelVersion: string, reason: string, cause?: unknown): FoundModel {
  const base = { kind: "refused" as const, modelName, modelVersion, reason };
  return cause === undefined ? base : { ...base, cause };
}

function byNameAndVersion(a: FoundModel, b: FoundModel): number {
  const [first, second] = [identity(a), identity(b)];
  if (first.modelName !== second.modelName) return first.modelName < second.modelName ? -1 : 1;
  const [one, two] = [first.modelVersion, second.modelVersion].map((version) =>
    /^\d{1,19}$/.test(version) ? BigInt(version) : -1n,
  );
  return one! < two! ? -1 : one! > two! ? 1 : 0;
}

function identity(found: FoundModel): { modelName: string; modelVersion: string } {
  return found.kind === "prepared" ? found.model : found;
}
