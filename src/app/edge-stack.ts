import type { ServerSettings } from "../config/server-settings.ts";
import type { TlsFiles } from "../config/tls-files.ts";
import type { AccessSettings } from "../edge/access/access-log.ts";
import type { ConsoleMode } from "../edge/console/console-access.ts";
import { createEdge, type Edge, type EdgeOptions } from "../edge/edge.ts";
import type { ControlMode } from "../edge/inference/model-control.ts";
import type { ModelTable } from "../registry/model-table.ts";
import type { ModelControl, ModelsService, VersionCounts } from "../registry/models.ts";
import { createModelsService, type Lifecycle } from "../registry/models-service.ts";
import type { ScoringService } from "../service/scoring.ts";
import { createScoringService } from "../service/scoring-service.ts";
import type { Log } from "../telemetry/log.ts";

/** What one event loop serves with, from the port to the table of models. */
export interface EdgeStack {
  readonly scoring: ScoringService;
  readonly models: ModelsService;
  readonly edge: Edge;
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
  readonly sharedPort?: EdgeOptions["sharedPort"];
  readonly http2Engine?: EdgeOptions["http2Engine"];
  readonly log: Log;
}

/** Makes the stages of one edge over a table of models; nothing listens yet. */
export function createEdgeStack(options: EdgeStackOptions): EdgeStack {
  const { settings, tls, table, lifecycle, sumCounts, sharedPort, http2Engine, log } = options;
  const { control, metrics, gatherMetrics, tracing } = options;
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
    gatherMetrics,
    tracing,
    http2Engine,
    sharedPort,
    log,
    ...(tls === undefined ? {} : { tls }),
    ...(metrics === undefined ? {} : { metrics }),
  });
  return { scoring, models, edge };
}

/** Each edge decodes into a heap of its own: what requests may take of memory is divided, where it was given. */
function limitsOfOne(settings: ServerSettings): EdgeOptions["limits"] {
  const { maxRequestMemoryBytes, edges } = settings;
  if (edges === 1 || maxRequestMemoryBytes === 0n) return settings;
  const share = maxRequestMemoryBytes / BigInt(edges);
  return { ...settings, maxRequestMemoryBytes: share > 0n ? share : 1n };
}
