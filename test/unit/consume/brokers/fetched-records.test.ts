import { expect, test } from "vitest";
import { readFetched } from "../../../../src/consume/brokers/fetched-records.ts";

const CONTROL = 0b110000;
const TRANSACTIONAL = 0b10000;
type Batches = NonNullable<Parameters<typeof readFetched>[0]["records"]>;

function batch(first: number, count: number, attributes = 0, producer = -1, key: Buffer | null = null) {
  const records = Array.from({ length: count }, (_, offsetDelta) => ({
    length: 0,
    attributes: 0,
    timestampDelta: BigInt(offsetDelta),
    offsetDelta,
    key,
    value: Buffer.of(1),
    headers: [],
  }));
  const times = { firstTimestamp: 1000n, maxTimestamp: 5000n };
  const head = { length: 0, partitionLeaderEpoch: 0, magic: 2, crc: 0, producerEpoch: 0, firstSequence: 0 };
  const place = {
    firstOffset: BigInt(first),
    lastOffsetDelta: count - 1,
    attributes,
    producerId: BigInt(producer),
  };
  return { ...head, ...place, ...times, records } as Batches[number];
}

const marker = (offset: number, producer: number, isCommit: boolean) =>
  batch(offset, 1, CONTROL, producer, Buffer.of(0, 0, 0, isCommit ? 1 : 0));
const offsets = (read: ReturnType<typeof readFetched>) => read.records.map(({ offset }) => Number(offset));
const aborted = (producer: number, first: number) => ({
  producerId: BigInt(producer),
  firstOffset: BigInt(first),
});

test("a batch that begins before the position gives what is behind it", () => {
  const read = readFetched({ records: [batch(0, 5), batch(5, 2)], abortedTransactions: null }, 3n);
  expect([offsets(read), read.nextPosition]).toEqual([[3, 4, 5, 6], 7n]);
  expect(read.records[0]!.timestamp).toBe(1003n);
});

test("an aborted transaction's records are left out, those of another and of the next are not", () => {
  const records = [
    batch(0, 2, TRANSACTIONAL, 7),
    batch(2, 2, TRANSACTIONAL, 8),
    marker(4, 7, false),
    batch(5, 1, TRANSACTIONAL, 7),
    marker(6, 7, true),
    marker(7, 8, true),
  ];
  const read = readFetched({ records, abortedTransactions: [aborted(7, 0)] }, 0n);
  expect([offsets(read), read.nextPosition]).toEqual([[2, 3, 5], 8n]);
});

test("an aborted transaction whose marker is in a later answer is left out too", () => {
  const records = [batch(3, 2, TRANSACTIONAL, 7)];
  const read = readFetched({ records, abortedTransactions: [aborted(7, 3)] }, 3n);
  expect([offsets(read), read.nextPosition]).toEqual([[], 5n]);
});

test("markers alone move the position; nothing leaves it", () => {
  expect(readFetched({ records: [marker(9, 1, true)], abortedTransactions: [] }, 9n)).toEqual({
    records: [],
    nextPosition: 10n,
  });
  expect(readFetched({ records: null, abortedTransactions: null }, 9n)).toEqual({
    records: [],
    nextPosition: 9n,
  });
});

test("the broker's time stands where it is the topic's", () => {
  const read = readFetched({ records: [batch(0, 2, 0b1000)], abortedTransactions: null }, 0n);
  expect(read.records.map(({ timestamp }) => timestamp)).toEqual([5000n, 5000n]);
});
