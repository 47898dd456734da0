import type { Lane } from "./batcher.ts";
import { LaneLine } from "./lane-line.ts";
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
  const lanes = { interactive: new LaneLine(), bulk: new LaneLine() };

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
      for (const line of [lanes.interactive, lanes.bulk]) {
        for (let ticket = line.first; ticket !== undefined && fits(ticket); ticket = line.first) {
          remove(ticket);
          enter(ticket);
        }
      }
    },
  };
}
