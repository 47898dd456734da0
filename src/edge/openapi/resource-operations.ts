/** What is asked of a server beside scores: health, metadata of models, metrics, the repository, and this document. */
import { ModelStatisticsResponseSchema } from "../../../gen/inference/grpc_service_pb.ts";
import { ModelConfigSchema } from "../../../gen/inference/model_config_pb.ts";
import { pathParameters } from "./any-model-operations.ts";
import type { Components } from "./components.ts";
import type { DescribedModel } from "./described-model.ts";
import { CONTROL, HEALTH, MODELS, OF_MODEL, type Resource, SERVER, V1_OF_MODEL } from "./resource-table.ts";
import { jsonContent, type Schema } from "./schema-parts.ts";

/** The groups of these operations. */
export const RESOURCE_TAGS: readonly Schema[] = [
  { name: "Health", description: "Whether the server lives and takes requests." },
  { name: "Models", description: "What each model takes and gives, and what it did." },
  { name: "Server", description: "The server itself: its name, its metrics, this document." },
];

const METRICS = "/metrics";
const V2_PLACES = ["/v2/models/{model}", "/v2/models/{model}/versions/{version}"];
const V1_PLACES = [
  "/v1/models/{model}",
  "/v1/models/{model}/versions/{version}",
  "/v1/models/{model}/labels/{version}",
];
const SUFFIXES = ["", "OfVersion", "OfLabel"];

/** The paths; `model` is the one of the examples. */
export function resourceOperations(
  model: DescribedModel | undefined,
  canLoad: boolean,
  components: Components,
): Schema {
  const paths: Schema = {};
  const add = (resource: Resource) => {
    const { path, method = "get" } = resource;
    paths[path] = { [method]: operationOf(resource, model, components) };
  };
  for (const resource of [...HEALTH, ...SERVER, ...MODELS, ...(canLoad ? CONTROL : [])]) add(resource);
  const addAt = (resource: Resource, places: readonly string[]) => {
    for (const [index, place] of places.entries())
      add({ ...resource, path: `${place}${resource.path}`, id: `${resource.id}${SUFFIXES[index]}` });
  };
  for (const resource of OF_MODEL) addAt(resource, V2_PLACES);
  for (const resource of V1_OF_MODEL) addAt(resource, V1_PLACES);
  return paths;
}

/** The same of one model alone, at paths that name it. */
export function ownResourceOperations(model: DescribedModel, components: Components): Schema {
  const place = `/v2/models/${encodeURIComponent(model.modelName)}`;
  const own = OF_MODEL.map((resource): [string, Schema] => {
    const at = { ...resource, path: `${place}${resource.path}` };
    return [at.path, { get: operationOf(at, model, components) }];
  });
  return Object.fromEntries(own);
}

function operationOf(resource: Resource, model: DescribedModel | undefined, components: Components): Schema {
  const { path, id, tag, summary, body, errors, mayBeUnready } = resource;
  const json = resource.answer ?? MESSAGE_ANSWERS[id.replace(/OfVersion$/, "")]?.(components);
  const content = { ...(json === undefined ? {} : jsonContent(json)), ...resource.content };
  return components.operation({
    id,
    tag,
    summary,
    parameters: pathParameters(path, model),
    ...(body === undefined ? {} : { body: jsonContent(body) }),
    answers: {
      "200": { description: "The answer.", content },
      ...(mayBeUnready === true ? { "503": unready(content, errors, components) } : {}),
    },
    errors,
    isOpen: tag === "Health" || (path === METRICS && components.hasOpenMetrics),
  });
}

/** Not ready; or, where the server sheds calls, an error. */
function unready(content: Schema, errors: Resource["errors"], components: Components): Schema {
  const error = components.errorSchema(errors[0]);
  const { "application/json": own, ...others } = content as { "application/json"?: { schema: Schema } };
  const schema = own === undefined ? error : { anyOf: [own.schema, error] };
  return { description: "Not ready.", content: { ...others, "application/json": { schema } } };
}

/** Answers that are messages of the schema. */
const MESSAGE_ANSWERS: Readonly<Record<string, (components: Components) => Schema>> = {
  restAllStats: statistics,
  restStats: statistics,
  restConfig: ({ plain }) => plain.message(ModelConfigSchema, false),
};

function statistics({ plain }: Components): Schema {
  return plain.message(ModelStatisticsResponseSchema, false);
}
