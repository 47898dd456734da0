import type { Ticket } from "./ticket.ts";

/** The tickets of one lane in the order of their coming, linked by `laneBefore` and `laneAfter`; a ticket stands in one line. */
export class LaneLine {
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
