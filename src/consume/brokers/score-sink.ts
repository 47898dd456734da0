/**
 * Where scores go: messages and offsets to the brokers, together or one after the other.
 * Promises: with transactions a round is written wholly, with its offsets, or not at all, and only while its member is of the
 * generation that it began in; without, messages are written before their offsets. After a round that failed nobody knows what was
 * written until `reset` has returned: then no transaction of this sink is open, and the committed offsets tell.
 */

import type { OutputMessage } from "../records/input-record.ts";
import type { OctetProducer } from "./broker-clients.ts";
import type { Membership } from "./group-member.ts";
import type { GroupOffsets, PartitionOffset } from "./group-offsets.ts";

/** What is written together. */
export interface Round {
  readonly messages: readonly OutputMessage[];
  readonly offsets: readonly PartitionOffset[];
  readonly membership: Membership;
}

/** Writes rounds, one at a time; whoever opened it closes it. */
export interface ScoreSink {
  write(round: Round): Promise<void>;
  /** Ends a round that was refused; resolved: nothing of it counts. Rejects where that cannot be known, as without transactions. */
  undo(): Promise<void>;
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** Brokers take a batch of a megabyte unless they are told otherwise, and the client makes one of all that it is given. */
const BATCH_BYTES = 700_000;
const MESSAGE_OVERHEAD_BYTES = 40;

/** Messages in as many lists as keep each below what a broker takes at once. */
export function messageBatches(messages: readonly OutputMessage[]): OutputMessage[][] {
  const batches: OutputMessage[][] = [];
  let bytes = 0;
  for (const message of messages) {
    let own = MESSAGE_OVERHEAD_BYTES + (message.key?.length ?? 0) + (message.value?.length ?? 0);
    for (const [name, content] of message.headers) own += name.length + (content?.length ?? 0) + 4;
    if (batches.length === 0 || bytes + own > BATCH_BYTES) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)!.push(message);
    bytes += own;
  }
  return batches;
}

/** What a sink is made of. */
export interface ScoreSinkOptions {
  readonly offsets: GroupOffsets;
  readonly groupId: string;
  /** Undefined: without transactions. */
  readonly transactionalId: string | undefined;
  readonly createProducer: () => OctetProducer;
}

/** Opens a sink; the first round connects it. */
export function openScoreSink(options: ScoreSinkOptions): ScoreSink {
  return new BrokerSink(options);
}

class BrokerSink implements ScoreSink {
  private readonly options: ScoreSinkOptions;
  private producer: OctetProducer;
  private transaction: Awaited<ReturnType<OctetProducer["beginTransaction"]>> | undefined;

  constructor(options: ScoreSinkOptions) {
    this.options = options;
    this.producer = options.createProducer();
  }

  async write(round: Round): Promise<void> {
    const { transactionalId, offsets } = this.options;
    if (transactionalId !== undefined) return this.writeTransaction(round, transactionalId);
    for (const messages of messageBatches(round.messages))
      await this.producer.send({ messages: sent(messages) });
    await offsets.commit(round.offsets, round.membership);
  }

  async undo(): Promise<void> {
    if (this.transaction === undefined) throw new Error("there is no transaction to be aborted");
    await this.transaction.abort();
    this.transaction = undefined;
  }

  /** A producer of the same name ends what the last one left: the broker aborts it, or finishes what was decided, first. */
  async reset(): Promise<void> {
    this.transaction = undefined;
    await this.producer.close(true).catch(() => {});
    this.producer = this.options.createProducer();
    if (this.options.transactionalId === undefined) return;
    const transaction = await this.producer.beginTransaction(NEW_PRODUCER);
    await transaction.cancel();
  }

  async close(): Promise<void> {
    await this.producer.close(true);
  }

  /** One request after the other: the client drops one of two that add to a transaction at once. */
  private async writeTransaction(round: Round, transactionalId: string): Promise<void> {
    const { producer } = this;
    const { offsets, groupId } = this.options;
    const transaction = await producer.beginTransaction(NEW_PRODUCER);
    this.transaction = transaction;
    for (const messages of messageBatches(round.messages))
      await transaction.send({ messages: sent(messages) });
    await transaction.addConsumer({ groupId } as Parameters<typeof transaction.addConsumer>[0]);
    const owner = {
      transactionalId,
      producerId: producer.producerId!,
      producerEpoch: producer.producerEpoch!,
    };
    await offsets.commitInTransaction(round.offsets, round.membership, owner);
    // From here on nobody can undo it: the broker may have done what it did not answer.
    this.transaction = undefined;
    await transaction.commit();
  }
}

/** Without them the client asks for the producer 0, and is refused as one whose time has passed. */
const NEW_PRODUCER = { producerId: -1n, producerEpoch: -1 };

/** The client's types know no message without a key or a value; its octets do. */
function sent(messages: OutputMessage[]): { topic: string; value: Buffer; headers: Map<Buffer, Buffer> }[] {
  return messages as unknown as { topic: string; value: Buffer; headers: Map<Buffer, Buffer> }[];
}
