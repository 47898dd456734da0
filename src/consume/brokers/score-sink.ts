/**
 * Where scores go: messages and offsets to the brokers, together or one after the other.
 * Promises: with transactions a round is written wholly, with its offsets, or not at all, and only while its member is of the
 * generation that it began in; without, messages are written before their offsets. After a round that failed nobody knows what was
 * written until `reset` has returned: then no transaction of this sink is open, and the committed offsets tell.
 * A message that brokers refuse for its own sake (too large, no key where one is needed) is replaced by a lesser one for its row.
 */
import type { OutputMessage } from "../records/input-record.ts";
import type { MessageForm } from "../records/score-message.ts";
import { brokerMessage, isBrokerError, type OctetProducer } from "./broker-clients.ts";
import type { Membership } from "./group-member.ts";
import type { GroupOffsets, PartitionOffset } from "./group-offsets.ts";
import {
  BatchLimits,
  type LesserMessage,
  messageBytes,
  messageRefusal,
  type SiftedList,
  SiftedRound,
} from "./sifted-round.ts";

/** What is written together. */
export interface Round {
  readonly messages: readonly OutputMessage[];
  readonly offsets: readonly PartitionOffset[];
  readonly membership: Membership;
  readonly lesser: LesserMessage;
}

/** Writes rounds, one at a time; whoever opened it closes it. */
export interface ScoreSink {
  /** Resolves with the messages that were written, which are those of the round or lesser ones in their places. */
  write(round: Round): Promise<readonly OutputMessage[]>;
  /** Ends a round that was refused; resolved: nothing of it counts. Rejects where that cannot be known, as without transactions. */
  undo(): Promise<void>;
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** Messages in as many lists as keep each below what a broker takes at once. */
export function messageBatches(messages: readonly OutputMessage[], mostBytes: number): OutputMessage[][] {
  const batches: OutputMessage[][] = [];
  let bytes = 0;
  for (const message of messages) {
    const own = messageBytes(message);
    if (batches.length === 0 || bytes + own > mostBytes) {
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
  /** What is written to. */
  readonly topics: readonly string[];
}

/** Opens a sink; the first round connects it. */
export function openScoreSink(options: ScoreSinkOptions): ScoreSink {
  return new BrokerSink(options);
}

class BrokerSink implements ScoreSink {
  private readonly options: ScoreSinkOptions;
  private producer: OctetProducer;
  private readonly limits = new BatchLimits();
  private transaction: Awaited<ReturnType<OctetProducer["beginTransaction"]>> | undefined;

  constructor(options: ScoreSinkOptions) {
    this.options = options;
    this.producer = options.createProducer();
  }

  async write(round: Round): Promise<readonly OutputMessage[]> {
    const { messages } = round;
    try {
      await this.writeLists(round, messageBatches(messages, this.limits.least));
      return messages;
    } catch (error) {
      if (messageRefusal(error) === undefined) throw error;
      await this.forget();
    }
    const sifted = new SiftedRound(messages, this.limits, round.lesser);
    for (;;) {
      const lists = sifted.lists();
      let refused: SiftedList | undefined;
      const sending = lists.map((list) => list.places.map((place) => sifted.messages[place]!));
      try {
        await this.writeLists(round, sending, (at) => {
          refused = lists[at];
        });
        return sifted.messages;
      } catch (error) {
        const name = messageRefusal(error);
        if (name === undefined || refused === undefined || !sifted.refuse(refused, name)) throw error;
        await this.forget();
      }
    }
  }

  async undo(): Promise<void> {
    if (this.transaction === undefined) throw new Error("there is no transaction to be aborted");
    await this.transaction.abort();
    this.transaction = undefined;
  }

  /**
   * A producer of the same name ends what the last one left: the broker aborts it, or finishes what was decided, first. A broker that has
   * just started may not know the topics yet: it would take them for deleted, and their part of the transaction would never end.
   */
  async reset(): Promise<void> {
    this.transaction = undefined;
    await this.producer.close(true).catch(() => {});
    this.producer = this.options.createProducer();
    const { transactionalId, topics } = this.options;
    if (transactionalId === undefined) return;
    await this.producer.metadata({ topics: [...topics], forceUpdate: true });
    const transaction = await this.producer.beginTransaction(NEW_PRODUCER);
    await transaction.cancel();
  }

  async close(): Promise<void> {
    await this.producer.close(true);
  }

  /**
   * A refused message leaves a transaction that cannot go on, and a producer whose sequence has a gap. What was written without a
   * transaction stays, and is written again.
   */
  private async forget(): Promise<void> {
    if (this.options.transactionalId !== undefined) await this.reset();
  }

  /** Writes lists and offsets; `onSending` is told the list that is sent. */
  private async writeLists(
    round: Round,
    lists: readonly OutputMessage[][],
    onSending: (at: number) => void = () => {},
  ): Promise<void> {
    const { transactionalId, offsets } = this.options;
    if (transactionalId !== undefined) return this.writeTransaction(round, lists, transactionalId, onSending);
    for (const [at, messages] of lists.entries()) {
      onSending(at);
      await this.producer.send({ messages: sent(messages) });
    }
    await offsets.commit(round.offsets, round.membership);
  }

  /** One request after the other: the client drops one of two that add to a transaction at once. */
  private async writeTransaction(
    round: Round,
    lists: readonly OutputMessage[][],
    transactionalId: string,
    onSending: (at: number) => void,
  ): Promise<void> {
    const { producer } = this;
    const { offsets, groupId } = this.options;
    const transaction = await producer.beginTransaction(NEW_PRODUCER);
    this.transaction = transaction;
    for (const [at, messages] of lists.entries()) {
      onSending(at);
      await transaction.send({ messages: sent(messages) });
    }
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

/** Why brokers refused what was written, in one line; for refusals that do not pass by themselves, with what a person has to mend. */
export function refusedWrite(
  error: unknown,
  form: Pick<MessageForm, "outputTopic" | "deadLetterTopic">,
): string {
  const said = brokerMessage(error);
  const todo = whatToDo(error, `${form.outputTopic} and ${form.deadLetterTopic}`);
  return todo === undefined ? said : `${said}; ${todo}`;
}

function whatToDo(error: unknown, topics: string): string | undefined {
  if (isBrokerError(error, "TOPIC_AUTHORIZATION_FAILED"))
    return `this user needs the right to write (WRITE, DESCRIBE) to the topics ${topics}`;
  if (isBrokerError(error, "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"))
    return "this user needs the rights WRITE and DESCRIBE on transactional ids that begin with assay-, or on --transactional-id";
  if (isBrokerError(error, "GROUP_AUTHORIZATION_FAILED"))
    return "this user needs the right READ on the group";
  if (isBrokerError(error, "CLUSTER_AUTHORIZATION_FAILED"))
    return "this user needs the right IDEMPOTENT_WRITE on the cluster";
  if (isBrokerError(error, "UNKNOWN_TOPIC_OR_PARTITION"))
    return `make the topics ${topics} again: one of them is gone`;
  if (isBrokerError(error, "POLICY_VIOLATION"))
    return `a policy of the brokers forbids what is written to ${topics}: have it changed, or name other topics`;
  if (
    isBrokerError(error, "MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_RECORD", "INVALID_TIMESTAMP")
  )
    return `even a dead letter that holds nothing of its row is refused: look at the settings of the topics ${topics}`;
  return undefined;
}
