import type { Timed } from "../timing/deadline-wheel.ts";
import type { Entry, TakenEntry } from "./batcher.ts";
import type { JoinedOutputs } from "./joined-outputs.ts";

interface TicketList {
  first: Ticket | undefined;
  last: Ticket | undefined;
}

/** Waiting entries that may share a batch, oldest first in each lane. */
export interface EntryGroup {
  readonly key: string;
  /** False where each entry runs alone. */
  readonly joinsEntries: boolean;
  readonly interactive: TicketList;
  readonly bulk: TicketList;
  interactiveRows: number;
  bulkRows: number;
}

/** One entry as the batcher knows it while it is not answered. */
export interface Ticket extends TakenEntry, Timed<Ticket> {
  /** Set as it enters the queue. */
  group: EntryGroup | undefined;
  /** On `performance.now()`'s clock. */
  readonly enqueuedAt: number;
  /** It stands outside the queue, which is full. */
  waitsForRoom: boolean;
  /** The first row that has not been given to a batch. */
  nextRow: number;
  /** Some of its rows, or the whole of an entry without rows, still have to be given to a batch. */
  isWaiting: boolean;
  /** Answered or cancelled: whatever still comes for it is dropped. */
  isSettled: boolean;
  answeredRows: number;
  /** Gathers the parts of an entry that was split. */
  joined: JoinedOutputs | undefined;
  /** Neighbours among all entries of its lane in the queue or outside of it, and among those of its group and lane. */
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

/** Makes the ticket of an entry that has come. */
export function createTicket(entry: Entry, enqueuedAt: number): Ticket {
  return {
    entry,
    deadlineAt: entry.deadlineAt,
    group: undefined,
    enqueuedAt,
    waitsForRoom: false,
    nextRow: 0,
    isWaiting: false,
    isSettled: false,
    answeredRows: 0,
    joined: undefined,
    laneBefore: undefined,
    laneAfter: undefined,
    groupBefore: undefined,
    groupAfter: undefined,
    wheelTick: 0,
    wheelBefore: undefined,
    wheelAfter: undefined,
  };
}
