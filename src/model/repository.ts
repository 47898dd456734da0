/**
 * Finds the models of a repository: `<name>/<version>/model.onnx`, with config.json and golden.json beside it or, for all
 * versions, one folder up. Comes in: a folder. Goes out: what lies there, to be read one by one, or one FoundModel a version, ordered
 * by name and version number. Promises: whatever cannot be served is reported with a reason and never keeps the others from being
 * found; only regular files are read, and never one outside the version folder; nothing is written.
 */
import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { noModelReason } from "./no-model.ts";
import { misnamedFileReason } from "./onnx/file-kind.ts";
import type { FoundModel } from "./prepared-model.ts";
import { TRITON_CONFIG } from "./triton/triton-config.ts";
import { folderNames, readModelConfig, readTritonBeside, unreadReason } from "./version-files.ts";
import {
  type ListedModel,
  listedPlace,
  listedRefusal,
  listModel,
  madeOf,
  readListed,
} from "./versions/model-listing.ts";
import { readVersion } from "./versions/still-version.ts";
import { readVersionChoice } from "./versions/version-choice.ts";

/** Hears of each folder that can be no model, and why. */
export type OnIgnored = (name: string, why: string) => void;

/** Reads every version of every model; throws what `listRepository` throws. */
export async function scanRepository(dir: string, onIgnored?: OnIgnored): Promise<FoundModel[]> {
  return readAll(await listRepository(dir, onIgnored));
}

/** Lists the models of a repository, in the order of their names. Throws CONFIG_INVALID where the repository itself cannot be read. */
export async function listRepository(dir: string, onIgnored: OnIgnored = () => {}): Promise<ListedModel[]> {
  const names = await repositoryNames(dir);
  const found: ListedModel[] = [];
  for (const name of names.files) {
    const reason = misnamedFileReason(name);
    if (reason === undefined) continue;
    const stem = name.slice(0, name.lastIndexOf("."));
    const moved = name.endsWith(".onnx")
      ? `${name} lies in the repository itself; expected ${stem}/1/model.onnx: move it there`
      : reason;
    found.push(listedRefusal(stem, "", moved));
  }
  for (const name of names.lost) {
    found.push(listedRefusal(name, "", "the link leads to nothing: mend it, or take it away"));
  }
  for (const modelName of names.folders) {
    const listed = await listFolder(dir, modelName, onIgnored);
    if (listed !== undefined) found.push(listed);
  }
  return found.sort((a, b) => (a.modelName < b.modelName ? -1 : a.modelName > b.modelName ? 1 : 0));
}

/** What lies in a repository itself. Throws CONFIG_INVALID where it cannot be read. */
export async function repositoryNames(dir: string): ReturnType<typeof folderNames> {
  try {
    return await folderNames(dir);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const what =
      code === "ENOENT" ? "does not exist" : code === "ENOTDIR" ? "is no folder" : `cannot be read (${code})`;
    throw new AssayError(
      Reason.CONFIG_INVALID,
      `the model repository ${JSON.stringify(dir)} ${what}: expected a folder with <name>/<version>/model.onnx`,
      { cause },
    );
  }
}

/** Lists the model in a folder of the repository; undefined where the folder can be no model. */
export async function listFolder(
  dir: string,
  modelName: string,
  onIgnored: OnIgnored = () => {},
): Promise<ListedModel | undefined> {
  const folder = join(dir, modelName);
  const why = await noModelReason(modelName, () => folderNames(folder));
  if (why !== undefined) {
    onIgnored(modelName, why);
    return undefined;
  }
  try {
    return await listModel(folder, modelName);
  } catch (cause) {
    return { ...listedRefusal(modelName, "", unreadReason(cause), cause), path: folder };
  }
}

async function readAll(listed: readonly ListedModel[]): Promise<FoundModel[]> {
  const found: FoundModel[] = [];
  for (const { versions } of listed) for (const version of versions) found.push(await readListed(version));
  return found;
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
    return [await readVersion({ modelName: name, modelVersion: "", folder, modelFolder, fileName: name })];
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
      await readVersion({
        modelName: basename(parent),
        modelVersion: basename(full),
        folder: full,
        modelFolder: parent,
      }),
    ];
  }
  const holdsVersions = folders.some((name) => /^\d+$/.test(name));
  return holdsVersions || files.includes("model.onnx") || files.includes(TRITON_CONFIG)
    ? readAll([await listModel(full, basename(full))])
    : scanRepository(full);
}

/**
 * Lists what lies at a path as a model of the given name: a file, by itself; a folder with version folders; or a flat one, with the
 * model file in it, as version 1. Throws CONFIG_INVALID where nothing is there.
 */
export async function listNamed(modelName: string, path: string): Promise<ListedModel> {
  const folder = resolve(path);
  const info = await stat(folder).catch((cause: NodeJS.ErrnoException) => {
    const why =
      cause.code === "ENOENT" ? "there is no such file or folder" : `it cannot be read (${cause.code})`;
    throw new AssayError(Reason.CONFIG_INVALID, `${modelName}=${path}: ${why}`, { cause });
  });
  const one = { modelName, modelVersion: "1" };
  if (!info.isDirectory()) {
    const [parent, fileName] = [dirname(folder), basename(folder)];
    return madeOf(modelName, folder, [
      listedPlace({ ...one, folder: parent, modelFolder: undefined, fileName }),
    ]);
  }
  try {
    const { folders, files } = await folderNames(folder);
    if (folders.some((name) => /^\d+$/.test(name))) return await listModel(folder, modelName, true);
    const isThere = [...folders, ...files].some((name) => name === "model.onnx" || name === TRITON_CONFIG);
    if (!isThere)
      return { ...listedRefusal(modelName, "1", noFlatReason(`${modelName}=${path}`, files)), path: folder };
    const listed = madeOf(modelName, folder, [
      listedPlace({ ...one, folder, modelFolder: folder }, [], true),
    ]);
    const triton = await readTritonBeside(folder).catch(() => undefined);
    return { ...listed, choice: readVersionChoice(await readModelConfig(folder), triton) };
  } catch (cause) {
    return { ...listedRefusal(modelName, "", unreadReason(cause), cause), path: folder };
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
