import type { ModelConfig } from "../../gen/assay/config/v1/model_config_pb.ts";
import { type Model, ModelState } from "../../gen/assay/v1/model_service_pb.ts";
import type { PredictRequest } from "../../gen/assay/v1/scoring_service_pb.ts";
import type { Batcher } from "../batcher/batcher.ts";
import { createBatcher } from "../batcher/create-batcher.ts";
import { SharedQueues } from "../batcher/shared-queues.ts";
import type { ModelFeatures } from "../features/model-features.ts";
import { configInEffect, type ModelSettings } from "../model/config/model-settings.ts";
import { exampleRequest } from "../model/example-request.ts";
import type { PreparedModel } from "../model/prepared-model.ts";
import { mapRowColumns, type RowColumnsResult } from "../model/row-columns.ts";
import type { ModelSignature } from "../model/signature.ts";
import type { TritonFiles } from "../model/triton/side-files.ts";
import type { GuestPort, InstanceStatus, Pool } from "../pool/pool.ts";
import type { Log } from "../telemetry/log.ts";
import type { QueuePlace, SharedGeneration } from "./edges/shared-generation.ts";
import type { FileWatch } from "./file-watch.ts";
import { ModelCounters } from "./model-counters.ts";
import { describeModel } from "./model-description.ts";
import type { Generation } from "./served-model.ts";

/** What a loaded model stands on besides its pool. */
interface LoadedModelOptions {
  readonly log: Log;
  readonly fileWatch?: FileWatch;
  /** False: requests share no run. Default: the model's batching decides. */
  readonly joinsRequests?: boolean;
  /** Default: fresh ones. */
  readonly counters?: ModelCounters;
  /** What to do so that changed files are served. */
  readonly reloadAdvice?: string;
  /** Its feature sources, which it closes. */
  readonly features?: ModelFeatures | undefined;
  /** Where several edges tell each other what waits, and this one's place; undefined where there is one. */
  readonly queues?: QueuePlace | undefined;
}

/** A model that passed its gate, on a pool of its own, which it closes. */
export class LoadedModel implements Generation {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly signature: ModelSignature;
  readonly batcher: Batcher;
  readonly rowColumns: RowColumnsResult;
  readonly features: ModelFeatures | undefined;
  readonly triton: TritonFiles | undefined;
  readonly counters: ModelCounters;
  updateFailure: string | undefined = undefined;
  private readonly model: PreparedModel;
  private readonly pool: Pool;
  private readonly scheduling: ModelSettings;
  private readonly queues: SharedArrayBuffer | undefined;
  private readonly log: Log;
  private readonly reloadAdvice: string;
  private readonly config: ModelConfig;
  private readonly example: PredictRequest | undefined;
  private readonly unwatch: () => void;
  private changed: readonly string[] = [];
  private described: { readonly key: string; readonly description: Model } | undefined;
  private closed: Promise<void> | undefined;

  constructor(model: PreparedModel, pool: Pool, scheduling: ModelSettings, options: LoadedModelOptions) {
    const { log, fileWatch, counters = new ModelCounters(), reloadAdvice, queues } = options;
    const { modelName, modelVersion, signature } = model;
    this.modelName = modelName;
    this.modelVersion = modelVersion;
    this.signature = signature;
    this.rowColumns = mapRowColumns(signature);
    // The pool keeps the file's bytes for sessions to come; a second copy would stay as long as the model does.
    this.model = { ...model, bytes: new Uint8Array(0), ...withoutWarmup(model) };
    this.features = options.features;
    this.triton = this.model.triton;
    this.pool = pool;
    this.scheduling = scheduling;
    this.queues = queues?.memory;
    this.log = log;
    this.counters = counters;
    this.reloadAdvice = reloadAdvice ?? "restart the server to load the new ones";
    this.config = configInEffect(model.config, scheduling);
    this.example = exampleRequest(this.model);
    this.batcher = createBatcher({
      pool,
      modelName,
      batching: signature.batching,
      joinsEntries: options.joinsRequests !== false,
      // Exports declare [1] and return a row each; other fixed lengths, and scalars, are no rows.
      rowlessOutputNames: signature.outputs
        .filter(({ shape, rowless }) => rowless === true || shape.length === 0 || shape[0]! > 1)
        .map((output) => output.name),
      log,
      counts: this.counters,
      otherQueues: queues === undefined ? undefined : new SharedQueues(queues.memory, queues.place),
      ...scheduling,
    });
    const onAvailability = (available: boolean): void => this.tellAvailability(available);
    pool.onAvailability = onAvailability;
    this.unwatch = fileWatch?.add(model.files, (changed) => this.onFilesChanged(changed)) ?? nothing;
  }

  state(): ModelState {
    return this.pool.liveCount > 0 ? ModelState.READY : ModelState.UNAVAILABLE;
  }

  instances(): readonly InstanceStatus[] {
    return this.pool.instances;
  }

  changedFiles(): readonly string[] {
    return this.changed;
  }

  /** Made anew only where what it depends on has changed: that of thousands of columns takes a while. */
  describe(): Model {
    const circumstances = {
      state: this.state(),
      stateReason: this.pool.liveCount > 0 ? "" : whyUnavailable(this.pool),
      devices: this.pool.instances.map((instance) => instance.device),
      changedFiles: this.changed,
    };
    const key = JSON.stringify(circumstances);
    if (this.described?.key !== key) {
      const { config, example } = this;
      const description = describeModel(this.model, { ...circumstances, config, exampleRequest: example });
      this.described = { key, description };
    }
    return this.described.description;
  }

  share(port: GuestPort): SharedGeneration {
    const { model, scheduling, queues, pool } = this;
    pool.admit!(port);
    return { model: { ...model, goldenCases: [] }, scheduling, queues: queues! };
  }

  drain(): Promise<void> {
    return this.batcher.drain();
  }

  close(): Promise<void> {
    this.closed ??= this.closeAll();
    return this.closed;
  }

  private async closeAll(): Promise<void> {
    this.unwatch();
    this.pool.onAvailability = nothing;
    // The batcher waits for what runs; the pool gives up what does not end.
    this.features?.close();
    await Promise.all([this.batcher.close(), this.pool.close()]);
  }

  private tellAvailability(available: boolean): void {
    const fields = { model: this.modelName, version: this.modelVersion };
    if (available) this.log.info(fields, "the model takes requests again");
    else this.log.error(fields, "no instance of the model lives; they are being restarted");
  }

  private onFilesChanged(changed: readonly string[]): void {
    this.changed = changed;
    const fields = { model: this.modelName, version: this.modelVersion, files: changed };
    if (changed.length === 0) this.log.info(fields, "the files on disk are those that were loaded again");
    else this.log.warn(fields, `files changed on disk: what was loaded is served on; ${this.reloadAdvice}`);
  }
}

/** Why the instances ended, as callers and operators are told it. */
function whyUnavailable(pool: Pool): string {
  const ended = pool.instances.find(({ lastError }) => lastError !== "");
  return pool.outage?.message ?? `its instances are being restarted: ${ended?.lastError ?? ""}`;
}

/** First runs have been made: what they brought is not kept. */
function withoutWarmup({ triton }: PreparedModel): Pick<PreparedModel, "triton"> {
  return triton === undefined ? {} : { triton: { ...triton, warmupData: new Map() } };
}

function nothing(): void {}
