import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError, withoutStack } from "../errors.ts";
import type { TensorData } from "../tensor/tensor-data.ts";
import { createAlarm } from "../timing/alarm.ts";
import { DeadlineWheel } from "../timing/deadline-wheel.ts";
import type { Part, Ticket } from "./ticket.ts";

/** An error costs its caller some microseconds, and hundreds of thousands may wait: so many are failed before others have their turn. */
export const FAILED_A_TURN = 512;

/** Whom a batcher's tickets tell what became of them. */
export interface TicketEvents {
  /** A ticket is settled that still stands in the queue or waits for room in it: it must not be run any more. */
  onSettledWaiting(ticket: Ticket): void;
  /** A caller's callback threw, which is a bug there and must not take the others' answers. */
  onThrown(error: unknown): void;
}

/**
 * Every entry that is not answered, waiting or running. Each is answered, failed or taken back, once; what comes for it after
 * that is dropped. Fails them at their deadlines, wherever they are.
 */
export class OpenTickets {
  /** Called whenever none is left. */
  onEmpty: () => void = nothing;
  private readonly wheel = new DeadlineWheel<Ticket>(performance.now());
  private readonly deadlines = createAlarm((now) => this.failAllLate(now));
  private readonly events: TicketEvents;

  constructor(events: TicketEvents) {
    this.events = events;
  }

  get size(): number {
    return this.wheel.size;
  }

  add(ticket: Ticket): void {
    this.wheel.add(ticket);
    this.deadlines.set(ticket.entry.deadlineAt);
  }

  /** `now` is on `performance.now()`'s clock, as all times here. */
  answer(ticket: Ticket, outputs: readonly TensorData[], now: number): void {
    if (ticket.isSettled) return;
    this.settle(ticket);
    ticket.entry.times.endedAt = now;
    try {
      ticket.entry.onOutputs(outputs);
    } catch (thrown) {
      this.events.onThrown(thrown);
    }
  }

  fail(ticket: Ticket, error: AssayError, now: number): void {
    if (ticket.isSettled) return;
    this.settle(ticket);
    ticket.entry.times.endedAt = now;
    try {
      ticket.entry.onError(error);
    } catch (thrown) {
      this.events.onThrown(thrown);
    }
  }

  /** Takes it back: nobody is told. False where it is settled already. */
  cancel(ticket: Ticket): boolean {
    if (ticket.isSettled) return false;
    this.settle(ticket);
    return true;
  }

  /** Leaves in `parts` what may still run: it is not settled, and its deadline has not passed, with which it fails here. */
  dropLate(parts: Part[], now: number): void {
    let live = 0;
    for (const part of parts) {
      const { ticket } = part;
      if (ticket.entry.deadlineAt <= now) this.failLate(ticket, now);
      if (!ticket.isSettled) parts[live++] = part;
    }
    parts.length = live;
  }

  /** Fails as many as one turn may; false once there are no more. */
  failSome(error: AssayError): boolean {
    const now = performance.now();
    for (const ticket of this.wheel.some(FAILED_A_TURN)) this.fail(ticket, error, now);
    return this.size > 0;
  }

  /** Ends the watch over deadlines. */
  close(): void {
    this.deadlines.close();
  }

  /** Fails those whose deadline has passed, as many as one turn may; returns when to look again. */
  private failAllLate(now: number): number {
    const late = this.wheel.late(now, FAILED_A_TURN);
    for (const ticket of late) this.failLate(ticket, now);
    return late.length === FAILED_A_TURN ? now : this.wheel.nextAt;
  }

  private failLate(ticket: Ticket, now: number): void {
    if (ticket.isSettled) return;
    const hasBegun = !ticket.waitsForRoom && (!ticket.isWaiting || ticket.nextRow > 0);
    this.fail(ticket, missedDeadline(ticket, now, hasBegun), now);
  }

  private settle(ticket: Ticket): void {
    ticket.isSettled = true;
    if (ticket.isWaiting || ticket.waitsForRoom) this.events.onSettledWaiting(ticket);
    this.wheel.remove(ticket);
    if (this.wheel.size === 0) this.onEmpty();
  }
}

function missedDeadline({ entry, enqueuedAt }: Ticket, now: number, hasBegun: boolean): AssayError {
  const waitedMs = Math.round(now - enqueuedAt);
  const where = hasBegun ? "running" : "waiting to run";
  const what =
    entry.deadlineAt <= enqueuedAt
      ? "the deadline had passed when the rows came"
      : `the deadline passed after ${waitedMs} ms, the rows were still ${where}`;
  return withoutStack(() => new AssayError(Reason.DEADLINE_EXCEEDED, what));
}

function nothing(): void {}
