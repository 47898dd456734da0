/** What of the partitions' slices is written together: their messages in one list, and back. */
import type { LesserMessage } from "./brokers/sifted-round.ts";
import type { PartitionRun, Slice } from "./partition-run.ts";
import type { OutputMessage } from "./records/input-record.ts";
import { lesserMessage, type MessageForm } from "./records/score-message.ts";

/** Scored slices of one partition, and the offset behind them. */
export interface RoundPart {
  readonly run: PartitionRun;
  readonly slices: readonly Slice[];
  readonly offset: bigint;
}

/** The messages of a round, in the order of its parts. */
export function messagesOfParts(parts: readonly RoundPart[]): OutputMessage[] {
  return parts.flatMap(({ slices }) => slices.flatMap((slice) => slice.messages!));
}

/** What is written for the record at a place of `messagesOfParts` whose message is refused. */
export function lesserOfParts(parts: readonly RoundPart[], topic: string, form: MessageForm): LesserMessage {
  return (place, current, refusal) => {
    let first = 0;
    for (const { run, slices } of parts) {
      for (const { records } of slices) {
        const record = records[place - first];
        if (record !== undefined)
          return lesserMessage(record, current, refusal, { topic, partition: run.partition }, form);
        first += records.length;
      }
    }
    return undefined;
  };
}

/** Slices with the messages that were written for them. */
export function takeWritten(parts: readonly RoundPart[], written: readonly OutputMessage[]): void {
  let first = 0;
  for (const { slices } of parts) {
    for (const slice of slices) {
      slice.messages = written.slice(first, first + slice.records.length);
      first += slice.records.length;
    }
  }
}
