import { loopTurns } from "../../timing/loop-turns.ts";

/** The longest that work on one message holds the event loop before it gives it back. */
const SLICE_MS = 8;

/** Cuts long work into slices, between which the event loop serves others. */
export class LoopSlices {
  private startedAt = performance.now();

  /** Gives the loop back where the slice has lasted long enough. */
  async pause(): Promise<void> {
    if (this.isOver()) await this.nextTurn();
  }

  /** Gives the loop back, for a piece of work that cannot be cut. */
  async nextTurn(): Promise<void> {
    await loopTurns.next();
    this.startedAt = performance.now();
  }

  isOver(): boolean {
    return performance.now() - this.startedAt >= SLICE_MS;
  }
}
