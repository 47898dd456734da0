import type { Failure } from "../failure.ts";
import type { Clock } from "../loop/clock.ts";
import type { CallTarget } from "../loop/measured-calls.ts";
import type { OpenCallConnection } from "./call-connection.ts";
import { Lane } from "./lane.ts";

/** Connections that are made at a time: a server's backlog takes more, and its other callers wait for none. */
const OPENED_AT_ONCE = 64;

/** All connections of a run; each takes every so manieth slot. Whoever made them closes them. */
export class Lanes implements CallTarget {
  readonly slotCount: number;
  onAnswer: (slot: number, failure: Failure | undefined) => void = nothing;
  private readonly lanes: readonly Lane[];

  constructor(open: OpenCallConnection, connections: number, slotCount: number, clock: Clock) {
    this.slotCount = slotCount;
    const onAnswer = (slot: number, failure: Failure | undefined) => this.onAnswer(slot, failure);
    this.lanes = Array.from({ length: connections }, () => new Lane(open, clock, onAnswer));
  }

  /** Opens them all; rejects with SERVER_UNREACHABLE or LIMIT_REACHED where one cannot be opened. */
  async open(): Promise<void> {
    for (let i = 0; i < this.lanes.length; i += OPENED_AT_ONCE) {
      await Promise.all(this.lanes.slice(i, i + OPENED_AT_ONCE).map((lane) => lane.open()));
    }
  }

  call(slot: number): void {
    this.laneOf(slot).call(slot);
  }

  abandon(slot: number): void {
    this.laneOf(slot).abandon(slot);
  }

  close(): void {
    for (const lane of this.lanes) lane.close();
  }

  private laneOf(slot: number): Lane {
    return this.lanes[slot % this.lanes.length]!;
  }
}

function nothing(): void {}
