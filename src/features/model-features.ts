import { resolve } from "node:path";
import type { JsonObject } from "@bufbuild/protobuf";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import type { FeatureReport } from "../../gen/assay/v1/scoring_service_pb.ts";
import { AssayError } from "../errors.ts";
import type { FeaturePlan } from "../model/features/feature-plan.ts";
import type { RowColumns } from "../model/row-columns.ts";
import type { Log } from "../telemetry/log.ts";
import { cellPath } from "../wording/field-paths.ts";
import type { FeatureCounts } from "./feature-counts.ts";
import { type FeatureStore, type KeyTexts, keyId } from "./feature-store.ts";
import { LookupQueue } from "./lookup-queue.ts";
import { RedisStore } from "./redis-store.ts";
import { type FetchedRow, RowCache } from "./row-cache.ts";
import { type FoundRow, RowCompletion, type RowFaults } from "./row-completion.ts";
import { keyTexts, type RowShape, RowShapes } from "./row-shape.ts";
import { storeTls, whyUnreachable } from "./store-tls.ts";
import { shownUrl, storeUrl } from "./store-url.ts";
import { TableStore } from "./table-store.ts";

/** What the sources of a model are opened with. */
export interface FeatureOptions {
  readonly plans: readonly FeaturePlan[];
  readonly mapping: RowColumns;
  readonly modelName: string;
  readonly modelVersion: string;
  /** What a table's path is relative to. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  counts(source: string): FeatureCounts;
  /** Other stores than the plans': for tests. */
  readonly makeStore?: (plan: FeaturePlan) => FeatureStore;
}

/** How rows are completed. */
export interface CompleteOptions {
  /** On `performance.now()`'s clock. */
  readonly deadlineAt: number;
  readonly explain: boolean;
  readonly faults: RowFaults;
}

/** Rows of the model's columns alone. */
export interface CompletedRows {
  readonly rows: JsonObject[];
  readonly report: FeatureReport | undefined;
}

/** The most keys of a source that wait: those of some full requests. */
const MOST_WAITING = 131_072;

/** The feature sources of one version of a model; whoever made it closes it. Throws CONFIG_INVALID for a URL that cannot be made. */
export class ModelFeatures {
  readonly plans: readonly FeaturePlan[];
  /** Names of keys that are no columns of the model: rows may have them. */
  readonly keyNames: ReadonlySet<string>;
  /** The model's columns that rows may leave out. */
  readonly columnNames: ReadonlySet<string>;
  private readonly sources: readonly Source[];
  private readonly shapes: RowShapes;
  private readonly modelName: string;

  constructor(options: FeatureOptions) {
    const { plans, mapping, modelName } = options;
    this.plans = plans;
    this.modelName = modelName;
    this.shapes = new RowShapes(plans, mapping);
    this.sources = plans.map((plan) => new Source(plan, options));
    this.columnNames = new Set(plans.flatMap(({ columns }) => columns.map(({ name }) => name)));
    this.keyNames = new Set(plans.flatMap(({ keys }) => keys).filter((key) => !mapping.byName.has(key)));
  }

  /** Resolves once all can be asked; rejects with an AssayError where a configuration or a table has a mistake. */
  async open(): Promise<void> {
    await Promise.all(this.sources.map((source) => source.open()));
  }

  /** Completes rows. What is wrong with single rows is added to the faults; rejects with FEATURES_UNAVAILABLE or DEADLINE_EXCEEDED. */
  async complete(rows: readonly JsonObject[], options: CompleteOptions): Promise<CompletedRows> {
    const { faults, deadlineAt, explain } = options;
    const shapes = rows.map((row) => this.shapes.of(row));
    const found: (readonly (FoundRow | undefined)[])[] = [];
    const waits: Promise<void>[] = [];
    for (let at = 0; at < this.sources.length; at++) {
      const wanted = this.sources[at]!.find(rows, shapes, at, faults);
      found.push(wanted.found);
      if (wanted.keys.length > 0) waits.push(this.sources[at]!.fetch(wanted, deadlineAt));
    }
    if (waits.length > 0) await Promise.all(waits);
    const completion = new RowCompletion(rows, shapes, faults, explain);
    for (let at = 0; at < this.sources.length; at++) {
      const { plan, counts } = this.sources[at]!;
      if (!completion.fill(at, plan, found[at]!, counts)) throw this.unavailable(plan, deadlineAt);
    }
    return { rows: completion.rows, report: completion.report };
  }

  close(): void {
    for (const source of this.sources) source.close();
  }

  private unavailable({ name, timeoutMs, columns }: FeaturePlan, deadlineAt: number): AssayError {
    const source = `feature source ${JSON.stringify(name)} of model ${JSON.stringify(this.modelName)}`;
    // Timers may fire a little early.
    if (performance.now() >= deadlineAt - 1)
      return new AssayError(Reason.DEADLINE_EXCEEDED, `the deadline passed while ${source} was asked`);
    return new AssayError(
      Reason.FEATURES_UNAVAILABLE,
      `${source} is down or did not answer within ${timeoutMs} ms: try again, or send its ${columns.length === 1 ? "column" : `${columns.length} columns`} yourself`,
    );
  }
}

/** Keys that the cache does not have, and what it has. */
interface WantedRows {
  readonly found: (FoundRow | undefined)[];
  readonly keys: KeyTexts[];
  /** For each of the keys the rows that have it. */
  readonly rowsOfKey: number[][];
}

class Source {
  readonly plan: FeaturePlan;
  readonly counts: FeatureCounts;
  private readonly store: FeatureStore;
  private readonly place: string;
  private readonly cache: RowCache;
  private readonly queue: LookupQueue;
  private readonly log: Log;
  private readonly names: { readonly model: string; readonly version: string; readonly source: string };
  private isDown = false;

  constructor(plan: FeaturePlan, options: FeatureOptions) {
    const { modelName: model, modelVersion: version, log } = options;
    this.plan = plan;
    this.counts = options.counts(plan.name);
    const made = options.makeStore?.(plan) ?? makeStore(plan, options);
    this.store = made;
    this.place = plan.store.kind === "table" ? plan.store.path : shownUrl(urlOf(plan, options));
    this.cache = new RowCache(plan);
    this.log = log;
    this.names = { model, version, source: plan.name };
    this.queue = new LookupQueue({
      store: made,
      cache: this.cache,
      counts: this.counts,
      columns: plan.columns,
      hasTimes: plan.timeColumn !== "",
      onTrip: (error) => this.onTrip(error),
    });
  }

  open(): Promise<void> {
    return this.store.open();
  }

  find(rows: readonly JsonObject[], shapes: readonly RowShape[], at: number, faults: RowFaults): WantedRows {
    const found: (FoundRow | undefined)[] = [];
    const wanted: WantedRows = { found, keys: [], rowsOfKey: [] };
    const places = new Map<string, number>();
    const now = performance.now();
    for (let index = 0; index < rows.length; index++) {
      const shape = shapes[index]!.sources[at]!;
      found.push(undefined);
      if (shape.absent.length === 0) continue;
      const texts = keyTexts(rows[index]!, shape, this.plan);
      if (!isKey(texts)) {
        if (faults.hasRoom) faults.add(cellPath(index, texts.field), texts.description, texts.rule);
        else faults.leaveOut();
        continue;
      }
      const id = keyId(texts);
      const cached = this.cache.get(id, now);
      found[index] = { fetched: cached, fromCache: true };
      if (cached !== undefined) continue;
      const place = places.get(id);
      if (place !== undefined) wanted.rowsOfKey[place]!.push(index);
      else {
        places.set(id, wanted.keys.push(texts) - 1);
        wanted.rowsOfKey.push([index]);
      }
    }
    return wanted;
  }

  async fetch({ keys, rowsOfKey, found }: WantedRows, deadlineAt: number): Promise<void> {
    if (this.queue.waiting + keys.length > MOST_WAITING) return;
    const leftMs = deadlineAt - performance.now();
    if (leftMs <= 0) return;
    const rows = await this.queue.lookUp(keys, Math.min(this.plan.timeoutMs, leftMs));
    for (let at = 0; at < keys.length; at++) {
      const fetched: FetchedRow | undefined = rows.get(keyId(keys[at]!));
      for (const index of rowsOfKey[at]!) found[index] = { fetched, fromCache: false };
    }
    if (rows.size < keys.length && !this.isDown)
      this.tellDown(`it did not answer within ${this.plan.timeoutMs} ms`);
  }

  close(): void {
    this.queue.close();
    this.store.close();
    this.cache.clear();
  }

  private onTrip(error: unknown): void {
    if (error !== undefined) {
      if (!this.isDown) this.tellDown(whyDown(error, this.plan));
    } else if (this.isDown) {
      this.isDown = false;
      this.log.info({ ...this.names, store: this.place }, "the feature store answers again");
    }
  }

  /** Once for each time that it goes down. */
  private tellDown(why: string): void {
    this.isDown = true;
    this.log.warn({ ...this.names, store: this.place }, `the feature store cannot be asked: ${why}`);
  }
}

/** A store's own words, without what it quotes: that may be a key. */
function whyDown(error: unknown, { store }: FeaturePlan): string {
  const caFile = store.kind === "redis" ? store.tlsCaFile : "";
  const text = whyUnreachable(error, caFile, "its tls_ca_file");
  return error instanceof AssayError ? text : text.replaceAll(/(["'`]).*?(\1|$)/gs, "$1…$1");
}

function isKey(texts: KeyTexts | { readonly field: string }): texts is KeyTexts {
  return Array.isArray(texts);
}

function makeStore(plan: FeaturePlan, options: FeatureOptions): FeatureStore {
  const { store, columns, keys, timeColumn } = plan;
  const fields = columns.map(({ storedAs }) => storedAs);
  if (timeColumn !== "") fields.push(timeColumn);
  if (store.kind === "redis") {
    const url = urlOf(plan, options);
    const caFile = store.tlsCaFile === "" ? "" : resolve(options.folder, store.tlsCaFile);
    const tls = storeTls(url, caFile, ownerOf(plan));
    const { timeoutMs } = plan;
    return new RedisStore({ url, tls, keyTemplate: store.key, keyNames: keys, fields, timeoutMs });
  }
  return new TableStore({
    path: resolve(options.folder, store.path),
    table: store.table,
    keys,
    fields,
    timeField: timeColumn,
    maxBytes: plan.cacheBytes,
    lookEveryMs: Math.min(plan.cacheMs, 1_000),
  });
}

function urlOf(plan: FeaturePlan, { environment }: FeatureOptions): string {
  return plan.store.kind === "redis" ? storeUrl(plan.store, environment, ownerOf(plan)) : "";
}

function ownerOf({ name }: FeaturePlan): string {
  return `feature source ${JSON.stringify(name)}`;
}
