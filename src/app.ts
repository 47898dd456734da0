/**
 * Wires the stages: the only file that sees them all.
 * Comes in: settings. Goes out: a server that listens.
 * Promises: it listens before the models are loaded, so that /livez answers; a model that cannot be served is listed with
 * its reason and keeps nothing else from serving; each model is loaded and passes its golden gate before it takes
 * requests; `drain` answers what is in flight and then ends every worker.
 */
import { availableParallelism } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { Reason } from "../gen/assay/v1/error_pb.ts";
import { type Model, ModelState } from "../gen/assay/v1/model_service_pb.ts";
import { createBatcher } from "./batcher/create-batcher.ts";
import type { ServerSettings } from "./config/server-settings.ts";
import { readTlsFiles } from "./config/tls-files.ts";
import { createEdge, type EdgeOptions } from "./edge/edge.ts";
import { AssayError } from "./errors.ts";
import { exampleRequest } from "./model/example-request.ts";
import { applyGateOutcome, passGoldenGate } from "./model/golden-gate.ts";
import { keepBatchDimension } from "./model/keep-batch-dimension.ts";
import { configInEffect, modelSettings } from "./model/model-settings.ts";
import type { FoundModel, PreparedModel } from "./model/prepared-model.ts";
import { scanRepository } from "./model/repository.ts";
import { didYouMean } from "./nearest-name.ts";
import { createPool } from "./pool/create-pool.ts";
import { readDeviceListing } from "./pool/device-listing.ts";
import { chooseDevices, cpuDevices, type DeviceChoice, intraOpThreads } from "./pool/devices.ts";
import { instanceDevices } from "./pool/instance-groups.ts";
import type { Pool } from "./pool/pool.ts";
import { runTensors } from "./pool/run-tensors.ts";
import { describeModel } from "./service/model-description.ts";
import { createModelTable } from "./service/model-table.ts";
import { createModelsService } from "./service/models-service.ts";
import { createScoringService } from "./service/scoring-service.ts";
import { createServedModel, type ServedModel } from "./service/served-model.ts";
import type { Log } from "./telemetry/log.ts";

/** What a server is started with. */
export interface AppOptions {
  readonly settings: ServerSettings;
  /** The environment, for CUDA_VISIBLE_DEVICES. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  /** A run hangs in native code and only the end of the process frees its thread. */
  readonly onHung?: (device: string) => void;
  /** More procedures behind the same listener, and another entry of worker threads: for tests. */
  readonly routes?: EdgeOptions["routes"];
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

/** A loaded model and what ends it. */
interface Generation {
  readonly served: ServedModel;
  drain(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts a server and resolves once every model has settled. Rejects with CONFIG_INVALID or DEVICE_UNAVAILABLE, and nothing is
 * left running then.
 */
export async function startApp(options: AppOptions): Promise<App> {
  const { settings, environment, log, routes } = options;
  const devices = chooseDevices(settings.devices, readDeviceListing(environment.CUDA_VISIBLE_DEVICES));
  if (devices.notice !== "") log.info({ devices: settings.devices }, devices.notice);
  const table = createModelTable(settings.defaultModel === "" ? undefined : settings.defaultModel);
  const lifecycle = { settled: false, draining: false };
  const scoring = createScoringService(table, settings);
  const models = createModelsService(table, lifecycle, settings.strictReadiness);
  const tls = readTlsFiles(settings);
  const edge = createEdge({
    scoring,
    models,
    limits: settings,
    corsOrigins: settings.corsOrigins,
    http2Engine: settings.http2Engine === "assay" ? "assay" : "node",
    log,
    ...(tls === undefined ? {} : { tls }),
    ...(routes === undefined ? {} : { routes }),
  });
  const generations: Generation[] = [];
  const closeAll = async () => {
    await edge.close();
    await Promise.all(generations.map((generation) => generation.close()));
  };
  try {
    const found = await scanRepository(settings.models);
    checkDefaultModel(settings.defaultModel, found);
    const { port } = await edge.listen(settings.host, settings.port);
    for (const { modelName, modelVersion } of found.map((one) =>
      one.kind === "prepared" ? one.model : one,
    )) {
      table.putUnserved({ modelName, modelVersion, state: ModelState.LOADING, reason: "still being loaded" });
    }
    for (const one of found) {
      const loaded = one.kind === "refused" ? one : await tryLoad(one.model, devices, options);
      if ("served" in loaded) {
        generations.push(loaded);
        table.put(loaded.served);
        continue;
      }
      const { modelName, modelVersion, reason } = loaded;
      // A refusal that explains itself needs no stack in the log; what made it fail does.
      const err = loaded.cause instanceof AssayError ? loaded.cause.cause : loaded.cause;
      log.error({ model: modelName, version: modelVersion, err }, `not served: ${reason}`);
      table.putUnserved({ modelName, modelVersion, state: ModelState.FAILED, reason });
    }
    lifecycle.settled = true;
    return {
      address: { host: settings.host, port },
      models: () =>
        models.list().map(({ modelName, modelVersion }) => models.get(modelName, modelVersion).model!),
      async drain() {
        lifecycle.draining = true;
        edge.announceDrain();
        if (settings.drainGraceMs > 0) await delay(settings.drainGraceMs);
        scoring.drain();
        const drained = await edge.drain(settings.drainTimeoutMs);
        if (!drained)
          log.warn({ timeoutMs: settings.drainTimeoutMs }, "calls were cut off at the drain time-out");
        await Promise.all(generations.map((generation) => generation.drain()));
        await closeAll();
      },
      close: closeAll,
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

function checkDefaultModel(name: string, found: readonly FoundModel[]): void {
  const names = new Set(found.map((one) => (one.kind === "prepared" ? one.model : one).modelName));
  if (name === "" || names.has(name)) return;
  const hint = didYouMean(name, names) || `; it has ${[...names].slice(0, 12).join(", ")}`;
  throw new AssayError(
    Reason.CONFIG_INVALID,
    `--default-model ${name}: the repository has no such model${hint}`,
  );
}

type Refusal = { modelName: string; modelVersion: string; reason: string; cause?: unknown };

async function tryLoad(
  model: PreparedModel,
  devices: DeviceChoice,
  options: AppOptions,
): Promise<Generation | Refusal> {
  try {
    return await load(model, devices, options);
  } catch (error) {
    const { modelName, modelVersion } = model;
    if (error instanceof AssayError)
      return { modelName, modelVersion, reason: error.message, cause: error.cause };
    return {
      modelName,
      modelVersion,
      reason: "a bug in Assay, whose cause is in the log; please report it",
      cause: error,
    };
  }
}

/** Makes the pool, passes the gate, makes the batcher. */
async function load(found: PreparedModel, choice: DeviceChoice, options: AppOptions): Promise<Generation> {
  const { settings, log } = options;
  const scheduling = modelSettings(found.config, settings);
  const start = (model: PreparedModel) => startPool(model, choice, scheduling.runTimeoutMs, options);
  const { model, pool } = await startRepaired(found, start);
  try {
    const passed = await passGate(model, pool);
    const { modelName, modelVersion, signature } = passed;
    for (const notice of passed.notices) log.warn({ model: modelName, version: modelVersion }, notice);
    const batcher = createBatcher({
      pool,
      modelName,
      batching: signature.batching,
      // Exports declare [1] and return a row each; other fixed lengths, and scalars, are no rows.
      rowlessOutputNames: signature.outputs
        .filter(({ shape }) => shape.length === 0 || shape[0]! > 1)
        .map((output) => output.name),
      log,
      ...scheduling,
    });
    const config = configInEffect(passed.config, scheduling);
    const state = () => (pool.liveCount > 0 ? ModelState.READY : ModelState.UNAVAILABLE);
    pool.onAvailability = (available) => {
      const fields = { model: modelName, version: modelVersion };
      if (available) log.info(fields, "the model takes requests again");
      else log.error(fields, "no instance of the model lives; they are being restarted");
    };
    const served = createServedModel({
      modelName,
      modelVersion,
      signature,
      batcher,
      state,
      describe: () =>
        describeModel(passed, {
          state: state(),
          stateReason: pool.outage?.message ?? "",
          devices: pool.instances.map((instance) => instance.device),
          config,
          exampleRequest: exampleRequest(passed),
        }),
    });
    return {
      served,
      drain: () => batcher.drain(),
      async close() {
        await batcher.close();
        await pool.close();
      },
    };
  } catch (error) {
    await pool.close();
    throw error;
  }
}

/** Runs a model's gate on one CPU instance that ends with it: for `assay inspect`. */
export async function tryGate(found: PreparedModel, log: Log): Promise<FoundModel> {
  try {
    const start = (model: PreparedModel) => createPool({ model, devices: cpuDevices(1), log });
    const { model, pool } = await startRepaired(found, start);
    try {
      return { kind: "prepared", model: await passGate(model, pool) };
    } finally {
      await pool.close();
    }
  } catch (error) {
    if (!(error instanceof AssayError)) throw error;
    const { modelName, modelVersion } = found;
    return { kind: "refused", modelName, modelVersion, reason: error.message, cause: error };
  }
}

async function passGate(model: PreparedModel, pool: Pool): Promise<PreparedModel> {
  const outcome = await passGoldenGate(model, (inputs) => runTensors(pool, inputs));
  if (outcome.kind === "passed") return applyGateOutcome(model, outcome);
  throw new AssayError(Reason.MODEL_INVALID, outcome.reason, { cause: outcome.cause });
}

/** A graph whose batch dimension was opened and that no session can be made of gets it back. */
async function startRepaired(
  model: PreparedModel,
  start: (model: PreparedModel) => Promise<Pool>,
): Promise<{ model: PreparedModel; pool: Pool }> {
  try {
    return { model, pool: await start(model) };
  } catch (error) {
    const kept = keepBatchDimension(model);
    const invalid = error instanceof AssayError && error.reason === Reason.MODEL_INVALID;
    if (kept === undefined || !invalid) throw error;
    return { model: kept, pool: await start(kept) };
  }
}

async function startPool(
  model: PreparedModel,
  choice: DeviceChoice,
  runTimeoutMs: number,
  options: AppOptions,
): Promise<Pool> {
  const { settings, log, onHung, workerUrl } = options;
  const start = (serverDevices: DeviceChoice["devices"]) => {
    const devices = instanceDevices(model.config.instanceGroup, serverDevices);
    const cpuInstances = devices.filter((device) => device.provider === "cpu").length;
    return createPool({
      model,
      devices,
      intraOpThreads: intraOpThreads(settings.intraOpThreads, availableParallelism(), cpuInstances),
      runTimeoutMs,
      log,
      ...(onHung === undefined ? {} : { onHung }),
      ...(workerUrl === undefined ? {} : { workerUrl }),
    });
  };
  try {
    return await start(choice.devices);
  } catch (error) {
    const unusable = error instanceof AssayError && error.reason === Reason.DEVICE_UNAVAILABLE;
    if (!choice.isAutomatic || !unusable || choice.devices[0]?.provider === "cpu") throw error;
    log.warn(
      { model: model.modelName, err: error },
      "the GPUs that were found cannot be used; running on CPU",
    );
    return await start(cpuDevices(1));
  }
}
