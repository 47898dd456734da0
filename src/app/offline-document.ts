/** The OpenAPI document of models as they lie on disk, without a server: what one that serves them would answer. */
import { create } from "@bufbuild/protobuf";
import { ModelConfigSchema } from "../../gen/assay/config/v1/model_config_pb.ts";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { ModelState } from "../../gen/assay/v1/model_service_pb.ts";
import { askedIdentity, type IdentitySettings } from "../edge/identity/asked-identity.ts";
import type { DescribedModel } from "../edge/openapi/described-model.ts";
import {
  type DocumentFacts,
  modelDocument,
  serverDocument,
  writeDocument,
} from "../edge/openapi/document.ts";
import { AssayError } from "../errors.ts";
import { exampleRequest } from "../model/example-request.ts";
import type { FoundModel, PreparedModel } from "../model/prepared-model.ts";
import { mapRowColumns } from "../model/row-columns.ts";
import { type ListedModel, readListed } from "../model/versions/model-listing.ts";
import { createModelSources, type NamedModel } from "../model/versions/model-sources.ts";
import { describeModel } from "../registry/model-description.ts";
import { tryGate } from "../registry/pass-gate.ts";
import type { Log } from "../telemetry/log.ts";
import { listed } from "../wording/field-paths.ts";
import { didYouMean } from "../wording/nearest-name.ts";

/** What is described. */
export interface OfflineDocument {
  /** Undefined where only what is named is described. */
  readonly repository: string | undefined;
  readonly named: readonly NamedModel[];
  /** One of them, in a document of its own; undefined: all. */
  readonly modelName: string | undefined;
  readonly facts: Omit<DocumentFacts, "identity">;
  /** What a server would ask of its callers; the files that they name are not read. */
  readonly settings: IdentitySettings;
  readonly log: Log;
  /** Hears why a version is not described. */
  readonly onRefused: (modelName: string, modelVersion: string, reason: string) => void;
}

/**
 * Writes the document. Each model is run once, as before it is served: only a run shows some of what it takes. Throws CONFIG_INVALID
 * where there is no repository, MODEL_NOT_FOUND where it has no model of that name, MODEL_INVALID where that cannot be served.
 */
export async function offlineDocument(options: OfflineDocument): Promise<string> {
  const { repository, named, modelName } = options;
  const facts = { ...options.facts, identity: askedIdentity(options.settings) };
  const found = await createModelSources(repository, named).list(() => {});
  found.sort((a, b) => (a.modelName < b.modelName ? -1 : 1));
  if (modelName !== undefined) {
    const listing = found.find((one) => one.modelName === modelName);
    if (listing === undefined) throw noModel(modelName, found);
    const model = await defaultVersion(listing, options);
    if (model === undefined) throw new AssayError(Reason.MODEL_INVALID, `${modelName} cannot be served`);
    return text(modelDocument(facts, described(model), false));
  }
  const models: DescribedModel[] = [];
  for (const listing of found) {
    const model = await defaultVersion(listing, options);
    if (model !== undefined) models.push(described(model));
  }
  return text(serverDocument(facts, models));
}

function text(steps: ReturnType<typeof serverDocument>): string {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return [...writeDocument(step.value)].join("");
}

function noModel(modelName: string, found: readonly ListedModel[]): AssayError {
  const names = found.map((one) => one.modelName);
  const hint = didYouMean(modelName, names) || `; there is ${listed(names)}`;
  return new AssayError(Reason.MODEL_NOT_FOUND, `there is no model ${JSON.stringify(modelName)}${hint}`);
}

/** The version that answers requests which name none: the one that its owner says, else the highest that can be served. */
async function defaultVersion(
  { modelName, versions, reserve, choice, problem }: ListedModel,
  { log, onRefused }: OfflineDocument,
): Promise<PreparedModel | undefined> {
  if (problem !== undefined) {
    onRefused(modelName, "", problem);
    return undefined;
  }
  const { labels, defaultVersion: asked } = choice;
  const number = labels.get(asked) ?? asked;
  const ordered = [...versions].reverse().sort((a, b) => Number(isAsked(b)) - Number(isAsked(a)));
  function isAsked({ modelVersion }: { readonly modelVersion: string }): boolean {
    return modelVersion === number;
  }
  for (const version of [...ordered, ...reserve]) {
    const read = await readListed(version);
    const found: FoundModel = read.kind === "prepared" ? await tryGate(read.model, log) : read;
    if (found.kind === "prepared") return found.model;
    onRefused(modelName, found.modelVersion, found.reason);
  }
  return undefined;
}

function described(model: PreparedModel): DescribedModel {
  const { modelName, modelVersion, signature } = model;
  const circumstances = {
    state: ModelState.READY,
    stateReason: "",
    devices: [],
    config: create(ModelConfigSchema),
    exampleRequest: exampleRequest(model),
    changedFiles: [],
  };
  return {
    modelName,
    modelVersion,
    signature,
    rowColumns: mapRowColumns(signature),
    model: describeModel(model, circumstances),
  };
}
