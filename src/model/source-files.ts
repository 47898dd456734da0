import { join } from "node:path";
import type { PreparedModel } from "./prepared-model.ts";
import { identify, readSourceFile, type SourceFile } from "./source-file.ts";

/** Where a file of a model lies, or would lie. */
export interface SourcePlace {
  readonly name: string;
  readonly path: string;
}

/** The places that `sourcePlaces` lists; `named` are files that lie in the model's folder alone. */
export interface VersionFolders {
  /** Of the model file, whose weights lie beside it. */
  readonly folder: string;
  readonly fileName: string;
  readonly versionFolder: string;
  /** Undefined where nothing beside the file is read. */
  readonly modelFolder: string | undefined;
  readonly named: readonly string[];
}

/** The files that one version is made of besides its weights, be they there or not, the model file first. */
export function sourcePlaces(places: VersionFolders): SourcePlace[] {
  const { folder, fileName, versionFolder, modelFolder, named } = places;
  const file = { name: fileName, path: join(folder, fileName) };
  if (modelFolder === undefined) return [file];
  const isFlat = modelFolder === versionFolder;
  const above = [...["config.json", "golden.json"].filter(() => !isFlat), ...named].map((name) => ({
    name: isFlat ? name : `../${name}`,
    path: join(modelFolder, name),
  }));
  const beside = ["config.json", "golden.json"].map((name) => ({ name, path: join(versionFolder, name) }));
  return [file, ...beside, ...above];
}

/** Looks at all files of a model that was just read, in the order of `places`, then its weights. */
export async function readSourceFiles(
  model: PreparedModel,
  places: readonly SourcePlace[],
): Promise<SourceFile[]> {
  const weights = model.externalData.map(({ location, path }) => ({ name: location, path }));
  const [modelFile, ...beside] = places;
  const { name, path } = modelFile!;
  const files: SourceFile[] = [{ name, path, identity: await identify(path), sha256: model.sha256 }];
  for (const place of [...beside, ...weights]) files.push(await readSourceFile(place.name, place.path));
  return files;
}

/** The model with its files, whose digests its sessions are held to. */
export function withFiles(model: PreparedModel, files: readonly SourceFile[]): PreparedModel {
  const externalData = model.externalData.map((weight) => ({
    ...weight,
    sha256: files.find(({ path }) => path === weight.path)?.sha256,
  }));
  return { ...model, externalData, files };
}
