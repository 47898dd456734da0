import type { Lane } from "./batcher.ts";
import type { EntryGroup, Part, Ticket } from "./ticket.ts";

/** The tickets of one lane in the order of their coming, linked by `laneBefore` and `laneAfter`; a ticket stands in one line. */
class LaneLine {
  first: Ticket | undefined = undefined;
  last: Ticket | undefined = undefined;

  append(ticket: Ticket): void {
    ticket.laneBefore = this.last;
    if (this.last === undefined) this.first = ticket;
    else this.last.laneAfter = ticket;
    this.last = ticket;
  }

  /** The ticket must stand in this line. */
  remove(ticket: Ticket): void {
    const { laneBefore, laneAfter } = ticket;
    if (laneBefore === undefined) this.first = laneAfter;
    else laneBefore.laneAfter = laneAfter;
    if (laneAfter === undefined) this.last = laneBefore;
    else laneAfter.laneBefore = laneBefore;
    ticket.laneBefore = ticket.laneAfter = undefined;
  }
}

/** Entries that wait, in the order of their coming; made by `createQueue`. Every operation takes constant time an entry. */
export interface EntryQueue {
  readonly rows: number;
  readonly bytes: number;
  readonly laneRows: Readonly<Record<Lane, number>>;
  /** The oldest entry of a lane. */
  first(lane: Lane): Ticket | undefined;
  /** `joins` is false where the entry must not share a batch. */
  add(ticket: Ticket, joins: boolean): void;
  /** Takes an entry out that is still waiting, wholly or in part. */
  remove(ticket: Ticket): void;
  /** Moves up to `rowCount` rows of a group's lane into `parts`, splitting the last entry where it must. */
  take(group: EntryGroup, lane: Lane, rowCount: number, parts: Part[]): void;
  /** Moves up to `rowCount` rows of one entry into `parts`. */
  takeFrom(ticket: Ticket, rowCount: number, parts: Part[]): void;
}

/** Entries without rows fill no batch: of them so many go together. */
const MOST_PARTS = 4096;
/** So many groups stay when they are empty: most models have one shape, whose group else came and went with each batch. */
const KEPT_GROUPS = 8;

/** Makes an empty queue. */
export function createQueue(): EntryQueue {
  return new GroupedQueue();
}

/** A class, since of an object literal with getters V8 looks each one up anew, call after call. */
class GroupedQueue implements EntryQueue {
  bytes = 0;
  readonly laneRows: Record<Lane, number> = { interactive: 0, bulk: 0 };
  private readonly groups = new Map<string, EntryGroup>();
  private readonly lanes: Record<Lane, LaneLine> = { interactive: new LaneLine(), bulk: new LaneLine() };

  get rows(): number {
    return this.laneRows.interactive + this.laneRows.bulk;
  }

  first(lane: Lane): Ticket | undefined {
    return this.lanes[lane].first;
  }

  add(ticket: Ticket, joins: boolean): void {
    const { entry } = ticket;
    const group = this.groupOf(joins ? entry.shapeKey : `alone ${entry.shapeKey}`, joins);
    ticket.group = group;
    ticket.isWaiting = true;
    this.lanes[entry.lane].append(ticket);
    const list = group[entry.lane];
    ticket.groupBefore = list.last;
    if (list.last === undefined) list.first = ticket;
    else list.last.groupAfter = ticket;
    list.last = ticket;
    this.countRows(ticket, entry.rowCount);
    this.bytes += entry.byteCount;
  }

  remove(ticket: Ticket): void {
    if (!ticket.isWaiting) return;
    ticket.isWaiting = false;
    const { entry } = ticket;
    const group = ticket.group!;
    this.countRows(ticket, ticket.nextRow - entry.rowCount);
    this.bytes -= entry.byteCount;
    this.lanes[entry.lane].remove(ticket);
    const { groupBefore, groupAfter } = ticket;
    const list = group[entry.lane];
    if (groupBefore === undefined) list.first = groupAfter;
    else groupBefore.groupAfter = groupAfter;
    if (groupAfter === undefined) list.last = groupBefore;
    else groupAfter.groupBefore = groupBefore;
    ticket.groupBefore = ticket.groupAfter = undefined;
    // Groups are as many as the shapes that callers think of: few are kept without entries.
    if (this.groups.size <= KEPT_GROUPS) return;
    if (group.interactive.first === undefined && group.bulk.first === undefined)
      this.groups.delete(group.key);
  }

  take(group: EntryGroup, lane: Lane, rowCount: number, parts: Part[]): void {
    let left = rowCount;
    for (let ticket = group[lane].first; ticket !== undefined; ) {
      const next = ticket.groupAfter;
      const waiting = ticket.entry.rowCount - ticket.nextRow;
      if ((left === 0 && waiting > 0) || parts.length >= MOST_PARTS) return;
      this.takeFrom(ticket, left, parts);
      left -= Math.min(left, waiting);
      ticket = next;
    }
  }

  takeFrom(ticket: Ticket, rowCount: number, parts: Part[]): void {
    const fromRow = ticket.nextRow;
    const taken = Math.min(rowCount, ticket.entry.rowCount - fromRow);
    parts.push({ ticket, fromRow, rowCount: taken });
    this.countRows(ticket, -taken);
    ticket.nextRow += taken;
    if (ticket.nextRow === ticket.entry.rowCount) this.remove(ticket);
  }

  private groupOf(key: string, joins: boolean): EntryGroup {
    let group = this.groups.get(key);
    if (group === undefined) {
      group = {
        key,
        joinsEntries: joins,
        interactive: { first: undefined, last: undefined },
        bulk: { first: undefined, last: undefined },
        interactiveRows: 0,
        bulkRows: 0,
      };
      this.groups.set(key, group);
    }
    return group;
  }

  private countRows(ticket: Ticket, rows: number): void {
    const { lane } = ticket.entry;
    const group = ticket.group!;
    this.laneRows[lane] += rows;
    if (lane === "interactive") group.interactiveRows += rows;
    else group.bulkRows += rows;
  }
}

/** Entries that wait for room in a full queue, oldest first in each lane; made by `createRoomLine`. */
export interface RoomLine {
  isEmptyIn(lane: Lane): boolean;
  /** The ticket must be in no queue. */
  add(ticket: Ticket): void;
  /** Takes it out, wherever it stands. */
  remove(ticket: Ticket): void;
  /** Takes out what `fits` now, interactive entries first; an entry that does not fit holds back those behind it in its lane. */
  admit(fits: (ticket: Ticket) => boolean, enter: (ticket: Ticket) => void): void;
}

/** Makes an empty line. Every operation takes constant time an entry. */
export function createRoomLine(): RoomLine {
  const lanes = { interactive: new LaneLine(), bulk: new LaneLine() };
  const inTurn = [lanes.interactive, lanes.bulk];

  function remove(ticket: Ticket): void {
    if (!ticket.waitsForRoom) return;
    ticket.waitsForRoom = false;
    lanes[ticket.entry.lane].remove(ticket);
  }

  return {
    isEmptyIn: (lane) => lanes[lane].first === undefined,
    add(ticket) {
      ticket.waitsForRoom = true;
      lanes[ticket.entry.lane].append(ticket);
    },
    remove,
    admit(fits, enter) {
      for (const line of inTurn) {
        for (let ticket = line.first; ticket !== undefined && fits(ticket); ticket = line.first) {
          remove(ticket);
          enter(ticket);
        }
      }
    },
  };
}
