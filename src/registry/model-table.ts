import { create } from "@bufbuild/protobuf";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { ModelState, type ModelSummary, ModelSummarySchema } from "../../gen/assay/v1/model_service_pb.ts";
import { AssayError } from "../errors.ts";
import { listed, shownName } from "../wording/field-paths.ts";
import { NameHints } from "../wording/name-hints.ts";
import type { ServedModel } from "./served-model.ts";

/** A version that does not serve, and why. */
export interface UnservedModel {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly state: ModelState;
  readonly reason: string;
}

/** What is served and what is not, by name and version. Whoever puts a model in takes it out and closes it. */
export interface ModelTable {
  put(model: ServedModel): void;
  putUnserved(model: UnservedModel): void;
  /** The version asked for, or the highest that is ready; an empty name means the default model or the only one. */
  resolve(modelName: string, modelVersion: string): ServedModel;
  /** Every version, ordered by name and number. */
  entries(): readonly (ServedModel | UnservedModel)[];
}

/** True for a version that takes requests. */
export function isServed(model: ServedModel | UnservedModel): model is ServedModel {
  return "batcher" in model;
}

/** One version in short. */
export function summarize(model: ServedModel | UnservedModel): ModelSummary {
  const { modelName, modelVersion } = model;
  const served = isServed(model);
  const state = served ? model.state() : model.state;
  const stateReason = served
    ? state === ModelState.READY
      ? ""
      : "every instance ended and is being restarted"
    : model.reason;
  const changedFiles = served ? [...model.changedFiles()] : [];
  return create(ModelSummarySchema, { modelName, modelVersion, state, stateReason, changedFiles });
}

/** Makes an empty table. `defaultModel` is meant where a request names none; undefined: the only model. */
export function createModelTable(defaultModel: string | undefined): ModelTable {
  const byName = new Map<string, Map<string, ServedModel | UnservedModel>>();
  let sorted: readonly (ServedModel | UnservedModel)[] | undefined;
  let hints = new NameHints([]);
  // The highest ready version is asked for by nearly every call.
  const latest = new Map<string, ServedModel>();

  function putEntry(model: ServedModel | UnservedModel): void {
    const versions = byName.get(model.modelName) ?? new Map<string, ServedModel | UnservedModel>();
    versions.set(model.modelVersion, model);
    byName.set(model.modelName, versions);
    sorted = undefined;
    hints = new NameHints(byName.keys());
    const served = ordered(versions).filter(isServed);
    if (served.length > 0) latest.set(model.modelName, served.at(-1)!);
    else latest.delete(model.modelName);
  }

  function nameFor(modelName: string): string {
    if (modelName !== "") return modelName;
    if (defaultModel !== undefined) return defaultModel;
    if (byName.size === 1) return byName.keys().next().value!;
    const field = {
      field: "model_name",
      description: `empty; the server has ${names()}`,
      rule: "signature.model_name",
    };
    throw new AssayError(Reason.INVALID_REQUEST, `model_name: ${field.description}`, { violations: [field] });
  }

  function names(): string {
    return byName.size === 0 ? "no models" : listed([...byName.keys()].sort());
  }

  return {
    put: putEntry,
    putUnserved: putEntry,
    resolve(modelName, modelVersion) {
      const name = nameFor(modelName);
      if (modelVersion === "") {
        const model = latest.get(name);
        if (model !== undefined) return model;
      }
      const versions = byName.get(name);
      if (versions === undefined) {
        const hint = hints.didYouMean(name) || `; it has ${names()}`;
        throw new AssayError(Reason.MODEL_NOT_FOUND, `the server has no model ${shownName(name)}${hint}`);
      }
      const model = modelVersion === "" ? ordered(versions).at(-1)! : versions.get(modelVersion);
      if (model === undefined) {
        const known = listed(ordered(versions).map((version) => version.modelVersion));
        const what = `model ${shownName(name)} has no version ${shownName(modelVersion)}; it has ${known}`;
        throw new AssayError(Reason.MODEL_VERSION_NOT_FOUND, what);
      }
      if (isServed(model)) return model;
      const why =
        model.state === ModelState.LOADING ? "is still being loaded" : `is not served: ${model.reason}`;
      throw new AssayError(
        model.state === ModelState.LOADING ? Reason.MODEL_NOT_READY : Reason.MODEL_INVALID,
        `model ${JSON.stringify(name)} version ${model.modelVersion} ${why}`,
        model.state === ModelState.LOADING ? { retryAfterMs: 1000 } : {},
      );
    },
    entries() {
      sorted ??= [...byName.keys()].sort().flatMap((name) => ordered(byName.get(name)!));
      return sorted;
    },
  };
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
