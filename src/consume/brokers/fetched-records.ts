/** What a fetch brought of one partition: its records, without those of transactions that were aborted, and where to go on. */
import type { RecordsBatch } from "@platformatic/kafka";
import type { InputRecord } from "../records/input-record.ts";

/** A partition's part of an answer to Fetch. */
export interface FetchedPartition {
  readonly records?: RecordsBatch[] | null;
  readonly abortedTransactions:
    | readonly { readonly producerId: bigint; readonly firstOffset: bigint }[]
    | null;
}

/** Records in order, and the next offset to fetch. */
export interface Fetched {
  readonly records: readonly InputRecord[];
  readonly nextPosition: bigint;
}

const IS_CONTROL = 0b100000;
const IS_TRANSACTIONAL = 0b10000;
const LOG_APPEND_TIME = 0b1000;
const ABORT = 0;

/**
 * Reads what was fetched from `position` on: batches begin before it where it lies within one, and hold markers of transactions,
 * which are no records. A producer's records from an aborted transaction's first offset to its marker are left out.
 */
export function readFetched(
  { records: batches, abortedTransactions }: FetchedPartition,
  position: bigint,
): Fetched {
  const records: InputRecord[] = [];
  const aborted = [...(abortedTransactions ?? [])].sort(byOffset);
  const open = new Set<bigint>();
  let nextPosition = position;
  for (const batch of batches ?? []) {
    const lastOffset = batch.firstOffset + BigInt(batch.lastOffsetDelta);
    while (aborted.length > 0 && aborted[0]!.firstOffset <= lastOffset) open.add(aborted.shift()!.producerId);
    if (lastOffset + 1n > nextPosition) nextPosition = lastOffset + 1n;
    if ((batch.attributes & IS_CONTROL) !== 0) {
      if (batch.records[0]?.key?.readInt16BE(2) === ABORT) open.delete(batch.producerId);
      continue;
    }
    if ((batch.attributes & IS_TRANSACTIONAL) !== 0 && open.has(batch.producerId)) continue;
    const isLogTime = (batch.attributes & LOG_APPEND_TIME) !== 0;
    for (const { offsetDelta, timestampDelta, key, value, headers } of batch.records) {
      const offset = batch.firstOffset + BigInt(offsetDelta);
      if (offset < position) continue;
      const timestamp = isLogTime ? batch.maxTimestamp : batch.firstTimestamp + timestampDelta;
      records.push({ offset, timestamp, key, value, headers });
    }
  }
  return { records, nextPosition };
}

function byOffset(a: { readonly firstOffset: bigint }, b: { readonly firstOffset: bigint }): number {
  return a.firstOffset < b.firstOffset ? -1 : a.firstOffset > b.firstOffset ? 1 : 0;
}
