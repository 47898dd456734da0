import { create } from "@bufbuild/protobuf";
import {
  DynamicBatchingSchema,
  type FeatureSource,
  type ModelConfig,
  ModelConfigSchema,
} from "../../../gen/assay/config/v1/model_config_pb.ts";

/** The server's defaults for what a model's `config.json` leaves out; sizes in rows and bytes. */
export interface ModelDefaults {
  readonly maxBatchSize: number;
  readonly maxQueueDelayMicroseconds: number;
  readonly maxQueueRows: number;
  readonly maxQueueBytes: bigint;
  readonly runTimeoutMs: number;
}

/** The settings that schedule one model, with every default filled in. */
export interface ModelSettings {
  readonly maxBatchSize: number;
  readonly maxQueueDelayMicroseconds: number;
  readonly maxQueueRows: number;
  readonly maxQueueBytes: number;
  readonly runTimeoutMs: number;
}

/** Fills in what `config` leaves out. */
export function modelSettings(config: ModelConfig, defaults: ModelDefaults): ModelSettings {
  return {
    maxBatchSize: config.maxBatchSize ?? defaults.maxBatchSize,
    maxQueueDelayMicroseconds:
      config.dynamicBatching?.maxQueueDelayMicroseconds ?? defaults.maxQueueDelayMicroseconds,
    maxQueueRows: config.maxQueueRows ?? defaults.maxQueueRows,
    maxQueueBytes: Number(config.maxQueueBytes ?? defaults.maxQueueBytes),
    runTimeoutMs: config.runTimeoutMs ?? defaults.runTimeoutMs,
  };
}

/** A store's URL may have a user and a password in it. */
function withoutPassword(source: FeatureSource): FeatureSource {
  const { redis } = source;
  if (redis === undefined || !redis.url.includes("@")) return source;
  const url = redis.url.replace(/\/\/.*@/, "//…@");
  return { ...source, redis: { ...redis, url } };
}

/** The configuration in effect as GetModel shows it: what `config` says, and the defaults for the rest. */
export function configInEffect(config: ModelConfig, settings: ModelSettings): ModelConfig {
  const { maxBatchSize, maxQueueRows, runTimeoutMs, maxQueueDelayMicroseconds } = settings;
  return create(ModelConfigSchema, {
    ...config,
    featureSources: config.featureSources.map(withoutPassword),
    maxBatchSize,
    maxQueueRows,
    maxQueueBytes: BigInt(settings.maxQueueBytes),
    runTimeoutMs,
    dynamicBatching: create(DynamicBatchingSchema, { maxQueueDelayMicroseconds }),
  });
}
