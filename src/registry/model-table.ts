import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { ModelState } from "../../gen/assay/v1/model_service_pb.ts";
import { AssayError } from "../errors.ts";
import { listed, shownName } from "../wording/field-paths.ts";
import { NameHints } from "../wording/name-hints.ts";
import { ANONYMOUS, type Caller, checkModel } from "./caller.ts";
import type { Generation, ServedModel } from "./served-model.ts";

/** A version that does not serve, and why. */
export interface UnservedModel {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly state: ModelState;
  readonly reason: string;
  /** It came while the server served: what served before goes on, so that it makes no server not ready. */
  readonly isUpdate?: boolean;
}

/** One version of one model. */
export type ModelVersion = ServedModel | UnservedModel;

/** What else than their numbers means the versions of a model. */
export interface VersionNames {
  /** Numbers by labels. */
  readonly labels: ReadonlyMap<string, string>;
  /** The number of the version that is meant where a request names none; empty: the highest that serves. */
  readonly defaultVersion: string;
}

/**
 * The models that serve and those that do not, by name and version: the one place that says which version a caller's words mean, and the one
 * that refuses them, to whoever may not use them too. An empty name means the default model, or the only one; an empty version the model's default version, else the
 * highest that serves, else the highest; a label the version that it was given to. Whoever puts a version in takes it out and
 * closes it.
 */
export interface ModelTable {
  /** Puts a version in, in the place of the one with its name and number. */
  put(model: ModelVersion): void;
  /** Takes a version out where it is the one that stands there. */
  remove(model: ModelVersion): void;
  /** The version that answers. Throws what `find` throws, MODEL_NOT_READY while it is being loaded, MODEL_INVALID where that failed. */
  resolve(modelName: string, modelVersion: string, caller: Caller): ServedModel;
  /** The version that is meant, whether it serves or not. Throws INVALID_REQUEST, MODEL_NOT_FOUND, MODEL_VERSION_NOT_FOUND, and what `checkModel` throws. */
  find(modelName: string, modelVersion: string, caller: Caller): ModelVersion;
  /** Every version, ordered by name and number. */
  entries(): readonly ModelVersion[];
  /** Says what else than their numbers means the versions of a model, from this call on. */
  name(modelName: string, names: VersionNames): void;
  /** What was said of a model so. */
  namesOf(modelName: string): VersionNames;
  /** Notes of a version that serves why what lies on disk by now does not in its place; undefined: nothing failed. */
  failUpdate(model: Generation, reason: string | undefined): void;
  /** Whether a request that names the model and no version means this one. */
  isDefault(model: ModelVersion): boolean;
  /** Tells of every change from now on, after it; one listener at most. */
  listen(listener: TableListener): void;
}

/** Hears of changes of a table. */
export interface TableListener {
  onPut(model: ModelVersion): void;
  onRemoved(model: ModelVersion): void;
  onNamed(modelName: string, names: VersionNames): void;
  /** What lies on disk by now does not serve in its place, and why; undefined: it does, or nothing else lies there. */
  onUpdateFailed(model: ServedModel, reason: string | undefined): void;
}

/** True for a version that takes requests. */
export function isServed(model: ModelVersion): model is ServedModel {
  return "batcher" in model;
}

const NO_NAMES: VersionNames = { labels: new Map(), defaultVersion: "" };
const NO_VERSIONS: ReadonlyMap<string, ModelVersion> = new Map();

/** Makes an empty table. `defaultModel` is meant where a request names none; undefined: the only model. */
export function createModelTable(defaultModel: string | undefined): ModelTable {
  return new Table(defaultModel);
}

class Table implements ModelTable {
  private readonly defaultModel: string | undefined;
  private readonly byName = new Map<string, Map<string, ModelVersion>>();
  /** The highest version that serves is asked for by nearly every call. */
  private readonly latest = new Map<string, ServedModel>();
  private readonly names = new Map<string, VersionNames>();
  private sorted: readonly ModelVersion[] | undefined;
  private hints = new NameHints([]);
  private listener: TableListener | undefined;

  constructor(defaultModel: string | undefined) {
    this.defaultModel = defaultModel;
  }

  put(model: ModelVersion): void {
    const versions = this.byName.get(model.modelName) ?? new Map<string, ModelVersion>();
    versions.set(model.modelVersion, model);
    this.byName.set(model.modelName, versions);
    this.changed(model.modelName);
    this.listener?.onPut(model);
  }

  remove(model: ModelVersion): void {
    const versions = this.byName.get(model.modelName);
    if (versions?.get(model.modelVersion) !== model) return;
    versions.delete(model.modelVersion);
    if (versions.size === 0) {
      this.byName.delete(model.modelName);
      this.names.delete(model.modelName);
    }
    this.changed(model.modelName);
    this.listener?.onRemoved(model);
  }

  resolve(modelName: string, modelVersion: string, caller: Caller): ServedModel {
    const model = this.find(modelName, modelVersion, caller);
    if (isServed(model)) return model;
    throw notServed(model);
  }

  find(modelName: string, modelVersion: string, caller: Caller): ModelVersion {
    if (caller !== ANONYMOUS && modelName !== "") checkModel(caller, modelName, this.byName.keys());
    const name = modelName === "" ? this.nameMeant(caller) : modelName;
    if (modelVersion === "") {
      const model = this.latest.get(name);
      if (model !== undefined) return model;
    }
    const versions = this.byName.get(name);
    if (versions === undefined) {
      const hints = caller === ANONYMOUS ? this.hints : new NameHints(this.namesFor(caller));
      const hint = hints.didYouMean(name) || `; it has ${this.modelNames(caller)}`;
      throw new AssayError(Reason.MODEL_NOT_FOUND, `the server has no model ${shownName(name)}${hint}`);
    }
    const { labels, defaultVersion } = this.namesOf(name);
    const asked = modelVersion === "" ? defaultVersion : modelVersion;
    const number = labels.get(asked) ?? asked;
    const model = number === "" ? ordered(versions).at(-1)! : versions.get(number);
    if (model !== undefined) return model;
    const label = modelVersion === "" ? "default_version" : `the label ${shownName(modelVersion)}`;
    const meant = number === modelVersion ? "" : `, which ${label} means`;
    const numbers = listed(ordered(versions).map((version) => version.modelVersion));
    const known = labels.size === 0 ? numbers : `${numbers}, and the labels ${listed([...labels.keys()])}`;
    const what = `model ${shownName(name)} has no version ${shownName(number)}${meant}; it has ${known}`;
    throw new AssayError(Reason.MODEL_VERSION_NOT_FOUND, what);
  }

  name(modelName: string, names: VersionNames): void {
    this.names.set(modelName, names);
    this.changed(modelName);
    this.listener?.onNamed(modelName, names);
  }

  namesOf(modelName: string): VersionNames {
    return this.names.get(modelName) ?? NO_NAMES;
  }

  failUpdate(model: Generation, reason: string | undefined): void {
    if (model.updateFailure === reason) return;
    model.updateFailure = reason;
    this.listener?.onUpdateFailed(model, reason);
  }

  isDefault(model: ModelVersion): boolean {
    const { modelName } = model;
    const served = this.latest.get(modelName);
    if (served !== undefined) return served === model;
    const versions = this.byName.get(modelName) ?? NO_VERSIONS;
    const { defaultVersion } = this.namesOf(modelName);
    return model === (defaultVersion === "" ? ordered(versions).at(-1) : versions.get(defaultVersion));
  }

  entries(): readonly ModelVersion[] {
    this.sorted ??= [...this.byName.keys()].sort().flatMap((name) => ordered(this.byName.get(name)!));
    return this.sorted;
  }

  listen(listener: TableListener): void {
    this.listener = listener;
  }

  private changed(modelName: string): void {
    this.sorted = undefined;
    this.hints = new NameHints(this.byName.keys());
    const { defaultVersion } = this.namesOf(modelName);
    const meant = ordered(this.byName.get(modelName) ?? NO_VERSIONS)
      .filter(isServed)
      .findLast((model) => defaultVersion === "" || model.modelVersion === defaultVersion);
    if (meant !== undefined) this.latest.set(modelName, meant);
    else this.latest.delete(modelName);
  }

  /** The model that is meant where none is named: of those that the caller may use. */
  private nameMeant(caller: Caller): string {
    const refusal = caller.refusal();
    if (refusal !== undefined) throw refusal;
    if (this.defaultModel !== undefined && caller.mayUse(this.defaultModel)) return this.defaultModel;
    const names = this.namesFor(caller);
    if (names.length === 1) return names[0]!;
    const field = {
      field: "model_name",
      description: `empty; the server has ${this.modelNames(caller)}`,
      rule: "signature.model_name",
    };
    throw new AssayError(Reason.INVALID_REQUEST, `model_name: ${field.description}`, { violations: [field] });
  }

  private namesFor(caller: Caller): string[] {
    const names = [...this.byName.keys()];
    return caller === ANONYMOUS ? names : names.filter((name) => caller.mayUse(name));
  }

  private modelNames(caller: Caller): string {
    const names = this.namesFor(caller).sort();
    if (names.length > 0) return listed(names);
    return caller === ANONYMOUS ? "no models" : "no models for this key or token";
  }
}

function notServed({ modelName, modelVersion, state, reason }: UnservedModel): AssayError {
  const what = `model ${JSON.stringify(modelName)} version ${modelVersion}`;
  if (state === ModelState.UNLOADED)
    return new AssayError(Reason.MODEL_NOT_READY, `${what} is not loaded: ${reason}`);
  if (state !== ModelState.LOADING)
    return new AssayError(Reason.MODEL_INVALID, `${what} is not served: ${reason}`);
  return new AssayError(Reason.MODEL_NOT_READY, `${what} is still being loaded`, { retryAfterMs: 1000 });
}

function ordered<T extends { readonly modelVersion: string }>(versions: ReadonlyMap<string, T>): T[] {
  return [...versions.values()].sort((a, b) => compareVersions(a.modelVersion, b.modelVersion));
}

/** Orders version folders as numbers: 9 before 10; names that are no number come first. */
export function compareVersions(a: string, b: string): number {
  const numberA = /^[0-9]+$/.test(a) ? BigInt(a) : -1n;
  const numberB = /^[0-9]+$/.test(b) ? BigInt(b) : -1n;
  if (numberA !== numberB) return numberA < numberB ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}
