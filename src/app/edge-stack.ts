import type { ServerSettings } from "../config/server-settings.ts";
import { readTlsFiles, type TlsFiles } from "../config/tls-files.ts";
import type { AccessSettings } from "../edge/access/access-log.ts";
import type { ConsoleMode } from "../edge/console/console-access.ts";
import { createEdge, type Edge, type EdgeOptions } from "../edge/edge.ts";
import { askedIdentity } from "../edge/identity/asked-identity.ts";
import { Gate } from "../edge/identity/gate.ts";
import type { ControlMode } from "../edge/inference/model-control.ts";
import type { ModelTable } from "../registry/model-table.ts";
import type { ModelControl, ModelsService, VersionCounts } from "../registry/models.ts";
import { createModelsService, type Lifecycle } from "../registry/models-service.ts";
import type { ScoringService } from "../service/scoring.ts";
import { createScoringService } from "../service/scoring-service.ts";
import type { Log } from "../telemetry/log.ts";
import { FileWatching } from "./watched-files.ts";

/** What one event loop serves with, from the port to the table of models. */
export interface EdgeStack {
  readonly scoring: ScoringService;
  readonly models: ModelsService;
  readonly edge: Edge;
  /** Files of keys, tokens' keys and certificates, read again when they change; whoever made the stack closes it. */
  readonly files: FileWatching;
}

/** What a stack stands on. */
export interface EdgeStackOptions {
  readonly settings: ServerSettings;
  readonly tls: TlsFiles | undefined;
  readonly table: ModelTable;
  readonly lifecycle: Lifecycle;
  /** Adds what other edges have counted; default: nothing. */
  readonly sumCounts?: (own: readonly VersionCounts[]) => Promise<readonly VersionCounts[]>;
  readonly control: ModelControl;
  readonly metrics?: EdgeOptions["metrics"];
  readonly gatherMetrics?: EdgeOptions["gatherMetrics"];
  readonly tracing?: EdgeOptions["tracing"];
  /** Where the rates of keys are counted, for all edges together. */
  readonly rateMemory: SharedArrayBuffer;
  readonly sharedPort?: EdgeOptions["sharedPort"];
  readonly http2Engine?: EdgeOptions["http2Engine"];
  readonly log: Log;
}

/** Makes the stages of one edge over a table of models; nothing listens yet. Throws CONFIG_INVALID for a file of keys. */
export function createEdgeStack(options: EdgeStackOptions): EdgeStack {
  const { settings, tls, table, lifecycle, sumCounts, sharedPort, http2Engine, log } = options;
  const { control, metrics, gatherMetrics, rateMemory, tracing } = options;
  const gate = openGate(settings, rateMemory, log);
  const scoring = createScoringService(table, settings);
  const models = createModelsService(table, lifecycle, settings.strictReadiness, sumCounts);
  const edge = createEdge({
    scoring,
    models,
    limits: limitsOfOne(settings),
    corsOrigins: settings.corsOrigins,
    serverName: settings.serverName,
    accessLog: { mode: settings.accessLog as AccessSettings["mode"], slowCallMs: settings.slowCallMs },
    consoleMode: settings.console as ConsoleMode,
    modelControl: settings.modelControl as ControlMode,
    control,
    identity: askedIdentity(settings),
    gate,
    metricsWithoutKey: settings.metricsWithoutKey,
    gatherMetrics,
    tracing,
    http2Engine,
    sharedPort,
    log,
    ...(tls === undefined ? {} : { tls }),
    ...(metrics === undefined ? {} : { metrics }),
  });
  const certificates = {
    files: [settings.tlsCert, settings.tlsKey, settings.tlsClientCa].filter((file) => file !== ""),
    reread() {
      edge.renewTls(readTlsFiles(settings)!);
      log.info(
        { file: settings.tlsCert },
        "the certificate was read again: new connections are served with it",
      );
    },
  };
  const watched = [
    ...(tls === undefined ? [] : [certificates]),
    ...(gate?.files ?? []).map((file) => ({ files: [file], reread: () => gate!.reread(file) })),
  ];
  return { scoring, models, edge, files: new FileWatching(watched, log) };
}

/** Who asks who calls, where the settings say that anybody does. */
function openGate(settings: ServerSettings, rateMemory: SharedArrayBuffer, log: Log): EdgeOptions["gate"] {
  const { keys, jwks, jwtIssuer: issuer, jwtAudience: audience, jwtAlgorithms: algorithms } = settings;
  if (keys === "" && jwks === "") return undefined;
  const tokens = { keys: jwks, issuer, audience, algorithms, clockToleranceMs: settings.jwtClockToleranceMs };
  return new Gate({
    keyFile: keys === "" ? undefined : keys,
    tokens: jwks === "" ? undefined : tokens,
    rateMemory,
    log,
  });
}

/** Each edge decodes into a heap of its own: what requests may take of memory is divided, where it was given. */
function limitsOfOne(settings: ServerSettings): EdgeOptions["limits"] {
  const { maxRequestMemoryBytes, edges } = settings;
  if (edges === 1 || maxRequestMemoryBytes === 0n) return settings;
  const share = maxRequestMemoryBytes / BigInt(edges);
  return { ...settings, maxRequestMemoryBytes: share > 0n ? share : 1n };
}
