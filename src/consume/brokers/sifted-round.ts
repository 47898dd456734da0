/**
 * A round of which brokers refuse some messages: pure decisions on what is tried next, until the rest is written.
 * Promises: each refusal brings it on (a smaller list, or a lesser message for one row), so that it ends; messages of a partition stay
 * in their order.
 */

import type { OutputMessage } from "../records/input-record.ts";
import { isBrokerError } from "./broker-clients.ts";

/** Why brokers refuse a message for good. */
export interface MessageRefusal {
  /** As Kafka calls it: MESSAGE_TOO_LARGE, INVALID_RECORD, … */
  readonly name: string;
  readonly topic: string;
  readonly bytes: number;
}

/** What is written for a row instead; undefined: it can be no less. */
export type LesserMessage = (
  place: number,
  current: OutputMessage,
  refusal: MessageRefusal,
) => OutputMessage | undefined;

/** Places of a round whose messages go to one partition of one topic. */
export interface SiftedList {
  readonly topic: string;
  readonly places: readonly number[];
  readonly bytes: number;
}

const TOO_LARGE = ["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"];
const REFUSALS = [...TOO_LARGE, "INVALID_RECORD", "INVALID_TIMESTAMP"];
/** Brokers take a batch of a megabyte unless they are told otherwise, and the client makes one of all that it is given. */
const BATCH_BYTES = 700_000;
const MESSAGE_OVERHEAD_BYTES = 40;

/** How Kafka calls what is wrong with a message itself; undefined: something else went wrong. */
export function messageRefusal(error: unknown): string | undefined {
  return REFUSALS.find((name) => isBrokerError(error, name));
}

/** About how many octets a message takes in a batch. */
export function messageBytes({ key, value, headers }: OutputMessage): number {
  let bytes = MESSAGE_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, content] of headers) bytes += name.length + (content?.length ?? 0) + 4;
  return bytes;
}

/** The most octets of a batch that the brokers are known to take, by topic: learned from what they refuse. */
export class BatchLimits {
  private readonly bytes = new Map<string, number>();

  /** The limit of a topic. */
  of(topic: string): number {
    return this.bytes.get(topic) ?? BATCH_BYTES;
  }

  /** A batch of so many octets was refused. */
  refused(topic: string, bytes: number): void {
    this.bytes.set(topic, Math.min(this.of(topic), Math.floor(bytes / 2)));
  }

  /** The limit of all topics. */
  get least(): number {
    return Math.min(BATCH_BYTES, ...this.bytes.values());
  }
}

/** The round; `messages` are as they are tried next. */
export class SiftedRound {
  readonly messages: OutputMessage[];
  private readonly limits: BatchLimits;
  private readonly lesser: LesserMessage;
  /** Places before which a list has to end. */
  private readonly cuts = new Set<number>();

  constructor(messages: readonly OutputMessage[], limits: BatchLimits, lesser: LesserMessage) {
    this.messages = [...messages];
    this.limits = limits;
    this.lesser = lesser;
  }

  /** The lists to be sent one after another. */
  lists(): SiftedList[] {
    const open = new Map<string, { topic: string; places: number[]; bytes: number }>();
    const lists: SiftedList[] = [];
    for (const [place, message] of this.messages.entries()) {
      const { topic, partition } = message;
      const bytes = messageBytes(message);
      const name = `${topic} ${partition}`;
      let list = open.get(name);
      const isFull = list !== undefined && list.bytes + bytes > this.limits.of(topic);
      if (list === undefined || isFull || this.cuts.has(place)) {
        list = { topic, places: [], bytes: 0 };
        open.set(name, list);
        lists.push(list);
      }
      list.places.push(place);
      list.bytes += bytes;
    }
    return lists;
  }

  /** A list was refused. False: a row can be written as nothing less, so that its topic is at fault. */
  refuse({ topic, places, bytes }: SiftedList, name: string): boolean {
    const isTooLarge = TOO_LARGE.includes(name);
    if (places.length > 1) {
      if (isTooLarge) this.limits.refused(topic, bytes);
      else {
        this.cuts.add(places[places.length >> 1]!);
        this.cuts.add(places.at(-1)! + 1);
      }
      return true;
    }
    if (!isTooLarge) return this.lessen(places[0]!, name);
    // What is as large fares alike.
    const alike = this.messages.flatMap((message, place) =>
      message.topic === topic && messageBytes(message) >= bytes ? [place] : [],
    );
    return alike.map((place) => this.lessen(place, name)).every(Boolean);
  }

  private lessen(place: number, name: string): boolean {
    const current = this.messages[place]!;
    const refusal = { name, topic: current.topic, bytes: messageBytes(current) };
    const next = this.lesser(place, current, refusal);
    if (next !== undefined) this.messages[place] = next;
    return next !== undefined;
  }
}
