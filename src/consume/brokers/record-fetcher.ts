/**
 * Fetches for the runs that have room: one request at a time to each broker.
 * Promises: a partition that has no room is in no request, so that the broker holds what it has; an offset that the broker no longer
 * has is told as one, with where to go on.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type fetchV17, ListOffsetTimestamps } from "@platformatic/kafka";
import type { PartitionRun } from "../partition-run.ts";
import { brokerMessage, isBrokerError, type OctetConsumer } from "./broker-clients.ts";
import { type Fetched, readFetched } from "./fetched-records.ts";

type FetchResponse = fetchV17.FetchResponse;

/** What fetching tells. */
export interface FetchHandlers {
  onFetched(run: PartitionRun, fetched: Fetched, endOffset: bigint): void;
  /** Something may be fetched again: a request has ended. */
  onIdle(): void;
  onTrouble(message: string): void;
  /** The broker no longer has the run's position. */
  onOutOfRange(run: PartitionRun): void;
}

const MAX_WAIT_MS = 250;
const FETCH_BYTES = 8_388_608;
const TROUBLE_DELAY_MS = 250;
const NO_LEADER_DELAY_MS = 100;
/** As brokers say that a partition has no leader at the moment. */
const NOBODY = -1;
const READ_COMMITTED = 1;
const OFFSET_OUT_OF_RANGE = 1;

/** Fetches records of one topic. */
export class RecordFetcher {
  private readonly reader: OctetConsumer;
  private readonly topic: string;
  private readonly handlers: FetchHandlers;
  private readonly busy = new Set<number>();
  private isClosed = false;

  constructor(reader: OctetConsumer, topic: string, handlers: FetchHandlers) {
    this.reader = reader;
    this.topic = topic;
    this.handlers = handlers;
    reader.topics.track(topic);
  }

  /** Begins requests to the brokers that lead these runs' partitions and have none yet; each for about so many rows to be held. */
  fetch(runs: readonly PartitionRun[], rowsEach: number): void {
    if (runs.length === 0 || this.isClosed) return;
    const known = this.reader.currentMetadata?.topics.get(this.topic);
    if (known === undefined) {
      void this.once(NOBODY, () => this.reader.metadata({ topics: [this.topic], forceUpdate: true }));
      return;
    }
    const byLeader = Map.groupBy(runs, ({ partition }) => known.partitions[partition]?.leader ?? NOBODY);
    for (const [leader, own] of byLeader) {
      void this.once(leader, () =>
        leader === NOBODY ? this.findLeaders() : this.fetchFrom(leader, known.id, own, rowsEach),
      );
    }
  }

  /** The offset that a partition is begun at where the group has none, or the broker no longer has it. */
  async startOffset(partition: number, where: "earliest" | "latest"): Promise<bigint> {
    const timestamp = where === "latest" ? ListOffsetTimestamps.LATEST : ListOffsetTimestamps.EARLIEST;
    const offsets = await this.listOffsets([partition], timestamp);
    return offsets.get(partition) ?? 0n;
  }

  /** The end of each partition, past which nothing can be read yet. */
  async endOffsets(partitions: readonly number[]): Promise<Map<number, bigint>> {
    return this.listOffsets(partitions, ListOffsetTimestamps.LATEST);
  }

  /** Ends all requests. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.reader.close(true);
  }

  private async listOffsets(partitions: readonly number[], timestamp: bigint): Promise<Map<number, bigint>> {
    const found = await this.reader.listOffsetsWithTimestamps({
      topics: [this.topic],
      partitions: { [this.topic]: [...partitions] },
      timestamp,
      isolationLevel: READ_COMMITTED,
    });
    const offsets = new Map<number, bigint>();
    for (const [partition, { offset }] of found.get(this.topic) ?? []) offsets.set(partition, offset);
    return offsets;
  }

  /** Of partitions that are new, or are being given another leader. */
  private async findLeaders(): Promise<void> {
    await delay(NO_LEADER_DELAY_MS);
    if (!this.isClosed) await this.reader.metadata({ topics: [this.topic], forceUpdate: true });
  }

  private async once(node: number, request: () => Promise<unknown>): Promise<void> {
    if (this.busy.has(node)) return;
    this.busy.add(node);
    try {
      await request();
    } catch (error) {
      if (!this.isClosed) {
        this.handlers.onTrouble(brokerMessage(error));
        this.reader.clearMetadata();
        await delay(TROUBLE_DELAY_MS);
      }
    }
    this.busy.delete(node);
    if (!this.isClosed) this.handlers.onIdle();
  }

  private async fetchFrom(
    node: number,
    topicId: string,
    runs: readonly PartitionRun[],
    rowsEach: number,
  ): Promise<void> {
    const positions = new Map(runs.map((run) => [run, run.position!]));
    let answer: FetchResponse;
    try {
      answer = await this.reader.fetch({
        node,
        maxWaitTime: MAX_WAIT_MS,
        minBytes: 1,
        maxBytes: FETCH_BYTES,
        isolationLevel: READ_COMMITTED,
        topics: [{ topicId, partitions: runs.map((run) => wanted(run, rowsEach)) }],
      });
    } catch (error) {
      if (!isBrokerError(error, "OFFSET_OUT_OF_RANGE")) throw error;
      for (const run of outOfRange(error, runs)) this.handlers.onOutOfRange(run);
      return;
    }
    for (const { partitions } of answer.responses) {
      for (const partition of partitions) {
        const run = runs.find((one) => one.partition === partition.partitionIndex);
        const position = run && positions.get(run);
        // Another broker, which leads the partition since, may have been asked meanwhile.
        if (run === undefined || position === undefined || run.isEnded || run.position !== position) continue;
        const end = partition.lastStableOffset < 0n ? partition.highWatermark : partition.lastStableOffset;
        this.handlers.onFetched(run, readFetched(partition, position), end);
      }
    }
  }
}

function wanted(run: PartitionRun, rowsEach: number) {
  return {
    partition: run.partition,
    currentLeaderEpoch: -1,
    fetchOffset: run.position!,
    lastFetchedEpoch: -1,
    partitionMaxBytes: run.fetchBytes(rowsEach),
  };
}

/** The runs whose part of an answer says so. */
function outOfRange(error: unknown, runs: readonly PartitionRun[]): PartitionRun[] {
  const { response } = error as { response?: FetchResponse };
  const parts = response?.responses.flatMap(({ partitions }) => partitions) ?? [];
  const gone = new Set(
    parts
      .filter(({ errorCode }) => errorCode === OFFSET_OUT_OF_RANGE)
      .map(({ partitionIndex }) => partitionIndex),
  );
  return runs.filter(({ partition }) => gone.size === 0 || gone.has(partition));
}
