import { fromJson, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { ModelConfigSchema } from "../../../gen/assay/config/v1/model_config_pb.ts";
import { FeatureCounts } from "../../../src/features/feature-counts.ts";
import type { FeatureStore, KeyTexts, StoredRow } from "../../../src/features/feature-store.ts";
import { type CompletedRows, ModelFeatures } from "../../../src/features/model-features.ts";
import type { RowFaults } from "../../../src/features/row-completion.ts";
import { createConfigMistakes } from "../../../src/model/config/config-mistakes.ts";
import { type FeaturePlan, planFeatures } from "../../../src/model/features/feature-plan.ts";
import type { StoredValue } from "../../../src/model/features/stored-value.ts";
import { mapRowColumns } from "../../../src/model/row-columns.ts";
import type { Log } from "../../../src/telemetry/log.ts";
import { signature, spec } from "../models/signatures.ts";
import { silentLog } from "../servers/silent-log.ts";

/** A model of four columns: `age` and `score` floats, `count` an integer, `city` text. */
const COLUMNS = signature([
  spec("age", "FP32", [-1, 1]),
  spec("score", "FP64", [-1, 1]),
  spec("count", "INT64", [-1, 1]),
  spec("city", "BYTES", [-1, 1]),
]);

/** A source as config.json says it: `age` and `city` under `id`. */
export const SOURCE = {
  name: "people",
  keys: ["id"],
  redis: { url: "redis://localhost:6379" },
  columns: [{ name: "age" }, { name: "city" }],
};

/** The plans of sources; throws what is wrong with them. */
export function plansOf(...sources: object[]): FeaturePlan[] {
  const config = fromJson(ModelConfigSchema, { feature_sources: sources } as JsonValue);
  const mistakes = createConfigMistakes(() => undefined);
  const plans = planFeatures(config, mapRowColumns(COLUMNS), mistakes);
  mistakes.throwIfAny();
  return plans;
}

/** A store whose answers a test gives, trip by trip. */
export class FakeStore implements FeatureStore {
  readonly trips: {
    readonly keys: readonly KeyTexts[];
    answer(rows: readonly StoredRow[]): void;
    fail(): void;
  }[] = [];
  /** Where it is set, every trip is answered from it at once. */
  rows: ReadonlyMap<string, readonly StoredValue[]> | undefined = undefined;
  closed = false;

  async open(): Promise<void> {}

  lookUp(keys: readonly KeyTexts[]): Promise<readonly StoredRow[]> {
    const trip = Promise.withResolvers<readonly StoredRow[]>();
    this.trips.push({
      keys,
      answer: trip.resolve,
      fail: () => trip.reject(new Error("the connection was lost")),
    });
    if (this.rows !== undefined) trip.resolve(keys.map((texts) => this.rows!.get(texts.join(":"))));
    return trip.promise;
  }

  close(): void {
    this.closed = true;
  }
}

/** Faults as a test reads them. */
class ListedFaults implements RowFaults {
  readonly list: string[] = [];
  readonly hasRoom = true;

  add(field: string, _description: string, rule: string): void {
    this.list.push(`${field} ${rule}`);
  }

  leaveOut(): void {}
}

/** The sources of a model over one store, with what they have counted. */
export class OpenedFeatures {
  readonly store = new FakeStore();
  readonly counts = new FeatureCounts();
  readonly faults = new ListedFaults();
  readonly features: ModelFeatures;

  constructor(plans: readonly FeaturePlan[], log: Log = silentLog) {
    const rowColumns = mapRowColumns(COLUMNS);
    if (rowColumns.kind === "unmapped") throw new Error(rowColumns.reason);
    this.features = new ModelFeatures({
      plans,
      mapping: rowColumns.mapping,
      modelName: "m",
      modelVersion: "1",
      folder: ".",
      environment: {},
      log,
      counts: () => this.counts,
      makeStore: () => this.store,
    });
  }

  complete(
    rows: JsonObject[],
    explain = false,
    deadlineAt = Number.POSITIVE_INFINITY,
  ): Promise<CompletedRows> {
    return this.features.complete(rows, { deadlineAt, explain, faults: this.faults });
  }

  /** The trip that is sent next. */
  async nextTrip(): Promise<FakeStore["trips"][number]> {
    const before = this.store.trips.length;
    while (this.store.trips.length === before) await new Promise((resolve) => setImmediate(resolve));
    return this.store.trips.at(-1)!;
  }
}
