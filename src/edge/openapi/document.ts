/**
 * The OpenAPI document of a server, or of one model: made of the schema and of the models that serve. A server of many models is
 * described in pieces, between which the event loop serves others.
 */
import type { JsonValue } from "@bufbuild/protobuf";
import type { AskedIdentity } from "../identity/asked-identity.ts";
import { ANY_MODEL, anyModelOperations } from "./any-model-operations.ts";
import { Components } from "./components.ts";
import { type DescribedModel, describedColumns } from "./described-model.ts";
import { modelOperations, modelTag } from "./model-operations.ts";
import { procedureOperations, serviceTags } from "./procedure-operations.ts";
import { ownResourceOperations, RESOURCE_TAGS, resourceOperations } from "./resource-operations.ts";
import type { Schema } from "./schema-parts.ts";

/** Of whom it is told. */
export interface DocumentFacts {
  readonly serverName: string;
  readonly version: string;
  /** Callers may load and unload models. */
  readonly canLoad: boolean;
  /** How callers say who they are. */
  readonly identity: AskedIdentity;
}

/** Columns of all models that one document names; the models beyond are told by their names, with a link to their own. */
const MOST_COLUMNS = 20_000;
const MOST_MODELS = 200;

/** Makes the server's document, in steps. `models` has the default version of each. */
export function* serverDocument(
  facts: DocumentFacts,
  models: readonly DescribedModel[],
): Generator<undefined, Schema> {
  const components = new Components(facts.identity);
  const [first] = models;
  const procedures = procedureOperations(first, facts.canLoad, components);
  yield;
  const anyModel = anyModelOperations(first, components);
  const resources = resourceOperations(first, facts.canLoad, components);
  yield;
  const own: Schema = {};
  const modelTags: Schema[] = [];
  let columns = 0;
  for (const [index, model] of models.entries()) {
    columns += describedColumns(model);
    if (index >= MOST_MODELS || columns > MOST_COLUMNS) break;
    Object.assign(own, yield* modelOperations(model, false, components));
    modelTags.push({
      name: modelTag(model),
      description: `Its own document: /v2/models/${encodeURIComponent(model.modelName)}/docs`,
    });
    yield;
  }
  const rest = models.slice(modelTags.length).map(({ modelName }) => modelName);
  return document(facts, {
    title: `${facts.serverName}: ${models.length === 1 ? "1 model" : `${models.length} models`}`,
    description: `${ABOUT}${told(rest)}`,
    tags: [
      ...modelTags,
      { name: ANY_MODEL, description: "Scoring at paths with a place for the model." },
      ...RESOURCE_TAGS,
      ...serviceTags(),
    ],
    paths: { ...own, ...anyModel, ...resources, ...procedures },
    components,
  });
}

/** Makes the document of one version of a model, in steps; `hasVersion`: its paths name the version too. */
export function* modelDocument(
  facts: DocumentFacts,
  model: DescribedModel,
  hasVersion: boolean,
): Generator<undefined, Schema> {
  const components = new Components(facts.identity);
  const { modelName, modelVersion } = model;
  const scoring = yield* modelOperations(model, hasVersion, components);
  const resources = hasVersion ? {} : ownResourceOperations(model, components);
  return document(facts, {
    title: hasVersion ? `${modelName}, version ${modelVersion}` : modelName,
    description: "One model of a scoring server; /openapi.json has all that the server takes.",
    tags: [
      { name: modelTag(model), description: "Its rows in the form of each protocol." },
      ...RESOURCE_TAGS.filter(({ name }) => !hasVersion && name === "Models"),
    ],
    paths: { ...scoring, ...resources },
    components,
  });
}

const ABOUT =
  "Rows in, scores out: the same models over every protocol on one port. gRPC, gRPC-Web and streams are not told here: " +
  "the server answers gRPC reflection, and the package has the .proto files. Any call may bring `x-request-id`, which comes back.";

const MOST_NAMED = 200;

function told(rest: readonly string[]): string {
  if (rest.length === 0) return "";
  const more = rest.length > MOST_NAMED ? ` and ${rest.length - MOST_NAMED} more` : "";
  const names = rest
    .slice(0, MOST_NAMED)
    .map((name) => `\`${name}\``)
    .join(", ");
  return `\n\nMore models serve than fit in one document; each has its own at \`/v2/models/{model}/docs\`: ${names}${more}.`;
}

interface DocumentParts {
  readonly title: string;
  readonly description: string;
  readonly tags: Schema[];
  readonly paths: Schema;
  readonly components: Components;
}

function document(
  { version }: DocumentFacts,
  { title, description, tags, paths, components }: DocumentParts,
): Schema {
  return {
    openapi: "3.1.1",
    info: {
      title,
      version,
      description,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/", description: "This server." }],
    security: components.security,
    tags,
    paths,
    components: components.written(),
  };
}

/** Members of these are written one by one. */
const DEEP = new Set(["components", "schemas", "paths"]);

/** Writes a document as JSON; yields between its pieces: at once, that of a hundred models holds the event loop. */
export function* writeDocument(document: Schema): Generator<string> {
  yield* writeObject(document);
  yield "\n";
}

function* writeObject(value: Schema): Generator<string> {
  let separator = "{";
  for (const [name, member] of Object.entries(value)) {
    yield `${separator}${JSON.stringify(name)}:`;
    separator = ",";
    if (DEEP.has(name) && isObject(member)) yield* writeObject(member);
    else yield JSON.stringify(member);
  }
  yield separator === "{" ? "{}" : "}";
}

function isObject(value: JsonValue): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
