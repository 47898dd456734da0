import type { Lane } from "./batcher.ts";
import type { Ticket } from "./ticket.ts";

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
  const lanes = { interactive: createLine(), bulk: createLine() };

  function remove(ticket: Ticket): void {
    if (!ticket.waitsForRoom) return;
    ticket.waitsForRoom = false;
    const line = lanes[ticket.entry.lane];
    const { laneBefore, laneAfter } = ticket;
    if (laneBefore === undefined) line.first = laneAfter;
    else laneBefore.laneAfter = laneAfter;
    if (laneAfter === undefined) line.last = laneBefore;
    else laneAfter.laneBefore = laneBefore;
    ticket.laneBefore = ticket.laneAfter = undefined;
  }

  return {
    isEmptyIn: (lane) => lanes[lane].first === undefined,
    add(ticket) {
      const line = lanes[ticket.entry.lane];
      ticket.waitsForRoom = true;
      ticket.laneBefore = line.last;
      if (line.last === undefined) line.first = ticket;
      else line.last.laneAfter = ticket;
      line.last = ticket;
    },
    remove,
    admit(fits, enter) {
      for (const line of [lanes.interactive, lanes.bulk]) {
        for (let ticket = line.first; ticket !== undefined && fits(ticket); ticket = line.first) {
          remove(ticket);
          enter(ticket);
        }
      }
    },
  };
}

function createLine(): { first: Ticket | undefined; last: Ticket | undefined } {
  return { first: undefined, last: undefined };
}
