/**
 * Reads the files of one version of a model. Promises: only regular files are read, links followed, and never one outside the
 * folder that it belongs to; what is wrong is told with what to do.
 */
import { realpathSync, statSync } from "node:fs";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { AssayError } from "../errors.ts";
import type { FolderNames } from "./no-model.ts";
import type { FoundFile } from "./onnx/external-data.ts";
import { misnamedFileReason } from "./onnx/file-kind.ts";
import { readTestDataSets } from "./onnx/test-data-sets.ts";
import { prepareModel } from "./prepare-model.ts";
import type { FoundModel } from "./prepared-model.ts";
import { quoted, refusal } from "./refusal.ts";
import { type SourcePlace, sourcePlaces } from "./source-files.ts";
import { readTritonFiles, tritonFileNames } from "./triton/side-files.ts";
import { modelFileName, readTritonConfig, TRITON_CONFIG, type TritonConfig } from "./triton/triton-config.ts";

/** A protobuf message holds less than 2 GiB. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;
const MAX_TEXT_BYTES = 64 * 2 ** 20;
/** Those that people write have some kilobytes. */
const MAX_TRITON_BYTES = 2 ** 20;
const CONFIG = "config.json";

/** Where one version of a model lies. */
export interface VersionPlace {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly folder: string;
  /** Where settings for every version lie; undefined for a file that is served by itself, without what lies beside it. */
  readonly modelFolder: string | undefined;
  /** Default: what config.pbtxt says, else model.onnx. */
  readonly fileName?: string;
}

/** Reads what lies at a place; throws for what cannot be read. */
export async function readVersion(place: VersionPlace): Promise<FoundModel> {
  const { modelName, modelVersion, folder, modelFolder } = place;
  const config = modelFolder === undefined ? undefined : await readTritonBeside(modelFolder);
  const file = await modelFile(place, config);
  const bytes = await readModelFile(file.folder, file.fileName);
  const root = await realpath(file.folder);
  const ownConfig = modelFolder === undefined ? undefined : await readBeside(CONFIG, [folder]);
  return prepareModel({
    modelName,
    modelVersion,
    bytes,
    configText: ownConfig ?? (modelFolder === undefined ? undefined : await readModelConfig(modelFolder)),
    isVersionConfig: ownConfig !== undefined && folder !== modelFolder,
    goldenText:
      modelFolder === undefined ? undefined : await readBeside("golden.json", [folder, modelFolder]),
    testDataCases: modelFolder === undefined ? [] : await readTestDataSets(folder, bytes),
    ...(config === undefined ? {} : { triton: await readTritonFiles(config, modelFolder!) }),
    findExternal: (location) => findExternal(root, location),
  });
}

/** The files that a version is made of besides its weights, be they there or not, the model file first. */
export async function versionSources(place: VersionPlace): Promise<SourcePlace[]> {
  const { folder, modelFolder } = place;
  const config = modelFolder === undefined ? undefined : await readTritonBeside(modelFolder);
  const file = await modelFile(place, config);
  const named = config === undefined ? [] : tritonFileNames(config);
  return sourcePlaces({ ...file, versionFolder: folder, modelFolder, named: [TRITON_CONFIG, ...named] });
}

/** The file that holds the model: Triton takes a folder of that name too, with model.onnx and its weights inside. */
async function modelFile(
  { folder, fileName }: VersionPlace,
  config: TritonConfig | undefined,
): Promise<{ readonly folder: string; readonly fileName: string }> {
  const name = fileName ?? (config === undefined ? "model.onnx" : modelFileName(config));
  const path = join(folder, name);
  const inside = await stat(join(path, "model.onnx")).catch(() => undefined);
  return inside?.isFile() === true
    ? { folder: path, fileName: "model.onnx" }
    : { folder: dirname(path), fileName: basename(path) };
}

/** The config.pbtxt of a model's folder; undefined where it has none. Throws CONFIG_INVALID and MODEL_INVALID. */
export async function readTritonBeside(modelFolder: string): Promise<TritonConfig | undefined> {
  const text = await readBeside(TRITON_CONFIG, [modelFolder], MAX_TRITON_BYTES);
  return text === undefined ? undefined : readTritonConfig(text);
}

/** The text of the config.json of a model's folder; undefined where it has none. Throws MODEL_INVALID. */
export async function readModelConfig(modelFolder: string): Promise<string | undefined> {
  return readBeside(CONFIG, [modelFolder]);
}

/** Whatever is wrong with one version must not keep the others from being found. */
export function unreadReason(cause: unknown): string {
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
    const { files } = await folderNames(folder).catch(() => ({ files: [] }));
    const misnamed = files.map(misnamedFileReason).find((reason) => reason !== undefined);
    throw refusal(
      fileName === "model.onnx" && misnamed !== undefined
        ? misnamed
        : `the version folder has no ${fileName}: put the exported file there`,
    );
  }
  if (!info.isFile()) throw refusal(`${fileName} is no regular file: put the exported file there`);
  if (info.size > MAX_MODEL_BYTES) {
    throw refusal(
      `${fileName} has ${info.size} bytes; a protobuf holds less than 2 GiB: save it with its weights in a file beside it (save_as_external_data)`,
    );
  }
  const { buffer, byteOffset, byteLength } = await readFile(path);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The text of a file in the first of these folders that has it. */
async function readBeside(
  fileName: string,
  folders: readonly string[],
  most = MAX_TEXT_BYTES,
): Promise<string | undefined> {
  for (const folder of folders) {
    const path = join(folder, fileName);
    const info = await stat(path).catch(() => undefined);
    if (info === undefined) continue;
    if (!info.isFile() || info.size > most) {
      throw refusal(`${fileName} is no regular file of at most ${most} bytes: replace it or take it away`);
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

/** Hidden entries are not looked at; links are followed, and those that lead to nothing are told apart. */
export async function folderNames(folder: string): Promise<FolderNames & { lost: string[] }> {
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
