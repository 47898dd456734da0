import { join } from "node:path";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { listFolder, listNamed, listRepository, type OnIgnored, repositoryNames } from "../repository.ts";
import { marksOf } from "./folder-marks.ts";
import type { ListedModel } from "./model-listing.ts";

/** A model that is served under a name of its owner's choice. */
export interface NamedModel {
  readonly name: string;
  /** A file, or a folder with the file or with version folders. */
  readonly path: string;
}

/** Where the models of a server come from: a repository, and what was named one by one. */
export interface ModelSources {
  /** Every model. Throws CONFIG_INVALID with all that is not there. */
  list(onIgnored: OnIgnored): Promise<ListedModel[]>;
  /**
   * One model as it lies there now; undefined where none of that name does. Only names that the repository has lead to a folder.
   * Throws CONFIG_INVALID where the repository cannot be read, or a path that was named is not there.
   */
  listOne(modelName: string): Promise<ListedModel | undefined>;
  /** By the names of models and of what else may become one: marks that change with any file. Throws as `listOne`. */
  marks(): Promise<ReadonlyMap<string, string>>;
  /** Was named one by one. */
  isNamed(modelName: string): boolean;
}

/** Makes the sources; `repository` is undefined where only what was named is served. */
export function createModelSources(
  repository: string | undefined,
  named: readonly NamedModel[],
): ModelSources {
  return {
    async list(onIgnored) {
      const settled = await Promise.allSettled(named.map(({ name, path }) => listNamed(name, path)));
      const problems = settled.flatMap((one) => (one.status === "rejected" ? [one.reason as Error] : []));
      const bug = problems.find((error) => !(error instanceof AssayError));
      if (bug !== undefined) throw bug;
      if (problems.length > 0)
        throw new AssayError(Reason.CONFIG_INVALID, problems.map(({ message }) => message).join("\n"));
      const one = settled.flatMap((listed) => (listed.status === "fulfilled" ? [listed.value] : []));
      if (repository === undefined) return one;
      const found = await listRepository(repository, onIgnored);
      const names = new Set(found.map(({ modelName }) => modelName));
      const twice = named.filter(({ name }) => names.has(name));
      if (twice.length > 0) {
        const where = `the repository ${JSON.stringify(repository)} has a model of that name: choose another`;
        const lines = twice.map(({ name, path }) => `${name}=${path} came, and ${where}`);
        throw new AssayError(Reason.CONFIG_INVALID, lines.join("\n"));
      }
      return [...one, ...found];
    },
    async listOne(modelName) {
      const own = named.find(({ name }) => name === modelName);
      if (own !== undefined) return listNamed(modelName, own.path);
      if (repository === undefined) return undefined;
      const { folders } = await repositoryNames(repository);
      return folders.includes(modelName) ? listFolder(repository, modelName) : undefined;
    },
    async marks() {
      const marks = new Map<string, string>();
      for (const { name, path } of named) marks.set(name, await marksOf(path));
      if (repository === undefined) return marks;
      const { folders } = await repositoryNames(repository);
      for (const name of folders)
        if (!marks.has(name)) marks.set(name, await marksOf(join(repository, name)));
      return marks;
    },
    isNamed: (modelName) => named.some(({ name }) => name === modelName),
  };
}
