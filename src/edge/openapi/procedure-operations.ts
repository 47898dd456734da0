/** The procedures of the schema over HTTP: Connect's unary calls with JSON, and with GET where they change nothing. */
import type { DescMethod, DescService, JsonValue } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { ModelService } from "../../../gen/assay/v1/model_service_pb.ts";
import { ScoringService } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { COMMENTS } from "../../../gen/comments.ts";
import { Health } from "../../../gen/grpc/health/v1/health_pb.ts";
import { GRPCInferenceService } from "../../../gen/inference/grpc_service_pb.ts";
import type { Components } from "./components.ts";
import { type DescribedModel, modelExample } from "./described-model.ts";
import { jsonContent, type Schema } from "./schema-parts.ts";

const SERVICES = [ScoringService, ModelService, Health, GRPCInferenceService];
/** They are answered with why they are not served. */
const UNSERVED = /SharedMemory|^TraceSetting$|^LogSettings$/;
const CONTROL = /^RepositoryModel(Load|Unload)$/;

/** Probes: answered to anybody. */
const OPEN = new Set<DescMethod>([
  GRPCInferenceService.method.serverLive,
  GRPCInferenceService.method.serverReady,
]);

/** The group of a service's procedures. */
function serviceTag({ typeName }: DescService): string {
  return typeName;
}

/** The groups of all. */
export function serviceTags(): Schema[] {
  return SERVICES.map((service) => ({
    name: serviceTag(service),
    description: `${COMMENTS[service.typeName] ?? "The Open Inference Protocol's calls."} Over gRPC, gRPC-Web and Connect; here Connect's JSON form of those with one answer.`,
  }));
}

/** The procedures that the document describes: with one request and one answer. */
export function describedProcedures(canLoad: boolean): DescMethod[] {
  return SERVICES.flatMap(({ methods }) => methods).filter(
    ({ methodKind, name }) =>
      methodKind === "unary" && !UNSERVED.test(name) && (canLoad || !CONTROL.test(name)),
  );
}

/** The paths; `model` is the one of the examples, `canLoad`: callers may load models. */
export function procedureOperations(
  model: DescribedModel | undefined,
  canLoad: boolean,
  components: Components,
): Schema {
  const methods = describedProcedures(canLoad);
  // Messages of requests first: they are closed.
  for (const { input } of methods) components.connect.message(input, true);
  const paths: Schema = {};
  for (const method of methods) {
    const { parent, name, input, output } = method;
    const full = `${parent.typeName}.${name}`;
    const shared = {
      tag: serviceTag(parent),
      summary: `${parent.name}.${name}`,
      description: COMMENTS[full] ?? `${name} of ${parent.typeName}.`,
      answers: {
        "200": {
          description: "The answer.",
          content: jsonContent(components.connect.message(output, false)),
        },
      },
      errors: ["connect", parent === Health ? "model" : "scoring"],
      isOpen: parent === Health || OPEN.has(method),
    } as const;
    const post = components.operation({
      ...shared,
      id: full,
      body: jsonContent(components.connect.message(input, true), examplesOf(method, model)),
    });
    const isFree = method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
    paths[`/${parent.typeName}/${name}`] = isFree
      ? { post, get: components.operation({ ...shared, id: `${full}.get`, parameters: GET_PARAMETERS }) }
      : { post };
  }
  return paths;
}

/** Connect's GET (connectrpc.com/docs/protocol, Unary-Get-Request). */
const GET_PARAMETERS: readonly Schema[] = [
  { name: "connect", in: "query", required: true, schema: { const: "v1" }, example: "v1" },
  { name: "encoding", in: "query", required: true, schema: { const: "json" }, example: "json" },
  {
    name: "message",
    in: "query",
    required: true,
    description: "The request as JSON.",
    schema: { type: "string" },
    example: "{}",
  },
];

function examplesOf(method: DescMethod, model: DescribedModel | undefined): Record<string, JsonValue> {
  if (method === ModelService.method.listModels) return { all: {} };
  if (model === undefined) return {};
  const { modelName } = model;
  if (method === ModelService.method.getModel) return { [modelName]: { modelName } };
  if (method !== ScoringService.method.predict) return {};
  const body = modelExample(model, "connect");
  return body === undefined ? {} : { [modelName]: { modelName, ...(body as object) } };
}
