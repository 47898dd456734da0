import type { PlannedColumn } from "../model/features/feature-plan.ts";
import {
  type StoredCell,
  type StoredValue,
  storedCell,
  storedTimeMs,
} from "../model/features/stored-value.ts";
import type { FeatureCounts } from "./feature-counts.ts";
import { type FeatureStore, type KeyTexts, keyId, type StoredRow } from "./feature-store.ts";
import type { FetchedRow, RowCache } from "./row-cache.ts";

/** What a queue stands on. */
export interface QueueOptions {
  readonly store: FeatureStore;
  readonly cache: RowCache;
  readonly counts: FeatureCounts;
  readonly columns: readonly PlannedColumn[];
  /** The store's last field is the time that it was written. */
  readonly hasTimes: boolean;
  /** A trip failed; `undefined`: one was answered. */
  onTrip(error: unknown): void;
}

/** The keys of one trip, and how many trips may be open: more would only wait in the store. */
const MOST_TRIP_KEYS = 2_048;
const MOST_TRIPS = 2;

/** A key that somebody waits for. */
interface WantedKey {
  readonly texts: KeyTexts;
  readonly waits: Wait[];
}

/** Joins the look-ups of callers that wait at the same time into round trips. */
export class LookupQueue {
  private readonly options: QueueOptions;
  /** Keys that no trip has taken yet. */
  private wanted = new Map<string, WantedKey>();
  private trips = 0;
  private isScheduled = false;
  private closed = false;
  private readonly send = (): void => this.sendTrips();

  constructor(options: QueueOptions) {
    this.options = options;
  }

  /** How many keys wait for a trip. */
  get waiting(): number {
    return this.wanted.size;
  }

  /**
   * What the store has under each key, by `keyId`. Resolves once all are answered, or when the time is up, without those that are not.
   * Keys may stand twice.
   */
  lookUp(keys: readonly KeyTexts[], timeoutMs: number): Promise<ReadonlyMap<string, FetchedRow>> {
    return new Promise((resolve) => {
      const wait = new Wait(resolve, (one) => this.giveUp(one));
      for (const texts of keys) {
        const id = keyId(texts);
        if (wait.open.has(id)) continue;
        wait.open.add(id);
        const wanted = this.wanted.get(id);
        if (wanted === undefined) this.wanted.set(id, { texts, waits: [wait] });
        else wanted.waits.push(wait);
      }
      wait.begin(timeoutMs);
      this.schedule();
    });
  }

  /** Nobody is answered any more but with nothing. */
  close(): void {
    this.closed = true;
    const waits = [...this.wanted.values()].flatMap((one) => one.waits);
    this.wanted.clear();
    for (const wait of waits) wait.end();
  }

  /** At the end of the event loop's turn: whoever asks in the same turn comes along. */
  private schedule(): void {
    if (this.isScheduled || this.trips >= MOST_TRIPS || this.wanted.size === 0) return;
    this.isScheduled = true;
    setImmediate(this.send);
  }

  private sendTrips(): void {
    this.isScheduled = false;
    while (!this.closed && this.trips < MOST_TRIPS && this.wanted.size > 0) void this.sendTrip();
  }

  private async sendTrip(): Promise<void> {
    const { store, counts, onTrip } = this.options;
    const taken = this.takeKeys();
    const sentAt = performance.now();
    this.trips++;
    try {
      const rows = await store.lookUp(Array.from(taken.values(), ({ texts }) => texts));
      counts.trips.observe(performance.now() - sentAt);
      onTrip(undefined);
      this.deliver(taken, rows, sentAt);
    } catch (error) {
      counts.failedTrips++;
      onTrip(error);
      for (const [id, { waits }] of taken) for (const wait of waits) wait.miss(id);
    } finally {
      this.trips--;
      this.schedule();
    }
  }

  private takeKeys(): Map<string, WantedKey> {
    if (this.wanted.size <= MOST_TRIP_KEYS) {
      const all = this.wanted;
      this.wanted = new Map();
      return all;
    }
    const taken = new Map<string, WantedKey>();
    for (const [id, wanted] of this.wanted) {
      if (taken.size === MOST_TRIP_KEYS) break;
      taken.set(id, wanted);
      this.wanted.delete(id);
    }
    return taken;
  }

  private deliver(taken: ReadonlyMap<string, WantedKey>, rows: readonly StoredRow[], sentAt: number): void {
    const { cache, counts, columns, hasTimes } = this.options;
    let at = 0;
    for (const [id, { waits }] of taken) {
      const stored = rows[at++];
      if (stored instanceof Error) {
        for (const wait of waits) wait.miss(id);
        continue;
      }
      const row = readRow(stored, columns, hasTimes, sentAt);
      if (!this.closed) cache.put(id, row);
      for (const wait of waits) wait.answer(id, row);
    }
    counts.cachedRows = cache.rowCount;
    counts.cachedBytes = cache.byteCount;
  }

  /** Keys that nobody waits for any more are not asked for. */
  private giveUp(wait: Wait): void {
    this.options.counts.timeouts++;
    for (const id of wait.open) {
      const wanted = this.wanted.get(id);
      if (wanted === undefined) continue;
      const place = wanted.waits.indexOf(wait);
      if (place !== -1) wanted.waits.splice(place, 1);
      if (wanted.waits.length === 0) this.wanted.delete(id);
    }
  }
}

/** One call that waits for some keys. */
class Wait {
  /** Keys that are not answered. */
  readonly open = new Set<string>();
  private readonly rows = new Map<string, FetchedRow>();
  private readonly resolve: (rows: ReadonlyMap<string, FetchedRow>) => void;
  private readonly onTimeout: (wait: Wait) => void;
  private timer: NodeJS.Timeout | undefined = undefined;

  constructor(resolve: (rows: ReadonlyMap<string, FetchedRow>) => void, onTimeout: (wait: Wait) => void) {
    this.resolve = resolve;
    this.onTimeout = onTimeout;
  }

  begin(timeoutMs: number): void {
    if (this.open.size === 0) this.end();
    else this.timer = setTimeout(ranOut, Math.max(1, Math.ceil(timeoutMs)), this);
  }

  answer(id: string, row: FetchedRow): void {
    if (this.open.has(id)) this.rows.set(id, row);
    this.miss(id);
  }

  /** The store will not answer this key. */
  miss(id: string): void {
    if (this.open.delete(id) && this.open.size === 0) this.end();
  }

  runOut(): void {
    this.onTimeout(this);
    this.open.clear();
    this.end();
  }

  end(): void {
    clearTimeout(this.timer);
    this.resolve(this.rows);
  }
}

function ranOut(wait: Wait): void {
  wait.runOut();
}

function readRow(
  stored: readonly StoredValue[] | undefined,
  columns: readonly PlannedColumn[],
  hasTimes: boolean,
  fetchedAt: number,
): FetchedRow {
  if (stored === undefined) return { cells: undefined, fetchedAt, writtenAt: Number.NaN };
  const cells = columns.map(({ datatype }, index): StoredCell => storedCell(stored[index], datatype));
  if (!hasTimes) return { cells, fetchedAt, writtenAt: Number.NaN };
  const writtenMs = storedTimeMs(stored[columns.length]);
  // A time that cannot be read, or is not there, is no proof of youth. The time of day is taken as it is now: a clock that was put
  // right, or a machine that slept, would make old values young.
  const writtenAt = Number.isNaN(writtenMs)
    ? Number.NEGATIVE_INFINITY
    : performance.now() + writtenMs - Date.now();
  return { cells, fetchedAt, writtenAt };
}
