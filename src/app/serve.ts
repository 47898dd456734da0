import { setTimeout as delay } from "node:timers/promises";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import type { Model } from "../../gen/assay/v1/model_service_pb.ts";
import type { ServerSettings } from "../config/server-settings.ts";
import { readTlsFiles } from "../config/tls-files.ts";
import { createEdge, type EdgeOptions } from "../edge/edge.ts";
import { AssayError } from "../errors.ts";
import type { FoundModel } from "../model/prepared-model.ts";
import { scanNamed, scanRepository } from "../model/repository.ts";
import { readDeviceListing } from "../pool/device-listing.ts";
import { chooseDevices } from "../pool/devices.ts";
import { ANONYMOUS } from "../registry/caller.ts";
import { createModelsService } from "../registry/models-service.ts";
import { Registry } from "../registry/registry.ts";
import { createScoringService } from "../service/scoring-service.ts";
import type { Log } from "../telemetry/log.ts";
import { listed } from "../wording/field-paths.ts";
import { didYouMean } from "../wording/nearest-name.ts";

/** A model that is served under a name of its owner's choice. */
export interface NamedModel {
  readonly name: string;
  /** A file, or a folder with the file or with version folders. */
  readonly path: string;
}

/** Options of a server. */
export interface AppOptions {
  readonly settings: ServerSettings;
  /** Models that are named one by one. Without a repository that is asked for they are all. */
  readonly namedModels?: readonly NamedModel[];
  /** The environment, for CUDA_VISIBLE_DEVICES. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** Called once the port is open and before any model is loaded, with what can be drained from then on. */
  readonly onListening?: (app: App) => void;
  /** Another engine for HTTP/2, and another entry of worker threads: for tests. */
  readonly http2Engine?: EdgeOptions["http2Engine"];
  readonly workerUrl?: URL;
}

/** A server; whoever started it drains or closes it. */
export interface App {
  readonly address: { readonly host: string; readonly port: number };
  /** Every version of every model that was found, as GetModel describes it. */
  models(): Model[];
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
  const { defaultModel } = settings;
  const registry = new Registry({ log, ...(defaultModel === "" ? {} : { defaultModel }) });
  const scoring = createScoringService(registry.table, settings);
  const models = createModelsService(registry.table, registry, settings.strictReadiness);
  const tls = readTlsFiles(settings);
  const edge = createEdge({
    scoring,
    models,
    limits: settings,
    corsOrigins: settings.corsOrigins,
    serverName: settings.serverName,
    modelControl: settings.modelControl as "none" | "explicit" | "poll",
    http2Engine,
    log,
    ...(tls === undefined ? {} : { tls }),
  });
  const closeAll = async () => {
    registry.announceDrain();
    await edge.close();
    await registry.close();
  };
  try {
    const found = await findModels(options);
    checkDefaultModel(settings, found);
    const { port } = await edge.listen(settings.host, settings.port);
    registry.expect(found);
    const app: App = {
      address: { host: settings.host, port },
      models: () =>
        models
          .list(ANONYMOUS)
          .map(({ modelName, modelVersion }) => models.get(modelName, modelVersion, ANONYMOUS).model!),
      async drain() {
        registry.announceDrain();
        edge.announceDrain();
        if (settings.drainGraceMs > 0) await delay(settings.drainGraceMs);
        scoring.drain();
        const drained = await edge.drain(settings.drainTimeoutMs);
        if (!drained)
          log.warn({ timeoutMs: settings.drainTimeoutMs }, "calls were cut off at the drain time-out");
        // What still runs was cut off with its callers: it may never end.
        if (drained) await registry.drain();
        await closeAll();
      },
      close: closeAll,
    };
    options.onListening?.(app);
    await registry.load(found, { ...options, devices });
    return app;
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** What is named one by one, and the repository where one is asked for. Throws CONFIG_INVALID with all that is not there. */
async function findModels({ settings, namedModels = [], log }: AppOptions): Promise<FoundModel[]> {
  const named = await Promise.allSettled(namedModels.map(({ name, path }) => scanNamed(name, path)));
  const problems = named.flatMap((one) => (one.status === "rejected" ? [one.reason as Error] : []));
  const bug = problems.find((error) => !(error instanceof AssayError));
  if (bug !== undefined) throw bug;
  if (problems.length > 0)
    throw new AssayError(Reason.CONFIG_INVALID, problems.map(({ message }) => message).join("\n"));
  const one = named.flatMap((scanned) => (scanned.status === "fulfilled" ? scanned.value : []));
  if (namedModels.length > 0 && !settings.given.has("models")) return one;
  const found = await scanRepository(settings.models, (name, why) =>
    log.info({ folder: name }, `${name} is not taken for a model: ${why}`),
  );
  const names = new Set(found.map(nameOf));
  const twice = namedModels.filter(({ name }) => names.has(name));
  if (twice.length > 0) {
    const where = `the repository ${JSON.stringify(settings.models)} has a model of that name: choose another`;
    const lines = twice.map(({ name, path }) => `${name}=${path} came, and ${where}`);
    throw new AssayError(Reason.CONFIG_INVALID, lines.join("\n"));
  }
  return [...one, ...found];
}

function nameOf(found: FoundModel): string {
  return (found.kind === "prepared" ? found.model : found).modelName;
}

function checkDefaultModel(
  { defaultModel: name, origins }: ServerSettings,
  found: readonly FoundModel[],
): void {
  const names = new Set(found.map(nameOf));
  if (name === "" || names.has(name)) return;
  const hint = didYouMean(name, names) || `; it has ${listed([...names])}`;
  throw new AssayError(
    Reason.CONFIG_INVALID,
    `${origins.defaultModel}: the repository has no model ${JSON.stringify(name)}${hint}`,
  );
}
