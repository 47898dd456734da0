/**
 * Finds the models of a repository: `<name>/<version>/model.onnx`, with config.json and golden.json beside it or, for all
 * versions, one folder up. Comes in: a folder. Goes out: one FoundModel a version, ordered by name and version number.
 * Promises: whatever cannot be served is reported with a reason and never keeps the others from being found; only regular
 * files are read, and never one outside the version folder; nothing is written.
 */
import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { noModelReason } from "./no-model.ts";
import { misnamedFileReason } from "./onnx/file-kind.ts";
import type { FoundModel } from "./prepared-model.ts";
import { quoted, refusal } from "./refusal.ts";
import { identify, isSameIdentity } from "./source-file.ts";
import { readSourceFiles, withFiles } from "./source-files.ts";
import { TRITON_CONFIG, type TritonConfig } from "./triton/triton-config.ts";
import { chooseVersions, leftNotice, MISSING_VERSION } from "./triton/version-policy.ts";
import {
  folderNames,
  readTritonBeside,
  readVersion,
  unreadReason,
  type VersionPlace,
  versionSources,
} from "./version-files.ts";

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
      ...(await scanModel(join(dir, modelName), modelName).catch((cause: unknown) => [
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
    const folder = dirname(full);
    const modelFolder = dirname(folder);
    return [await scanVersion({ modelName: name, modelVersion: "", folder, modelFolder, fileName: name })];
  }
  if (info?.isDirectory() !== true) return scanRepository(path);
  const { folders, files } = await folderNames(full);
  const parent = dirname(full);
  const isVersion = /^[1-9]\d*$/.test(basename(full));
  if (
    isVersion &&
    (files.includes("model.onnx") || (await stat(join(parent, TRITON_CONFIG)).catch(() => undefined)))
  ) {
    return [
      await scanVersion({
        modelName: basename(parent),
        modelVersion: basename(full),
        folder: full,
        modelFolder: parent,
      }),
    ];
  }
  const holdsVersions = folders.some((name) => /^\d+$/.test(name));
  return holdsVersions || files.includes("model.onnx") || files.includes(TRITON_CONFIG)
    ? scanModel(full, basename(full))
    : scanRepository(full);
}

/**
 * Reads what lies at a path as a model of the given name: a file, by itself; a folder with version folders; or a flat one, with the
 * model file in it, as version 1. Throws CONFIG_INVALID where nothing is there.
 */
export async function scanNamed(modelName: string, path: string): Promise<FoundModel[]> {
  const folder = resolve(path);
  const info = await stat(folder).catch((cause: NodeJS.ErrnoException) => {
    const why =
      cause.code === "ENOENT" ? "there is no such file or folder" : `it cannot be read (${cause.code})`;
    throw new AssayError(Reason.CONFIG_INVALID, `${modelName}=${path}: ${why}`, { cause });
  });
  const one = { modelName, modelVersion: "1" };
  if (!info.isDirectory()) {
    const [parent, fileName] = [dirname(folder), basename(folder)];
    return [await scanVersion({ ...one, folder: parent, modelFolder: undefined, fileName })];
  }
  try {
    const { folders, files } = await folderNames(folder);
    if (folders.some((name) => /^\d+$/.test(name))) return await scanModel(folder, modelName, true);
    const isThere = [...folders, ...files].some((name) => name === "model.onnx" || name === TRITON_CONFIG);
    if (!isThere) return [refused(modelName, "1", noFlatReason(`${modelName}=${path}`, files))];
    const found = await scanVersion({ ...one, folder, modelFolder: folder });
    return [withNotices(found, [unusedNotice(found)])];
  } catch (cause) {
    return [refused(modelName, "", unreadReason(cause), cause)];
  }
}

function noFlatReason(argument: string, files: readonly string[]): string {
  const other = files.filter((name) => name.endsWith(".onnx"));
  if (other.length > 0)
    return `the folder has no model.onnx, and ${other.join(", ")}: name the file, ${join(argument, other[0]!)}`;
  const misnamed = files.map(misnamedFileReason).find((reason) => reason !== undefined);
  return (
    misnamed ??
    "the folder has neither model.onnx nor version folders 1, 2, …: put the exported file there, or name a repository with --models"
  );
}

/** Reads the versions of one model folder. `isNamed` says that the name was not taken from the folder. */
async function scanModel(folder: string, modelName: string, isNamed = false): Promise<FoundModel[]> {
  const { folders, files } = await folderNames(folder);
  const triton = await readTritonBeside(folder).catch((cause: unknown) =>
    refused(modelName, "", unreadReason(cause), cause),
  );
  if (triton !== undefined && "kind" in triton) return [triton];
  if (triton !== undefined) return scanTritonModel(folder, modelName, triton, folders, isNamed);
  const found: FoundModel[] = [];
  for (const version of folders) {
    if (/^[1-9]\d{0,18}$/.test(version)) found.push(await scanVersion(placeOf(folder, modelName, version)));
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

/** Reads the versions that config.pbtxt serves; folders that are no numbers are its owner's affair, as with Triton. */
async function scanTritonModel(
  folder: string,
  modelName: string,
  triton: TritonConfig,
  folders: readonly string[],
  isNamed: boolean,
): Promise<FoundModel[]> {
  const { name } = triton.message;
  if (!isNamed && name !== "" && name !== modelName) {
    const what = `${quoted(name)} came, and the folder is called ${quoted(modelName)}: give both one name`;
    return [refused(modelName, "", `${TRITON_CONFIG}: line ${triton.lineOf(["name"])}: name: ${what}`)];
  }
  const numbers = folders.filter((version) => /^(0|[1-9]\d{0,18})$/.test(version));
  const chosen = chooseVersions(triton, numbers);
  const found: FoundModel[] = [];
  for (const version of chosen.served) found.push(await scanVersion(placeOf(folder, modelName, version)));
  // Once a model, not once a version.
  const last = found.pop();
  if (last !== undefined) found.push(withNotices(last, [unusedNotice(last), leftNotice(chosen, triton)]));
  for (const version of chosen.missing) found.push(refused(modelName, version, MISSING_VERSION));
  if (found.length === 0) found.push(refused(modelName, "", noVersionReason(modelName, [])));
  return found;
}

/** What of config.pbtxt has no effect; undefined where all of it has. */
function unusedNotice(found: FoundModel): string | undefined {
  const unused = found.kind === "prepared" ? (found.model.triton?.config.unused ?? []) : [];
  return unused.length === 0
    ? undefined
    : `${TRITON_CONFIG}: without effect here, answers are the same: ${unused.join(", ")}`;
}

function withNotices(found: FoundModel, notices: readonly (string | undefined)[]): FoundModel {
  if (found.kind === "refused") return found;
  const told = notices.filter((one) => one !== undefined);
  return { kind: "prepared", model: { ...found.model, notices: [...found.model.notices, ...told] } };
}

function placeOf(modelFolder: string, modelName: string, modelVersion: string): VersionPlace {
  return { modelName, modelVersion, folder: join(modelFolder, modelVersion), modelFolder };
}

function noVersionReason(modelName: string, files: readonly string[]): string {
  const model = files.find((file) => file.endsWith(".onnx"));
  if (model !== undefined) {
    return `${model} lies in the model's folder; expected a version folder: move it to ${modelName}/1/model.onnx`;
  }
  const misnamed = files.map(misnamedFileReason).find((reason) => reason !== undefined);
  return misnamed ?? `the folder has no version folder; expected ${modelName}/1/model.onnx`;
}

/** Reads one version, as one state although somebody may write to its files. */
async function scanVersion(place: VersionPlace): Promise<FoundModel> {
  try {
    for (let attempt = 1; ; attempt++) {
      const places = await versionSources(place);
      const before = await Promise.all(places.map(({ path }) => identify(path)));
      const found = await readVersion(place);
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
    return refused(place.modelName, place.modelVersion, unreadReason(cause), cause);
  }
}

async function holdsModel(folder: string): Promise<boolean> {
  // One that cannot be read, such as lost+found, holds none that anyone meant to be served.
  const { files } = await folderNames(folder).catch(() => ({ files: [] }));
  return files.some((file) => misnamedFileReason(file) !== undefined);
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
