import type { TensorData } from "../tensor/tensor-data.ts";
import type { Entry } from "./batcher.ts";
import type { JoinedOutputs } from "./joined-outputs.ts";
import type { EntryGroup } from "./queue.ts";

/** What the batcher knows of one entry while it is not answered. */
export interface Ticket {
  readonly entry: Entry;
  readonly group: EntryGroup;
  /** On `performance.now()`'s clock. */
  readonly enqueuedAt: number;
  /** The first row that has not been given to a batch. */
  nextRow: number;
  /** Some of its rows, or the whole of an entry without rows, still have to be given to a batch. */
  isWaiting: boolean;
  /** Answered or cancelled: whatever still comes for it is dropped. */
  isSettled: boolean;
  answeredRows: number;
  /** Gathers the parts of an entry that was split. */
  joined: JoinedOutputs | undefined;
  /** Neighbours among all entries of its lane, and among those of its group and lane. */
  laneBefore: Ticket | undefined;
  laneAfter: Ticket | undefined;
  groupBefore: Ticket | undefined;
  groupAfter: Ticket | undefined;
}

/** Rows of one entry in one batch. */
export interface Part {
  readonly ticket: Ticket;
  readonly fromRow: number;
  readonly rowCount: number;
}

/** Makes the ticket of an entry that is about to wait. */
export function createTicket(entry: Entry, group: EntryGroup, enqueuedAt: number): Ticket {
  return {
    entry,
    group,
    enqueuedAt,
    nextRow: 0,
    isWaiting: true,
    isSettled: false,
    answeredRows: 0,
    joined: undefined,
    laneBefore: undefined,
    laneAfter: undefined,
    groupBefore: undefined,
    groupAfter: undefined,
  };
}

/** The outputs that an entry asked for; all where it named none. */
export function wantedOutputs(
  outputs: readonly TensorData[],
  names: readonly string[],
): readonly TensorData[] {
  if (names.length === 0 || names.length === outputs.length) return outputs;
  return outputs.filter((output) => names.includes(output.name));
}
