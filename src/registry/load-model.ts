import { availableParallelism } from "node:os";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { sharedQueueMemory } from "../batcher/shared-queues.ts";
import type { ServerSettings } from "../config/server-settings.ts";
import { AssayError } from "../errors.ts";
import { modelSettings } from "../model/config/model-settings.ts";
import type { PreparedModel } from "../model/prepared-model.ts";
import { createPool } from "../pool/create-pool.ts";
import { cpuDevices, type DeviceChoice, instanceDevices, intraOpThreads } from "../pool/devices.ts";
import type { Isolation } from "../pool/instance.ts";
import type { Pool } from "../pool/pool.ts";
import type { SharedThreads } from "../pool/shared-threads.ts";
import type { Log } from "../telemetry/log.ts";
import { MAX_RUN_BYTES } from "./edges/shared-generation.ts";
import { makeFeatures } from "./features/open-features.ts";
import type { FileWatch } from "./file-watch.ts";
import { LoadedModel } from "./loaded-model.ts";
import { ModelCounters } from "./model-counters.ts";
import { passGate, startRepaired } from "./pass-gate.ts";
import type { Generation, ServedModel } from "./served-model.ts";
import { whyOwnThread } from "./thread-sharing.ts";
import { describeTreeKernel, treeOptions } from "./tree-kernel-use.ts";
import { signatureChanges } from "./updates/signature-changes.ts";

/** Why a model is not served; `cause` where the reason does not explain itself. */
export interface Refusal {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly reason: string;
  readonly cause?: unknown;
}

/** Options with which every model is loaded. */
export interface LoadOptions {
  readonly settings: ServerSettings;
  readonly devices: DeviceChoice;
  readonly log: Log;
  /** False: requests share no run. Default: the model's batching decides. */
  readonly joinsRequests?: boolean;
  /** The longest that a first run, of a few rows, may take; default: the run time-out. A model's own comes before it. */
  readonly firstRunTimeoutMs?: number;
  /** Looks whether the files of what was loaded change; its closer is the caller. */
  readonly fileWatch?: FileWatch;
  /** What to do so that changed files are served; default: restart. */
  readonly reloadAdvice?: string;
  /** What serves so far, of the same model: callers are told where the new one differs for them. */
  readonly before?: Pick<ServedModel, "modelVersion" | "signature">;
  /** What the version has done so far; default: nothing. */
  readonly counters?: ModelCounters;
  /** What URLs of feature stores are made of; default: feature sources are not opened. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** Threads that light models share; default: each instance has its own. */
  readonly sharedThreads?: SharedThreads;
  /** Edges that serve the models together; default 1. */
  readonly edges?: number;
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
    const passed = withIsolationNotice(await passGate(model, pool, loadUntil), settings);
    const checked = withChangeNotice(passed, options.before);
    const { modelName, modelVersion, notices } = checked;
    for (const notice of notices) log.warn({ model: modelName, version: modelVersion }, notice);
    const treeKernel = pool.instances[0]?.treeKernel;
    if (treeKernel !== undefined)
      log.info({ model: modelName, version: modelVersion }, `trees are ${describeTreeKernel(treeKernel)}`);
    const edges = options.edges ?? 1;
    const queues = edges > 1 ? { memory: sharedQueueMemory(edges), place: 0 } : undefined;
    const counters = options.counters ?? new ModelCounters();
    const features = makeFeatures(checked, options, counters);
    await features?.open().catch((error: unknown) => {
      features.close();
      throw error;
    });
    return new LoadedModel({ ...checked, treeKernel }, pool, scheduling, {
      ...options,
      counters,
      features,
      queues,
    });
  } catch (error) {
    await pool.close();
    throw error;
  }
}

/**
 * What its config.json asks for, else what the server is told. Left to Assay, a model that can take any time or memory is held
 * apart from the first: a run of milliseconds does not notice the crossing.
 */
function isolationOf(
  model: Pick<PreparedModel, "config" | "unboundedRun">,
  settings: Pick<ServerSettings, "isolation">,
): Isolation {
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

/** Callers of the version before send and read what its signature says. */
function withChangeNotice(model: PreparedModel, before: LoadOptions["before"]): PreparedModel {
  const changes = before === undefined ? [] : signatureChanges(before.signature, model.signature);
  if (changes.length === 0) return model;
  const what =
    before!.modelVersion === model.modelVersion
      ? "what was loaded before"
      : `version ${before!.modelVersion}`;
  return {
    ...model,
    notices: [...model.notices, `its signature differs from that of ${what}: ${changes.join("; ")}`],
  };
}

async function startPool(model: PreparedModel, runTimeoutMs: number, options: LoadOptions): Promise<Pool> {
  const { settings, devices: choice, log, workerUrl, sharedThreads, edges = 1 } = options;
  // Each event loop beside the first takes a core from the runs, too.
  const cores = Math.max(1, availableParallelism() - (edges - 1));
  const start = (serverDevices: DeviceChoice["devices"]) => {
    const devices = instanceDevices(model.config.instanceGroup, serverDevices);
    const cpuInstances = devices.filter((device) => device.provider === "cpu").length;
    const shares = workerUrl === undefined && whyOwnThread(model, devices, runTimeoutMs) === undefined;
    return createPool({
      model,
      devices,
      intraOpThreads: intraOpThreads(settings.intraOpThreads, cores, cpuInstances),
      runTimeoutMs,
      startTimeoutMs: settings.loadTimeoutMs,
      isolation: isolationOf(model, settings),
      ...treeOptions(model, settings),
      takesGuests: edges > 1,
      maxRunBytes: MAX_RUN_BYTES,
      log,
      ...(workerUrl === undefined ? {} : { workerUrl }),
      ...(shares && sharedThreads !== undefined ? { sharedThreads } : {}),
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
