/**
 * The edge: everything between sockets and the service.
 * Comes in: connections to one port. Goes out: calls to the scoring and the models service; responses in the caller's protocol.
 * Promises: gRPC, gRPC-Web, Connect and plain HTTP on one port, told apart for each stream; the only place that knows gRPC
 * codes and HTTP statuses; every limit is refused by its name; `drain` resets nothing before its limit.
 */
import type { AddressInfo } from "node:net";
import type { DescMethod } from "@bufbuild/protobuf";
import { type ConnectRouter, createConnectRouter } from "@connectrpc/connect";
import { ConsoleService } from "../../gen/assay/v1/console_service_pb.ts";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { ModelService } from "../../gen/assay/v1/model_service_pb.ts";
import { ScoringService as ScoringServiceDesc } from "../../gen/assay/v1/scoring_service_pb.ts";
import { Health } from "../../gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as AlphaServerReflection } from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { GRPCInferenceService } from "../../gen/inference/grpc_service_pb.ts";
import { AssayError } from "../errors.ts";
import type { StreamHandler } from "../http2/stream.ts";
import { packageVersion } from "../package-files.ts";
import { ANONYMOUS } from "../registry/caller.ts";
import { modelFamilies } from "../registry/model-metrics.ts";
import type { ModelControl, ModelsService } from "../registry/models.ts";
import type { ScoringService } from "../service/scoring.ts";
import type { Log } from "../telemetry/log.ts";
import { RequestReader } from "../wire/request-reader.ts";
import { AccessLog, type AccessSettings } from "./access/access-log.ts";
import { healthRoutes } from "./admin/health-routes.ts";
import { reflectionRoutes } from "./admin/reflection.ts";
import { AnswerEncoder } from "./answer/answer-encoder.ts";
import { CallDeadlines } from "./call/call-deadlines.ts";
import { bodyCompressions, connectCompressions, messageCompressions } from "./call/compression.ts";
import { DrainNotice } from "./call/drain-notice.ts";
import type { EdgeCall } from "./call/edge-call.ts";
import type { EdgeLimits } from "./call/limits.ts";
import { detailTypes } from "./connect/detail-types.ts";
import { callInterceptor } from "./connect/interceptor.ts";
import { modelRoutes, scoringRoutes } from "./connect/routes.ts";
import { type ConsoleMode, checkConsole } from "./console/console-access.ts";
import { MessageDecoder } from "./decode/message-decoder.ts";
import { consoleServiceRoutes } from "./figures/console-service.ts";
import { createHttp1Engine } from "./http1/http1-engine.ts";
import { type AskedIdentity, NOTHING_ASKED } from "./identity/asked-identity.ts";
import type { Gate } from "./identity/gate.ts";
import { inferenceRoutes } from "./inference/inference-routes.ts";
import { INFER_REQUEST_FORMS } from "./inference/message-forms.ts";
import type { ControlMode } from "./inference/model-control.ts";
import { createAssayHttp2Engine } from "./listen/assay-http2-engine.ts";
import type { Engine } from "./listen/engine.ts";
import { createListener, type TlsOptions } from "./listen/listener.ts";
import type { SharedPort } from "./listen/shared-port.ts";
import { createMemoryBudget, defaultMemoryBytes } from "./memory/memory-budget.ts";
import { CallCounters } from "./metrics/call-counters.ts";
import { type EdgeFacts, edgeFamilies } from "./metrics/edge-metrics.ts";
import { type GatherMetrics, type MetricSource, mayNotRead } from "./metrics/metrics-route.ts";
import { RouteTable } from "./route-table.ts";
import { createRouter, refuseHeaderList } from "./router.ts";
import { edgeRoutes } from "./routes.ts";
import { CallTracer, type TraceOptions } from "./trace/call-tracer.ts";

/** What an edge is made of. */
export interface EdgeOptions {
  readonly scoring: ScoringService;
  readonly models: ModelsService;
  readonly limits: EdgeLimits;
  /** What the Open Inference Protocol is told as the server's name; default `assay`. */
  readonly serverName?: string;
  /** Who may load models while the server runs; default none. */
  readonly modelControl?: ControlMode;
  /** What loads and unloads models where callers may. */
  readonly control?: ModelControl;
  /** Who sees pages for people; default everybody. */
  readonly consoleMode?: ConsoleMode;
  /** What callers bring, for the OpenAPI documents; default nothing. */
  readonly identity?: AskedIdentity;
  /** Who asks who calls; undefined: everybody may do everything. */
  readonly gate?: Gate | undefined;
  /** With a gate: `/metrics` is for anybody. */
  readonly metricsWithoutKey?: boolean;
  /** Without it the port is cleartext. */
  readonly tls?: TlsOptions;
  /** The port is owned together with edges of other threads; undefined: alone. */
  readonly sharedPort?: SharedPort | undefined;
  /** `*`: any origin, without credentials. */
  readonly corsOrigins: readonly string[];
  readonly log: Log;
  /** Which calls have a line in the log; default those that fail or are slow. */
  readonly accessLog?: AccessSettings;
  /** More to tell at `/metrics`, asked for each scrape. */
  readonly metrics?: MetricSource;
  /** Makes what `/metrics` tells of what this edge alone would; default: nothing is added. */
  readonly gatherMetrics?: GatherMetrics | undefined;
  /** Records calls; undefined: tracing is off. */
  readonly tracing?: TraceOptions | undefined;
  /** Makes another engine for HTTP/2, to compare with. */
  readonly http2Engine?: ((limits: EdgeLimits, onStream: StreamHandler) => Engine) | undefined;
  /** Who serves PredictStream over gRPC: `connect`, to compare with; default `assay`. */
  readonly grpcStreams?: "assay" | "connect";
  /** Who reads requests of HTTP/1.1 in their plain forms: `node`, for `node:http`, to compare with; default `assay`. */
  readonly http1Requests?: "assay" | "node";
  /** Who serves unary calls in their plain forms: `connect`, to compare with; default `assay`. */
  readonly unaryCalls?: "assay" | "connect";
  /** More procedures behind the same listener; their errors carry no details of Assay's. */
  readonly routes?: (router: ConnectRouter) => void;
}

/** The edge; whoever made it closes it. */
export interface Edge {
  /** Starts to listen; port 0 takes a free one. Rejects where the address cannot be had. */
  listen(host: string, port: number): Promise<AddressInfo>;
  readonly connectionCount: number;
  /** What this edge alone tells at `/metrics`. */
  readonly families: MetricSource;
  /** Serves connections that come from now on with another certificate; those that are open stay. Nothing without TLS. */
  renewTls(tls: TlsOptions): void;
  /** Not ready from now on, while everything is still served: for the time in which load balancers notice. */
  announceDrain(): void;
  /** Takes no more connections, lets calls end, and ends what is left after `timeoutMs`; true where nothing was left. */
  drain(timeoutMs: number): Promise<boolean>;
  /** Ends every call and connection at once. */
  close(): Promise<void>;
}

/** What Assay is for, and what tells of it. */
const SERVICES = [ScoringServiceDesc, ModelService, GRPCInferenceService];
const ADMIN = [Health, ServerReflection, AlphaServerReflection];
const WATCH = methodPath(Health.method.watch);
const HEALTH = new Set([Health.method.check, Health.method.list, Health.method.watch].map(methodPath));
const WATCH_FIGURES = methodPath(ConsoleService.method.watchFigures);
/** They last as long as their callers like. */
const LASTING = new Set([
  WATCH,
  WATCH_FIGURES,
  methodPath(ServerReflection.method.serverReflectionInfo),
  methodPath(AlphaServerReflection.method.serverReflectionInfo),
]);

function methodPath({ parent, name }: DescMethod): string {
  return `/${parent.typeName}/${name}`;
}

/** How long a Watch has to be sent NOT_SERVING. */
const LAST_WORD_MS = 250;

/** Makes an edge; nothing listens yet. */
export function createEdge(options: EdgeOptions): Edge {
  const { scoring, models, limits, corsOrigins, log } = options;
  const notice = new DrainNotice();
  const lastingCalls = new Set<EdgeCall>();
  const readiness = () => {
    const state = models.readiness();
    return notice.isAnnounced ? { ...state, ready: false, draining: true } : state;
  };
  const memory = createMemoryBudget(
    Number(limits.maxRequestMemoryBytes) || defaultMemoryBytes(limits.maxMessageBytes),
  );
  const decoder = new MessageDecoder(limits);
  const encoder = new AnswerEncoder();
  const plainCompressions = messageCompressions(limits.maxMessageBytes);
  const compressions = connectCompressions(limits.maxMessageBytes);
  const connect = createConnectRouter({
    acceptCompression: compressions,
    interceptors: [callInterceptor],
    jsonOptions: { registry: detailTypes },
  });
  scoringRoutes(connect, scoring);
  modelRoutes(connect, models);
  const facts = { serverName: options.serverName ?? "assay", version: packageVersion() };
  const controlMode = options.modelControl ?? "none";
  const control = options.control === undefined ? {} : { control: options.control };
  inferenceRoutes(connect, {
    scoring,
    models,
    facts,
    isReady: () => readiness().ready,
    controlMode,
    encoder,
    ...control,
  });
  const consoleMode = options.consoleMode ?? "on";
  if (consoleMode !== "off") {
    const gather = options.gatherMetrics ?? (async (own) => own);
    consoleServiceRoutes(connect, {
      families: () => gather(families("watch"), "watch"),
      readiness,
      facts,
      notice,
      check(caller) {
        checkConsole(consoleMode, caller);
        if (!caller.readsMetrics) throw mayNotRead(caller);
      },
    });
  }
  const services = [...SERVICES, ...(consoleMode === "off" ? [] : [ConsoleService]), ...ADMIN];
  healthRoutes(
    connect,
    services.map((service) => service.typeName),
    readiness,
    notice,
  );
  reflectionRoutes(connect, services);
  const ownProcedures = connect.handlers.length;
  options.routes?.(connect);
  const foreign = new Set(connect.handlers.slice(ownProcedures).map((handler) => handler.requestPath));

  const isProbe = (path: string): boolean => table.find(path)?.route.isProbe === true || HEALTH.has(path);
  const counters = new CallCounters((path) => table.find(path)?.route.pattern ?? "");
  const context = {
    limits,
    corsOrigins,
    log,
    memory,
    decoder,
    encoder,
    compressions: plainCompressions,
    bodyCodings: bodyCompressions(limits.maxMessageBytes),
    lasting: LASTING,
    lastingCalls,
    foreign,
    requestForms: INFER_REQUEST_FORMS,
    deadlines: new CallDeadlines(),
    counters,
    access: new AccessLog(log, options.accessLog),
    requests: new RequestReader(),
    tracer: options.tracing === undefined ? undefined : new CallTracer(options.tracing, isProbe),
    gate: options.gate,
  };
  const { grpcStreams = "assay", unaryCalls = "assay", http1Requests = "assay" } = options;
  const { handlers } = connect;
  const edgeFacts = (): EdgeFacts => ({
    connectionCount: listener.connectionCount,
    maxConnections: limits.maxConnections,
    refusedConnections: listener.refusedCount,
    memory,
    http2: http2.counters,
    version: facts.version,
  });
  const families: MetricSource = (reader) => [
    ...edgeFamilies(edgeFacts()),
    ...counters.families(),
    ...modelFamilies(models.counts("", "", ANONYMOUS), models.list(ANONYMOUS)),
    ...(options.metrics?.(reader) ?? []),
  ];
  const routes = edgeRoutes({
    metrics: families,
    gatherMetrics: options.gatherMetrics,
    metricsWithoutKey: options.metricsWithoutKey ?? false,
    scoring,
    models,
    readiness,
    facts,
    controlMode,
    consoleMode,
    identity: options.identity ?? NOTHING_ASKED,
    ...control,
    handlers,
    grpcStreams,
    unaryCalls,
    context,
  });
  const table = new RouteTable(routes);
  const onStream = createRouter(table, context);
  const isHot = (path: string): boolean => table.find(path)?.route.isHot === true;
  const http2 =
    options.http2Engine?.(limits, onStream) ??
    createAssayHttp2Engine(limits, onStream, (stream) => refuseHeaderList(stream, context), memory, log);
  const listener = createListener({
    http1: createHttp1Engine(limits, onStream, memory, http1Requests === "assay" ? isHot : undefined),
    http2,
    limits,
    tls: options.tls,
    sharedPort: options.sharedPort,
    log,
  });
  function endLasting(which: (edgeCall: EdgeCall) => boolean): void {
    const why = new AssayError(Reason.SHUTTING_DOWN, "the server is shutting down");
    for (const edgeCall of lastingCalls) if (which(edgeCall)) edgeCall.fail(why);
  }

  return {
    listen: (host, port) => listener.listen(host, port),
    families,
    renewTls: (tls) => listener.renewTls(tls),
    get connectionCount() {
      return listener.connectionCount;
    },
    announceDrain() {
      notice.announce();
      listener.announceDrain();
    },
    drain(timeoutMs) {
      notice.drain();
      endLasting(({ procedure }) => procedure !== WATCH && procedure !== WATCH_FIGURES);
      setTimeout(() => endLasting(() => true), LAST_WORD_MS).unref();
      return listener.drain(timeoutMs);
    },
    close() {
      notice.drain();
      return listener.close();
    },
  };
}
