import { readdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { ModelConfigSchema } from "../../gen/assay/config/v1/model_config_pb.ts";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import type { ScoreSettings } from "../config/score-settings.ts";
import { readServerSettings } from "../config/server-settings.ts";
import { AssayError } from "../errors.ts";
import type { FoundModel, PreparedModel } from "../model/prepared-model.ts";
import { scanPath } from "../model/repository.ts";
import { versionChoice } from "../model/versions/model-listing.ts";
import { EVERY_VERSION } from "../model/versions/version-choice.ts";
import { readDeviceListing } from "../pool/device-listing.ts";
import { chooseDevices } from "../pool/devices.ts";
import { loadModel } from "../registry/load-model.ts";
import { Registry } from "../registry/registry.ts";
import { createCall } from "../service/call.ts";
import { createScoringService } from "../service/scoring-service.ts";
import type { Log } from "../telemetry/log.ts";
import { listed } from "../wording/field-paths.ts";
import { didYouMean } from "../wording/nearest-name.ts";
import type { Scorer } from "./scorer.ts";
import { wantedModel } from "./wanted-model.ts";

/** Options of a pool in this process. */
export interface EmbeddedOptions {
  readonly settings: Pick<ScoreSettings, "model" | "models" | "devices"> &
    Partial<Pick<ScoreSettings, "origins">>;
  /** The environment, for CUDA_VISIBLE_DEVICES. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
}

/**
 * As many as the largest chunk has, which is one run by itself: where chunks shared runs, which of them do would be a matter of time,
 * and so would the last digit of scores, which ONNX Runtime sums otherwise in other batches. A run that goes on would then differ.
 */
const BATCH_ROWS = 8192;
const REQUESTS_IN_FLIGHT = 6;
/** A run of thousands of rows may take minutes; a first one of a few that takes this long hangs. */
const FIRST_RUN_TIMEOUT_MS = 30_000;

/**
 * Loads one model into a pool in this process: the version asked for (`name:version`, `name:label`), else the model's default or the highest. Runs use every core,
 * since no event loop has callers to answer beside them. Rejects with MODEL_NOT_FOUND, MODEL_INVALID or DEVICE_UNAVAILABLE.
 */
export async function openEmbeddedScorer(options: EmbeddedOptions): Promise<Scorer> {
  const { settings, environment, log } = options;
  const listing = readDeviceListing(environment.CUDA_VISIBLE_DEVICES);
  const devices = chooseDevices(settings.devices, listing, settings.origins?.devices);
  const found = withoutQueueLimits(await findModel(settings));
  const cpuInstances = devices.devices.filter(({ provider }) => provider === "cpu").length;
  const threads = Math.max(1, Math.floor(availableParallelism() / Math.max(1, cpuInstances)));
  const flags = new Map([
    ["intra-op-threads", String(threads)],
    ["max-batch-size", String(BATCH_ROWS)],
    ["max-queue-rows", String(BATCH_ROWS * 64)],
    ["max-queue-bytes", String(2 ** 31)],
    ["run-timeout-ms", "600000"],
  ]);
  const serverSettings = readServerSettings({ flags, environment: {} });
  const loaded = await loadModel(found, {
    settings: serverSettings,
    devices,
    log,
    joinsRequests: false,
    firstRunTimeoutMs: FIRST_RUN_TIMEOUT_MS,
  });
  if (!("batcher" in loaded)) {
    const { modelName, modelVersion, reason, cause } = loaded;
    throw new AssayError(
      Reason.MODEL_INVALID,
      `model ${JSON.stringify(modelName)} version ${modelVersion} cannot score: ${reason}`,
      { cause },
    );
  }
  const registry = new Registry({ log });
  registry.add(loaded);
  const scoring = createScoringService(registry.table, serverSettings);
  return {
    model: loaded.describe(),
    requestsInFlight: REQUESTS_IN_FLIGHT,
    score(request) {
      return scoring.predict(
        request,
        createCall({ deadlineAt: Infinity, lane: "bulk", protocol: "embedded" }),
      );
    },
    close: () => registry.close(),
  };
}

/** The job bounds what waits, so a model's own queue limits would only refuse what is wanted. */
function withoutQueueLimits(model: PreparedModel): PreparedModel {
  const { maxQueueRows: _rows, maxQueueBytes: _bytes, ...config } = model.config;
  return { ...model, config: create(ModelConfigSchema, config) };
}

async function findModel({
  models,
  model: wanted,
  origins,
}: EmbeddedOptions["settings"]): Promise<PreparedModel> {
  const { name, version: asked } = wantedModel(wanted);
  const isFile = wanted.endsWith(".onnx");
  const path = isFile ? wanted : join(models, name);
  const names = isFile ? [name] : await readdir(models).catch(() => undefined);
  if (names === undefined) {
    throw new AssayError(
      Reason.CONFIG_INVALID,
      `${origins?.models ?? "--models"}: ${models} cannot be read; expected a folder with <name>/<version>/model.onnx`,
    );
  }
  if (!isFile && !names.includes(name)) {
    const hint = didYouMean(name, names) || `; it has ${listed(names) || "none"}`;
    throw new AssayError(Reason.MODEL_NOT_FOUND, `${models} has no model ${JSON.stringify(name)}${hint}`);
  }
  const found = await scanPath(path);
  const { labels, defaultVersion } = isFile
    ? EVERY_VERSION
    : // A config.json that cannot be read is told with the version.
      await versionChoice(path).catch(() => EVERY_VERSION);
  const said = asked ?? (defaultVersion === "" ? undefined : defaultVersion);
  const version = said === undefined ? undefined : (labels.get(said) ?? said);
  const one =
    version === undefined ? found.at(-1) : found.find((each) => described(each).modelVersion === version);
  if (one === undefined) {
    const has = found.map((each) => described(each).modelVersion).join(", ") || "no versions";
    const what = version === undefined ? "holds no model" : `has no version ${version}; it has ${has}`;
    throw new AssayError(Reason.MODEL_VERSION_NOT_FOUND, `model ${JSON.stringify(name)} ${what}`);
  }
  if (one.kind === "prepared") return one.model;
  const others = found.filter((each) => each !== one && each.kind === "prepared");
  const other =
    others.length === 0 ? "" : `; --model ${name}:${described(others.at(-1)!).modelVersion} would do`;
  throw new AssayError(
    Reason.MODEL_INVALID,
    `model ${JSON.stringify(name)} version ${one.modelVersion} cannot score: ${one.reason}${other}`,
    { cause: one.cause },
  );
}

function described(found: FoundModel): { readonly modelVersion: string } {
  return found.kind === "prepared" ? found.model : found;
}
