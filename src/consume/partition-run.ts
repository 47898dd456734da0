/**
 * One partition, from the offset that its group has committed on: what is fetched, being scored, and scored.
 * Promises: slices leave in the order of their offsets; what is committed never passes a record that has no outcome yet; a run
 * that has ended takes and gives nothing, so that whoever owns the partition next begins where this one committed.
 */
import { type InputRecord, type OutputMessage, OVERHEAD_BYTES, recordBytes } from "./records/input-record.ts";

/** Neighbouring records that are scored together. */
export interface Slice {
  readonly records: readonly InputRecord[];
  readonly bytes: number;
  /** The offset after its last record. */
  readonly nextOffset: bigint;
  /** What its records became; undefined: it is being scored, or waits for that. */
  messages: readonly OutputMessage[] | undefined;
  isBegun: boolean;
}

const LEAST_FETCH_BYTES = 65_536;
const MOST_FETCH_BYTES = 1_048_576;

/** One partition's run. */
export class PartitionRun {
  readonly partition: number;
  private readonly controller = new AbortController();
  private waiting: InputRecord[] = [];
  private readonly open: Slice[] = [];
  /** The next offset to fetch; undefined until the group's offset is known. */
  position: bigint | undefined;
  /** When the oldest record began to wait. */
  waitingSinceMs = 0;
  rows = 0;
  bytes = 0;
  /** Octets of a record as it is fetched, of the last fetch. */
  private recordBytes = 100;
  private isStuck = false;

  constructor(partition: number) {
    this.partition = partition;
  }

  /** Aborted when the run ends. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  get isEnded(): boolean {
    return this.controller.signal.aborted;
  }

  /** Ends the run: its records are forgotten, and read again by whoever runs the partition next. */
  end(): void {
    this.controller.abort();
    this.waiting = [];
    this.open.length = 0;
    this.rows = this.bytes = 0;
  }

  /** Takes fetched records, and where to fetch on, which may lie behind the last of them. */
  take(records: readonly InputRecord[], nextPosition: bigint, nowMs: number): void {
    if (this.isEnded) return;
    this.isStuck = nextPosition === this.position;
    this.position = nextPosition;
    if (records.length === 0) return;
    if (this.waiting.length === 0) this.waitingSinceMs = nowMs;
    let bytes = 0;
    for (const record of records) {
      bytes += recordBytes(record);
      this.waiting.push(record);
    }
    this.bytes += bytes;
    this.rows += records.length;
    this.recordBytes = Math.max(20, bytes / records.length - OVERHEAD_BYTES / 2);
  }

  /** How much to fetch for `mostRows` rows to be held: at least what goes without many fetches, all where a batch did not fit. */
  fetchBytes(mostRows: number): number {
    if (this.isStuck) return MOST_FETCH_BYTES;
    const wanted = (mostRows - this.rows) * this.recordBytes;
    return Math.round(Math.min(MOST_FETCH_BYTES, Math.max(LEAST_FETCH_BYTES, wanted)));
  }

  /** Cuts what waits into slices of `mostRows`: full ones at once, the rest when its oldest has waited `lingerMs`. */
  cut(mostRows: number, lingerMs: number, nowMs: number): void {
    let at = 0;
    for (; this.waiting.length - at >= mostRows; at += mostRows)
      this.add(this.waiting.slice(at, at + mostRows));
    const rest = at === 0 ? this.waiting : this.waiting.slice(at);
    if (rest.length > 0 && nowMs - this.waitingSinceMs >= lingerMs) {
      this.add(rest);
      this.waiting = [];
    } else {
      this.waiting = rest;
    }
  }

  /** When `cut` has something to do again; undefined: not before more is taken. */
  cutAtMs(lingerMs: number): number | undefined {
    return this.waiting.length === 0 ? undefined : this.waitingSinceMs + lingerMs;
  }

  /** The next slice to be scored. */
  nextUnscored(): Slice | undefined {
    return this.open.find(isUnscored);
  }

  /** The slices that are scored and have only such before them, up to so many rows and bytes, but at least one. */
  scored(mostRows: number, mostBytes: number): Slice[] {
    const found: Slice[] = [];
    let rows = 0;
    let bytes = 0;
    for (const slice of this.open) {
      if (slice.messages === undefined) break;
      rows += slice.records.length;
      bytes += slice.bytes;
      if (found.length > 0 && (rows > mostRows || bytes > mostBytes)) break;
      found.push(slice);
    }
    return found;
  }

  /** The offset to commit with the first `count` slices: past what lies behind the last record and holds no rows. */
  offsetAfter(count: number): bigint {
    const isAll = count === this.open.length && this.waiting.length === 0;
    // Without a position, records that the brokers no longer have are being passed over.
    return (isAll ? this.position : undefined) ?? this.open[count - 1]!.nextOffset;
  }

  /** Forgets the first `count` slices, which are committed. */
  release(count: number): void {
    for (const slice of this.open.splice(0, count)) {
      this.rows -= slice.records.length;
      this.bytes -= slice.bytes;
    }
  }

  private add(records: readonly InputRecord[]): void {
    let bytes = 0;
    for (const record of records) bytes += recordBytes(record);
    const nextOffset = records.at(-1)!.offset + 1n;
    this.open.push({ records, bytes, nextOffset, messages: undefined, isBegun: false });
  }
}

function isUnscored({ isBegun }: Slice): boolean {
  return !isBegun;
}

/** What may be in memory, and what is written together. */
export interface FlowLimits {
  readonly mostRows: number;
  readonly mostBytes: number;
}

/** The runs that may fetch more: all, until their rows or bytes together reach a limit; one that has nothing always may. */
export function fetchingRuns(runs: readonly PartitionRun[], limits: FlowLimits): PartitionRun[] {
  let rows = 0;
  let bytes = 0;
  for (const run of runs) {
    rows += run.rows;
    bytes += run.bytes;
  }
  const isFull = rows >= limits.mostRows || bytes >= limits.mostBytes;
  const share = { rows: limits.mostRows / runs.length, bytes: limits.mostBytes / runs.length };
  return runs.filter(
    (run) =>
      run.position !== undefined &&
      (run.rows === 0 || (!isFull && run.rows < share.rows && run.bytes < share.bytes)),
  );
}
