/** A slot holds what is due within 8 ms; so many slots are a minute. */
const SLOT_MS = 8;
const SLOT_COUNT = 8192;
/** The slot of those without a deadline, and their tick, which no other has. */
const ENDLESS_SLOT = SLOT_COUNT;
const ENDLESS = -1;

/** A member of a wheel, with the links that the wheel keeps in it. `deadlineAt` stays as it is for as long as it stands there. */
export interface Timed<T> {
  /** On `performance.now()`'s clock; Infinity for never. */
  readonly deadlineAt: number;
  wheelTick: number;
  wheelBefore: T | undefined;
  wheelAfter: T | undefined;
}

/**
 * Tickets or calls by their deadlines, linked by `wheelBefore` and `wheelAfter`; each stands in one wheel. Adding and removing take
 * constant time, and finding those that are late takes the time of those that are late, however many others wait.
 */
export class DeadlineWheel<T extends Timed<T>> {
  size = 0;
  private readonly slots = new Array<T | undefined>(SLOT_COUNT + 1).fill(undefined);
  /** The first tick that may hold what is due; all before are empty. */
  private tick: number;

  /** On `performance.now()`'s clock, as all times here. */
  constructor(now: number) {
    this.tick = tickOf(now);
  }

  add(ticket: T): void {
    const { deadlineAt } = ticket;
    // What was late before it came is found with what is late now.
    const tick = deadlineAt === Number.POSITIVE_INFINITY ? ENDLESS : Math.max(tickOf(deadlineAt), this.tick);
    ticket.wheelTick = tick;
    const slot = slotOf(ticket);
    const first = this.slots[slot];
    ticket.wheelAfter = first;
    if (first !== undefined) first.wheelBefore = ticket;
    this.slots[slot] = ticket;
    this.size++;
  }

  /** The ticket must stand in this wheel. */
  remove(ticket: T): void {
    const { wheelBefore, wheelAfter } = ticket;
    if (wheelBefore === undefined) this.slots[slotOf(ticket)] = wheelAfter;
    else wheelBefore.wheelAfter = wheelAfter;
    if (wheelAfter !== undefined) wheelAfter.wheelBefore = wheelBefore;
    ticket.wheelBefore = ticket.wheelAfter = undefined;
    this.size--;
  }

  /** Up to `most` tickets whose deadline has passed; whoever asks removes them all before asking again. */
  late(now: number, most: number): T[] {
    const late: T[] = [];
    const last = tickOf(now);
    // Once around is all of them.
    this.tick = Math.max(this.tick, last - SLOT_COUNT + 1);
    for (; ; this.tick++) {
      for (
        let ticket = this.slots[this.tick % SLOT_COUNT];
        ticket !== undefined;
        ticket = ticket.wheelAfter
      ) {
        if (ticket.deadlineAt > now) continue;
        if (late.length === most) return late;
        late.push(ticket);
      }
      if (this.tick >= last) return late;
    }
  }

  /** When to look again: the earliest deadline, or a minute from now where all are later; Infinity where there is none. */
  get nextAt(): number {
    if (this.size === 0) return Number.POSITIVE_INFINITY;
    let hasDeadlines = false;
    for (let tick = this.tick; tick < this.tick + SLOT_COUNT; tick++) {
      let earliest = Number.POSITIVE_INFINITY;
      for (let ticket = this.slots[tick % SLOT_COUNT]; ticket !== undefined; ticket = ticket.wheelAfter) {
        hasDeadlines = true;
        if (ticket.wheelTick === tick) earliest = Math.min(earliest, ticket.deadlineAt);
      }
      if (earliest < Number.POSITIVE_INFINITY) return earliest;
    }
    return hasDeadlines ? (this.tick + SLOT_COUNT) * SLOT_MS : Number.POSITIVE_INFINITY;
  }

  /** Up to `most` of all tickets. */
  some(most: number): T[] {
    const some: T[] = [];
    if (this.size === 0) return some;
    for (const first of this.slots) {
      for (let ticket = first; ticket !== undefined; ticket = ticket.wheelAfter) {
        if (some.length === most) return some;
        some.push(ticket);
      }
    }
    return some;
  }
}

function tickOf(time: number): number {
  return Math.floor(time / SLOT_MS);
}

function slotOf({ wheelTick }: { readonly wheelTick: number }): number {
  return wheelTick === ENDLESS ? ENDLESS_SLOT : wheelTick % SLOT_COUNT;
}
