/**
 * Lists the versions of a model as they lie there, without reading any of them: reading takes the model's memory, and happens one
 * by one where they are loaded.
 */
import { join } from "node:path";
import { misnamedFileReason } from "../onnx/file-kind.ts";
import type { FoundModel } from "../prepared-model.ts";
import { quoted } from "../refusal.ts";
import { TRITON_CONFIG, type TritonConfig } from "../triton/triton-config.ts";
import {
  folderNames,
  readModelConfig,
  readTritonBeside,
  unreadReason,
  type VersionPlace,
} from "../version-files.ts";
import { readVersion } from "./still-version.ts";
import { EVERY_VERSION, readVersionChoice, type VersionChoice } from "./version-choice.ts";
import { chooseVersions, leftNotice } from "./version-policy.ts";

/** A version that may be served: where it lies, or why it is not served whatever lies there. */
export interface ListedVersion {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly source: VersionPlace | { readonly refusal: string; readonly cause?: unknown };
  /** What an operator should know of the model's versions. */
  readonly notices: readonly string[];
  /** What of config.pbtxt has no effect is told with this version: once a model. */
  readonly tellsUnused: boolean;
}

/** A model as it lies there. */
export interface ListedModel {
  readonly modelName: string;
  /** Where it lies; undefined for what lies in no folder of its own. */
  readonly path: string | undefined;
  readonly choice: VersionChoice;
  /** Why it could not be told which versions are to serve; undefined where it could. */
  readonly problem: string | undefined;
  /** The version folders that lie there, served or not. */
  readonly numbers: readonly string[];
  /** Those to serve, in the order of their numbers. */
  readonly versions: readonly ListedVersion[];
  /** Those to serve where one of `versions` cannot be, the highest number first. */
  readonly reserve: readonly ListedVersion[];
}

/** Reads one listed version; never throws for what is wrong with its files. */
export async function readListed({
  modelName,
  modelVersion,
  source,
  notices,
  tellsUnused,
}: ListedVersion): Promise<FoundModel> {
  if ("refusal" in source) {
    const { refusal: reason, cause } = source;
    return { kind: "refused", modelName, modelVersion, reason, ...(cause === undefined ? {} : { cause }) };
  }
  const found = await readVersion(source);
  if (found.kind === "refused") return found;
  const told = tellsUnused ? [unusedNotice(found.model.triton?.config.unused ?? []), ...notices] : notices;
  const { model } = found;
  return {
    kind: "prepared",
    model: { ...model, notices: [...model.notices, ...told.filter((one) => one !== undefined)] },
  };
}

/** Lists one version that lies at a place. */
export function listedPlace(
  source: VersionPlace,
  notices: readonly string[] = [],
  tellsUnused = false,
): ListedVersion {
  const { modelName, modelVersion } = source;
  return { modelName, modelVersion, source, notices, tellsUnused };
}

/** Lists a model that is not served, with the reason. */
export function listedRefusal(
  modelName: string,
  modelVersion: string,
  refusal: string,
  cause?: unknown,
): ListedModel {
  const versions = [refusedVersion(modelName, modelVersion, refusal, cause)];
  return { ...madeOf(modelName, undefined, versions), problem: refusal };
}

/** A model of these versions, without a choice among them. */
export function madeOf(
  modelName: string,
  path: string | undefined,
  versions: readonly ListedVersion[],
): ListedModel {
  return { modelName, path, choice: EVERY_VERSION, problem: undefined, numbers: [], versions, reserve: [] };
}

/** Lists the versions in a model's folder. `isNamed` says that the name was not taken from the folder. Throws where the folder cannot be listed. */
export async function listModel(folder: string, modelName: string, isNamed = false): Promise<ListedModel> {
  const { folders, files } = await folderNames(folder);
  let triton: TritonConfig | undefined;
  try {
    triton = await readTritonBeside(folder);
  } catch (cause) {
    return { ...listedRefusal(modelName, "", unreadReason(cause), cause), path: folder };
  }
  const misnamed = misnamedInTriton(triton, modelName);
  if (misnamed !== undefined && !isNamed) return { ...listedRefusal(modelName, "", misnamed), path: folder };
  const { choice, problem } = await choiceOf(folder, triton);
  const isNumber = triton === undefined ? /^[1-9]\d{0,18}$/ : /^(0|[1-9]\d{0,18})$/;
  const numbers = folders.filter((name) => isNumber.test(name));
  const chosen = chooseVersions(choice, numbers);
  const left = leftNotice(chosen, choice);
  const place = (modelVersion: string, isLast: boolean) =>
    listedPlace(
      { modelName, modelVersion, folder: join(folder, modelVersion), modelFolder: folder },
      // Once a model, not once a version.
      isLast && left !== undefined ? [left] : [],
      isLast,
    );
  const versions = chosen.served.map((version, index) => place(version, index === chosen.served.length - 1));
  for (const { version, reason } of chosen.missing) versions.push(refusedVersion(modelName, version, reason));
  // Folders that are no numbers are their owner's affair with Triton.
  if (triton === undefined) versions.push(...(await misnumbered(folder, modelName, folders, numbers)));
  if (versions.length === 0)
    versions.push(
      refusedVersion(modelName, "", noVersionReason(modelName, triton === undefined ? files : [])),
    );
  const reserve = chosen.reserve.map((version) => place(version, false));
  return { modelName, path: folder, choice, problem, numbers, versions: versions.sort(byVersion), reserve };
}

/** What the owner of a model in this folder says of its versions. Throws CONFIG_INVALID and MODEL_INVALID. */
export async function versionChoice(folder: string): Promise<VersionChoice> {
  return readVersionChoice(await readModelConfig(folder), await readTritonBeside(folder));
}

async function choiceOf(
  folder: string,
  triton: TritonConfig | undefined,
): Promise<{ readonly choice: VersionChoice; readonly problem: string | undefined }> {
  try {
    return { choice: readVersionChoice(await readModelConfig(folder), triton), problem: undefined };
  } catch (cause) {
    return { choice: readVersionChoice(undefined, triton), problem: unreadReason(cause) };
  }
}

function misnamedInTriton(triton: TritonConfig | undefined, modelName: string): string | undefined {
  const name = triton?.message.name ?? "";
  if (triton === undefined || name === "" || name === modelName) return undefined;
  const what = `${quoted(name)} came, and the folder is called ${quoted(modelName)}: give both one name`;
  return `${TRITON_CONFIG}: line ${triton.lineOf(["name"])}: name: ${what}`;
}

async function misnumbered(
  folder: string,
  modelName: string,
  folders: readonly string[],
  numbers: readonly string[],
): Promise<ListedVersion[]> {
  const found: ListedVersion[] = [];
  for (const version of folders) {
    if (numbers.includes(version)) continue;
    if (!/^[-+v]?\d/i.test(version) && !(await holdsModel(join(folder, version)))) continue;
    const reason = `the version folder ${quoted(version)} is no positive number; expected 1, 2, …: rename it`;
    found.push(refusedVersion(modelName, version, reason));
  }
  return found;
}

async function holdsModel(folder: string): Promise<boolean> {
  // One that cannot be read, such as lost+found, holds none that anyone meant to be served.
  const { files } = await folderNames(folder).catch(() => ({ files: [] }));
  return files.some((file) => misnamedFileReason(file) !== undefined);
}

function noVersionReason(modelName: string, files: readonly string[]): string {
  const model = files.find((file) => file.endsWith(".onnx"));
  if (model !== undefined) {
    return `${model} lies in the model's folder; expected a version folder: move it to ${modelName}/1/model.onnx`;
  }
  const misnamed = files.map(misnamedFileReason).find((reason) => reason !== undefined);
  return misnamed ?? `the folder has no version folder; expected ${modelName}/1/model.onnx`;
}

function refusedVersion(
  modelName: string,
  modelVersion: string,
  refusal: string,
  cause?: unknown,
): ListedVersion {
  const source = cause === undefined ? { refusal } : { refusal, cause };
  return { modelName, modelVersion, source, notices: [], tellsUnused: false };
}

/** What of config.pbtxt has no effect; undefined where all of it has. */
function unusedNotice(unused: readonly string[]): string | undefined {
  return unused.length === 0
    ? undefined
    : `${TRITON_CONFIG}: without effect here, answers are the same: ${unused.join(", ")}`;
}

function byVersion(a: ListedVersion, b: ListedVersion): number {
  const [one, two] = [a, b].map(({ modelVersion }) =>
    /^\d{1,19}$/.test(modelVersion) ? BigInt(modelVersion) : -1n,
  );
  return one! < two! ? -1 : one! > two! ? 1 : 0;
}
