import { CLOSED, RESET } from "./stream-state.ts";

const REMEMBERED = 128;

/**
 * The last streams that closed, so that a late frame can be judged by how its stream ended. Older ones count as
 * closed for certain and are not told from ids that were skipped.
 */
export class ClosedStreams {
  private readonly ids = new Int32Array(REMEMBERED);
  private next = 0;

  /** Notes an id with its closed state, CLOSED or RESET (this end sent RST_STREAM). */
  add(streamId: number, state: number): void {
    // Ids have 31 bits; a reset stream is kept as a negative number.
    this.ids[this.next] = state === RESET ? -streamId : streamId;
    this.next = (this.next + 1) % REMEMBERED;
  }

  /** CLOSED or RESET; undefined when the id is not among the last ones. */
  stateOf(streamId: number): number | undefined {
    for (const id of this.ids) {
      if (id === streamId) return CLOSED;
      if (id === -streamId) return RESET;
    }
    return undefined;
  }
}
