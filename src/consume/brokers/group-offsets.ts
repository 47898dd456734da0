/**
 * The group's offsets, by requests of our own where the client's would not do: it reads offsets while a transaction on them is not
 * decided, and commits them one partition a request.
 */
import {
  type Connection,
  type ConnectionPool,
  offsetCommitV8,
  offsetFetchV8,
  txnOffsetCommitV3,
} from "@platformatic/kafka";
import type { OctetConsumer } from "./broker-clients.ts";
import type { Membership } from "./group-member.ts";

/** A partition's offset to go on from. */
export interface PartitionOffset {
  readonly partition: number;
  readonly offset: bigint;
}

/** The producer of a transaction. */
export interface TransactionOwner {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

const NO_LEADER_EPOCH = -1;

/** Offsets of one group in one topic. Each call rejects with the client's errors. */
export class GroupOffsets {
  private readonly consumer: OctetConsumer;
  private readonly pool: ConnectionPool;
  private readonly topic: string;

  /** `consumer` finds the group's coordinator; `pool` is closed by `close`. */
  constructor(consumer: OctetConsumer, pool: ConnectionPool, topic: string) {
    this.consumer = consumer;
    this.pool = pool;
    this.topic = topic;
  }

  /** The committed offset; undefined: there is none. Rejects with UNSTABLE_OFFSET_COMMIT while a transaction holds another one. */
  async committed(partition: number): Promise<bigint | undefined> {
    const topics = [{ name: this.topic, partitionIndexes: [partition] }];
    const groups = [{ groupId: this.consumer.groupId, memberId: null, memberEpoch: -1, topics }];
    const answer = await this.ask((connection) => offsetFetchV8.api.async(connection, groups, true));
    const offset = answer.groups[0]?.topics[0]?.partitions[0]?.committedOffset ?? -1n;
    return offset < 0n ? undefined : offset;
  }

  /** Commits offsets, if the member is still of its generation. */
  async commit(offsets: readonly PartitionOffset[], { generationId, memberId }: Membership): Promise<void> {
    const { groupId } = this.consumer;
    const topics = this.requestTopics(offsets);
    await this.ask((connection) =>
      offsetCommitV8.api.async(connection, groupId, generationId, memberId, null, topics),
    );
  }

  /** Makes offsets part of a transaction, if the member is still of its generation. */
  async commitInTransaction(
    offsets: readonly PartitionOffset[],
    { generationId, memberId }: Membership,
    { transactionalId, producerId, producerEpoch }: TransactionOwner,
  ): Promise<void> {
    const { groupId } = this.consumer;
    const topics = this.requestTopics(offsets);
    await this.ask((connection) =>
      txnOffsetCommitV3.api.async(
        connection,
        transactionalId,
        groupId,
        producerId,
        producerEpoch,
        generationId,
        memberId,
        null,
        topics,
      ),
    );
  }

  /** Closes its connections. */
  async close(): Promise<void> {
    await this.pool.close();
  }

  private requestTopics(offsets: readonly PartitionOffset[]) {
    const partitions = offsets.map(({ partition, offset }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: NO_LEADER_EPOCH,
      committedMetadata: "",
    }));
    return [{ name: this.topic, partitions }];
  }

  private async ask<T>(request: (connection: Connection) => Promise<T>): Promise<T> {
    try {
      const coordinator = await this.consumer.findGroupCoordinator();
      const { brokers } = await this.consumer.metadata({ topics: [this.topic] });
      const broker = brokers.get(coordinator);
      if (broker === undefined) throw new Error(`the brokers name no address of broker ${coordinator}`);
      return await request(await this.pool.get(broker));
    } catch (error) {
      // The client looks for the coordinator anew when a request of its own fails, and this one was ours.
      const partitions = [0];
      this.consumer.listCommittedOffsets({ topics: [{ topic: this.topic, partitions }] }).catch(() => {});
      throw error;
    }
  }
}
