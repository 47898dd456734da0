import { availableParallelism } from "node:os";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { ModelState } from "../../gen/assay/v1/model_service_pb.ts";
import { createBatcher } from "../batcher/create-batcher.ts";
import type { ServerSettings } from "../config/server-settings.ts";
import { AssayError } from "../errors.ts";
import { configInEffect, modelSettings } from "../model/config/model-settings.ts";
import { exampleRequest } from "../model/example-request.ts";
import type { PreparedModel } from "../model/prepared-model.ts";
import { createPool } from "../pool/create-pool.ts";
import { cpuDevices, type DeviceChoice, instanceDevices, intraOpThreads } from "../pool/devices.ts";
import type { Isolation } from "../pool/instance.ts";
import type { Pool } from "../pool/pool.ts";
import type { Log } from "../telemetry/log.ts";
import type { FileWatch } from "./file-watch.ts";
import { describeModel } from "./model-description.ts";
import { passGate, startRepaired } from "./pass-gate.ts";
import { createServedModel, type ServedModel } from "./served-model.ts";

/** A loaded model and what ends it. */
export interface Generation {
  readonly served: ServedModel;
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** Why a model is not served; `cause` where the reason does not explain itself. */
export interface Refusal {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly reason: string;
  readonly cause?: unknown;
}

/** What every model is loaded with. */
export interface LoadOptions {
  readonly settings: ServerSettings;
  readonly devices: DeviceChoice;
  readonly log: Log;
  /** The longest that a first run, of a few rows, may take; default: the run time-out. A model's own comes before it. */
  readonly firstRunTimeoutMs?: number;
  /** Looks whether the files of what was loaded change; its closer is the caller. */
  readonly fileWatch?: FileWatch;
  /** Another entry of worker threads: for tests. */
  readonly workerUrl?: URL;
}

/** Makes the pool, passes the gate, makes the batcher; says why where one of them fails, and leaves nothing running then. */
export async function loadModel(model: PreparedModel, options: LoadOptions): Promise<Generation | Refusal> {
  try {
    return await load(model, options);
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

async function load(found: PreparedModel, options: LoadOptions): Promise<Generation> {
  const { settings, log } = options;
  const scheduling = modelSettings(found.config, settings);
  const loadUntil = {
    at: performance.now() + settings.loadTimeoutMs,
    timeoutMs: settings.loadTimeoutMs,
    firstRunMs: found.config.runTimeoutMs ?? options.firstRunTimeoutMs ?? scheduling.runTimeoutMs,
  };
  const start = (model: PreparedModel) => startPool(model, scheduling.runTimeoutMs, options);
  const { model, pool } = await startRepaired(found, start);
  try {
    const checked = withIsolationNotice(await passGate(model, pool, loadUntil), settings);
    // The pool keeps the file's bytes for sessions to come; a second copy would stay as long as the model does.
    const passed = { ...checked, bytes: new Uint8Array(0) };
    const { modelName, modelVersion, signature } = passed;
    for (const notice of passed.notices) log.warn({ model: modelName, version: modelVersion }, notice);
    const batcher = createBatcher({
      pool,
      modelName,
      batching: signature.batching,
      // Exports declare [1] and return a row each; other fixed lengths, and scalars, are no rows.
      rowlessOutputNames: signature.outputs
        .filter(({ shape, rowless }) => rowless === true || shape.length === 0 || shape[0]! > 1)
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
    let changedFiles: readonly string[] = [];
    options.fileWatch?.add(passed.files, (changed) => {
      changedFiles = changed;
      tellChange(log, passed, changed);
    });
    const example = exampleRequest(passed);
    const served = createServedModel({
      modelName,
      modelVersion,
      signature,
      batcher,
      state,
      changedFiles: () => changedFiles,
      describe: keptWhileSame(
        () => ({
          state: state(),
          stateReason: pool.liveCount > 0 ? "" : whyUnavailable(pool),
          devices: pool.instances.map((instance) => instance.device),
          changedFiles,
        }),
        (circumstances) => describeModel(passed, { ...circumstances, config, exampleRequest: example }),
      ),
    });
    return {
      served,
      drain: () => batcher.drain(),
      async close() {
        // The batcher waits for what runs; the pool gives up what does not end.
        await Promise.all([batcher.close(), pool.close()]);
      },
    };
  } catch (error) {
    await pool.close();
    throw error;
  }
}

function tellChange(log: Log, model: PreparedModel, changed: readonly string[]): void {
  const fields = { model: model.modelName, version: model.modelVersion, files: changed };
  if (changed.length === 0) log.info(fields, "the files on disk are those that were loaded again");
  else
    log.warn(
      fields,
      "files changed on disk: what was loaded is served on; restart the server to load the new ones",
    );
}

/** Why the instances ended, as callers and operators are told it. */
function whyUnavailable(pool: Pool): string {
  const ended = pool.instances.find(({ lastError }) => lastError !== "");
  return pool.outage?.message ?? `its instances are being restarted: ${ended?.lastError ?? ""}`;
}

/**
 * What its config.json asks for, else what the server is told. Left to Assay, a model that can take any time or memory is held
 * apart from the first: a run of milliseconds does not notice the crossing.
 */
function isolationOf(model: PreparedModel, settings: ServerSettings): Isolation {
  const asked = (model.config.isolation || settings.isolation) as Isolation;
  return asked === "auto" && model.unboundedRun !== undefined ? "process" : asked;
}

/** An operator who sees processes of models is told why. */
function withIsolationNotice(model: PreparedModel, settings: ServerSettings): PreparedModel {
  const isAsked = model.config.isolation === "process" || settings.isolation === "process";
  if (isAsked || isolationOf(model, settings) !== "process") return model;
  const notice = `${model.unboundedRun}: it is served from a process of its own (isolation auto)`;
  return { ...model, notices: [...model.notices, notice] };
}

/** Makes a description anew only where what it depends on has changed: that of thousands of columns takes a while. */
function keptWhileSame<C, D>(circumstances: () => C, describe: (circumstances: C) => D): () => D {
  let kept: { readonly key: string; readonly description: D } | undefined;
  return () => {
    const now = circumstances();
    const key = JSON.stringify(now);
    if (kept?.key !== key) kept = { key, description: describe(now) };
    return kept.description;
  };
}

async function startPool(model: PreparedModel, runTimeoutMs: number, options: LoadOptions): Promise<Pool> {
  const { settings, devices: choice, log, workerUrl } = options;
  const start = (serverDevices: DeviceChoice["devices"]) => {
    const devices = instanceDevices(model.config.instanceGroup, serverDevices);
    const cpuInstances = devices.filter((device) => device.provider === "cpu").length;
    return createPool({
      model,
      devices,
      intraOpThreads: intraOpThreads(settings.intraOpThreads, availableParallelism(), cpuInstances),
      runTimeoutMs,
      startTimeoutMs: settings.loadTimeoutMs,
      isolation: isolationOf(model, settings),
      log,
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
