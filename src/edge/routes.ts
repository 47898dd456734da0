import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { GRPCInferenceService } from "../../gen/inference/grpc_service_pb.ts";
import type { ModelControl, ModelsService, Readiness } from "../registry/models.ts";
import type { ScoringService } from "../service/scoring.ts";
import { probeRoutes } from "./admin/probes.ts";
import { type ConnectContext, serveConnect } from "./connect/adapter.ts";
import type { ConsoleMode } from "./console/console-access.ts";
import { consoleRoutes } from "./console/console-routes.ts";
import { type ForeignForm, foreignRoute, foreignUnary } from "./foreign/foreign-unary.ts";
import { MLFLOW_FORMS, MLFLOW_PATTERNS, mlflowRoutes } from "./foreign/mlflow-routes.ts";
import { V1_FORM, V1_PATTERNS, v1Routes } from "./foreign/v1-routes.ts";
import { PREDICT_STREAM } from "./grpc/item-form.ts";
import { grpcStreamRoute, isGrpcStream } from "./grpc/stream.ts";
import type { AskedIdentity } from "./identity/asked-identity.ts";
import { inferForms, MODEL_INFER_PATH } from "./inference/infer-forms.ts";
import { inferStream } from "./inference/infer-items.ts";
import type { ServerFacts } from "./inference/metadata.ts";
import type { ControlMode } from "./inference/model-control.ts";
import { inferForm } from "./inference-rest/infer-unary.ts";
import { modelRoutes } from "./inference-rest/model-routes.ts";
import { repositoryRoutes, unservedRoutes } from "./inference-rest/repository-routes.ts";
import { type ResourceParts, serverRoutes } from "./inference-rest/server-routes.ts";
import { type GatherMetrics, type MetricSource, metricsRoute } from "./metrics/metrics-route.ts";
import { type PlainRoute, servePlain } from "./plain/plain-http.ts";
import { predictJson, predictRoutes } from "./plain/predict-unary.ts";
import type { Route, StreamServer } from "./route-table.ts";
import { PREDICT_PATH, plainPredictForm, predictForms } from "./unary/predict-forms.ts";
import { UnaryServers } from "./unary/unary-servers.ts";

/** What the rows are made of. */
export interface RouteParts {
  readonly scoring: ScoringService;
  readonly models: ModelsService;
  readonly readiness: () => Readiness;
  readonly facts: ServerFacts;
  readonly controlMode: ControlMode;
  readonly control?: ModelControl;
  readonly consoleMode: ConsoleMode;
  readonly identity: AskedIdentity;
  /** Connect's handlers of all procedures: the last to be asked. */
  readonly handlers: readonly UniversalHandler[];
  /** Who is asked first: what is framed here, or nobody, to compare. */
  readonly grpcStreams: "assay" | "connect";
  readonly unaryCalls: "assay" | "connect";
  /** What `/metrics` tells. */
  readonly metrics: MetricSource;
  readonly gatherMetrics: GatherMetrics | undefined;
  readonly metricsWithoutKey: boolean;
  readonly context: ConnectContext;
}

/** Every row of the edge: one more protocol or resource is one more here. */
export function edgeRoutes(parts: RouteParts): Route[] {
  const { scoring, models, readiness, facts, handlers, context } = parts;
  const { decoder, requests, encoder, bodyCodings } = context;
  const servers = new UnaryServers(context);
  const unary = parts.unaryCalls === "connect" ? undefined : servers;
  const grpcStreams =
    parts.grpcStreams === "connect"
      ? []
      : [PREDICT_STREAM, inferStream()].map((each) => grpcStreamRoute(each, scoring));
  const firstServers = (handler: UniversalHandler): StreamServer[] => {
    const path = handler.requestPath;
    if (path === PREDICT_PATH && unary !== undefined)
      return [unary.ofProcedure(predictForms(scoring, decoder, requests, encoder), handler)];
    if (path === MODEL_INFER_PATH && unary !== undefined)
      return [unary.ofProcedure(inferForms({ scoring }, decoder, encoder), handler)];
    const stream = grpcStreams.find(({ procedure }) => procedure === path);
    return stream === undefined ? [] : [streamServer(stream, context)];
  };
  const predictCodec = predictJson(scoring, decoder, encoder);
  const predictServers =
    unary === undefined ? [] : [unary.ofResource(plainPredictForm(scoring, predictCodec))];
  const infer = servers.ofResource(inferForm({ scoring, models, decoder, encoder, codings: bodyCodings }));
  const resources: ResourceParts = {
    models,
    readiness,
    facts,
    controlMode: parts.controlMode,
    ...(parts.control && { control: parts.control }),
    logs: (level) => context.log.isLevelEnabled(level),
  };
  const foreignRows = (patterns: readonly string[], forms: readonly ForeignForm[]): Route[] => {
    const first =
      unary === undefined
        ? []
        : forms.map((form) => unary.ofResource(foreignUnary(form, { scoring, decoder, encoder })));
    return patterns.map((pattern) => {
      const row = foreignRoute(pattern, forms, { scoring, decoder, encoder });
      return { ...plainRow(row, context, first), isHot: true };
    });
  };
  return [
    ...handlers.map((handler) => ({
      pattern: handler.requestPath,
      methods: undefined,
      isHot: HOT_PATHS.has(handler.requestPath),
      isOpen: OPEN_PATHS.has(handler.requestPath),
      servers: [...firstServers(handler), connectServer(handler, context)],
    })),
    ...predictRoutes(scoring, predictCodec).map((row) => ({
      ...plainRow(row, context, predictServers),
      isHot: true,
    })),
    ...INFER_PATTERNS.map((pattern) => ({ pattern, methods: ["POST"], isHot: true, servers: [infer] })),
    ...serverRoutes(resources).map((row) => ({ ...plainRow(row, context, []), isProbe: true })),
    ...modelRoutes(resources).map((row) => plainRow(row, context, [])),
    ...repositoryRoutes(resources).map((row) => plainRow(row, context, [])),
    ...unservedRoutes(resources).map((row) => plainRow(row, context, [])),
    ...foreignRows(V1_PATTERNS, [V1_FORM]),
    ...foreignRows(MLFLOW_PATTERNS, MLFLOW_FORMS),
    ...[...v1Routes(models), ...mlflowRoutes(readiness, facts.version)].map((row) =>
      plainRow(row, context, []),
    ),
    ...consoleRoutes(parts).map((row) => plainRow(row, context, [])),
    {
      ...plainRow(metricsRoute(parts.metrics, parts.gatherMetrics, parts.metricsWithoutKey), context, []),
      isProbe: true,
    },
    ...probeRoutes(readiness).map((row) => ({ ...plainRow(row, context, []), isProbe: true })),
  ];
}

const HOT_PATHS = new Set([PREDICT_PATH, MODEL_INFER_PATH]);
/** Whether the server lives and takes requests; of models, what their callers may know. */
const OPEN_PATHS = new Set(
  [
    ...Object.values(Health.method),
    GRPCInferenceService.method.serverLive,
    GRPCInferenceService.method.serverReady,
  ].map(({ parent, name }) => `/${parent.typeName}/${name}`),
);
const INFER_PATTERNS = ["/v2/models/{model}/infer", "/v2/models/{model}/versions/{version}/infer"];

function connectServer(handler: UniversalHandler, context: ConnectContext): StreamServer {
  return (stream) => {
    serveConnect(stream, handler, context);
    return true;
  };
}

function streamServer(route: ReturnType<typeof grpcStreamRoute>, context: ConnectContext): StreamServer {
  return (stream) => {
    if (!isGrpcStream(stream)) return false;
    route.serve(stream, context);
    return true;
  };
}

function plainRow(row: PlainRoute, context: ConnectContext, first: readonly StreamServer[]): Route {
  const { pattern, methods, isOpen = false } = row;
  const last: StreamServer = (stream, path, params) => {
    servePlain(stream, row, { path, params }, context);
    return true;
  };
  return { pattern, methods, isOpen, servers: [...first, last] };
}
