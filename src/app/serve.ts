import { availableParallelism } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import type { Model } from "../../gen/assay/v1/model_service_pb.ts";
import type { ServerSettings } from "../config/server-settings.ts";
import { readTlsFiles } from "../config/tls-files.ts";
import type { EdgeOptions } from "../edge/edge.ts";
import { rateMemory } from "../edge/identity/rate-table.ts";
import type { ControlMode } from "../edge/inference/model-control.ts";
import { AssayError } from "../errors.ts";
import type { ListedModel } from "../model/versions/model-listing.ts";
import { createModelSources, type ModelSources, type NamedModel } from "../model/versions/model-sources.ts";
import { readDeviceListing } from "../pool/device-listing.ts";
import { chooseDevices } from "../pool/devices.ts";
import { ANONYMOUS } from "../registry/caller.ts";
import { Registry } from "../registry/registry.ts";
import { ModelUpdates } from "../registry/updates/model-updates.ts";
import { RepositoryWatch } from "../registry/updates/repository-watch.ts";
import type { Log } from "../telemetry/log.ts";
import { ProcessMetrics } from "../telemetry/process-metrics.ts";
import { listed } from "../wording/field-paths.ts";
import { didYouMean } from "../wording/nearest-name.ts";
import { createEdgeStack } from "./edge-stack.ts";
import { EdgeGroup } from "./edges/edge-group.ts";
import { openTelemetry } from "./sent-telemetry.ts";

/** Options of a server. */
export interface AppOptions {
  readonly settings: ServerSettings;
  /** Models that are named one by one. Without a repository that is asked for they are all. */
  readonly namedModels?: readonly NamedModel[];
  /** The environment, for CUDA_VISIBLE_DEVICES. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** Called once the port is open, before any model is loaded unless the settings say otherwise, with what can be drained from then on. */
  readonly onListening?: (app: App) => void;
  /** Another engine for HTTP/2, and another entry of worker threads: for tests. */
  readonly http2Engine?: EdgeOptions["http2Engine"];
  readonly workerUrl?: URL;
  /** Another entry of the threads of further edges. */
  readonly edgeEntry?: URL;
}

/** A server; whoever started it drains or closes it. */
export interface App {
  readonly address: { readonly host: string; readonly port: number };
  /** Every version of every model that was found, as GetModel describes it. */
  models(): Model[];
  /**
   * Looks at every model once more: loads what is new or changed, takes out what has gone. Reads keys and certificates again. Never rejects.
   */
  rescan(): Promise<void>;
  /** Not ready at once; no new connections after the grace; answers what is in flight, at most for the drain time-out. */
  drain(): Promise<void>;
  /** Ends everything at once. */
  close(): Promise<void>;
}

/**
 * Starts a server and resolves once every model has settled. Rejects with CONFIG_INVALID or DEVICE_UNAVAILABLE, and nothing is
 * left running then.
 */
export async function startApp(options: AppOptions): Promise<App> {
  const { settings, environment, log, http2Engine } = options;
  const listing = readDeviceListing(environment.CUDA_VISIBLE_DEVICES);
  const devices = chooseDevices(settings.devices, listing, settings.origins.devices);
  if (devices.notice !== "") log.info({ devices: settings.devices }, devices.notice);
  const { defaultModel, modelControl, edges } = settings;
  const isExplicit = modelControl === "explicit";
  const registry = new Registry({
    log,
    startsEmpty: isExplicit,
    ...(defaultModel === "" ? {} : { defaultModel }),
  });
  const sources = modelSources(options);
  const updates = new ModelUpdates({
    sources,
    registry,
    load: { ...options, devices, edges, reloadAdvice: RELOAD_ADVICE[modelControl as ControlMode] },
    ...(isExplicit ? { onlyAsked: { atStart: settings.loadModel } } : {}),
    log,
  });
  const watch = new RepositoryWatch({
    look: () => sources.marks(),
    onChange: (modelName) => updates.filesChanged(modelName),
    intervalMs: settings.pollIntervalMs,
    log,
  });
  const { table } = registry;
  const tls = readTlsFiles(settings);
  if (edges > availableParallelism())
    log.warn({ edges, cores: availableParallelism() }, "there are more edges than cores (--edges)");
  const telemetry = await openTelemetry(environment, log);
  const { tracing } = telemetry;
  const memory = rateMemory();
  const group =
    edges === 1
      ? undefined
      : new EdgeGroup({
          settings,
          tls,
          table,
          control: updates,
          rateMemory: memory,
          environment,
          log,
          tracing,
          entry: options.edgeEntry,
        });
  const processMetrics = new ProcessMetrics();
  const { scoring, models, edge, files } = createEdgeStack({
    settings,
    tls,
    table,
    lifecycle: group?.lifecycle(registry) ?? registry,
    control: group?.control ?? updates,
    metrics: (reader) =>
      reader === "scrape"
        ? [...processMetrics.families(), ...telemetry.families()]
        : processMetrics.heldFamilies(),
    rateMemory: memory,
    tracing,
    ...group?.parts,
    http2Engine,
    log,
  });
  const endUpdates = () => {
    watch.close();
    files.close();
    updates.close();
    registry.announceDrain();
  };
  const closeAll = async () => {
    endUpdates();
    await Promise.all([edge.close(), group?.close()]);
    await registry.close();
    processMetrics.close();
    telemetry.close();
  };
  try {
    const found = await sources.list((name, why) =>
      log.info({ folder: name }, `${name} is not taken for a model: ${why}`),
    );
    checkNames(settings, found);
    const load = async () => {
      updates.expect(found);
      // What changes while the start reads it is seen as changed then.
      if (modelControl === "poll") await watch.begin();
      await updates.start(found);
    };
    if (settings.listenWhenReady) await load();
    const { port, address } = await edge.listen(settings.host, settings.port);
    group?.follow(edge);
    telemetry.begin(async () => {
      const own = edge.families("scrape");
      return group?.parts.gatherMetrics?.(own, "scrape") ?? own;
    });
    const opened = group?.open(address, port);
    const app: App = {
      address: { host: settings.host, port },
      models: () =>
        models
          .list(ANONYMOUS)
          .map(({ modelName, modelVersion }) => models.get(modelName, modelVersion, ANONYMOUS).model!),
      rescan() {
        files.rereadAll();
        group?.rereadFiles();
        return updates.rescan();
      },
      async drain() {
        endUpdates();
        edge.announceDrain();
        group?.announceDrain();
        if (settings.drainGraceMs > 0) await delay(settings.drainGraceMs);
        scoring.drain();
        const { drainTimeoutMs } = settings;
        const all = await Promise.all([edge.drain(drainTimeoutMs), group?.drain(drainTimeoutMs) ?? true]);
        const drained = all.every((isInTime) => isInTime);
        if (!drained)
          log.warn({ timeoutMs: settings.drainTimeoutMs }, "calls were cut off at the drain time-out");
        // What still runs was cut off with its callers: it may never end.
        if (drained) await registry.drain();
        await telemetry.flush();
        await closeAll();
      },
      close: closeAll,
    };
    options.onListening?.(app);
    await Promise.all([opened, settings.listenWhenReady ? undefined : load()]);
    await group?.settle();
    if (modelControl === "poll") watch.watch();
    return app;
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** What is named one by one, and the repository where one is asked for. */
function modelSources({ settings, namedModels = [] }: AppOptions): ModelSources {
  const isRepositoryAsked = namedModels.length === 0 || settings.given.has("models");
  return createModelSources(isRepositoryAsked ? settings.models : undefined, namedModels);
}

const RELOAD_ADVICE: Readonly<Record<ControlMode, string>> = {
  none: "SIGHUP or a restart loads the new ones",
  explicit: "load the model to serve the new ones",
  poll: "the new ones are loaded once nobody writes to them any more",
};

/** Throws CONFIG_INVALID where a setting names a model that there is not. */
function checkNames(
  { defaultModel, loadModel, origins }: ServerSettings,
  found: readonly ListedModel[],
): void {
  const names = new Set(found.map(({ modelName }) => modelName));
  const check = (name: string, origin: string | undefined) => {
    if (names.has(name)) return;
    const hint = didYouMean(name, names) || `; it has ${listed([...names])}`;
    throw new AssayError(
      Reason.CONFIG_INVALID,
      `${origin}: the repository has no model ${JSON.stringify(name)}${hint}`,
    );
  };
  if (defaultModel !== "") check(defaultModel, origins.defaultModel);
  for (const name of loadModel) if (name !== "*") check(name, origins.loadModel);
}
