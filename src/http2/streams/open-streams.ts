import type { Http2Stream } from "./server-stream.ts";

const LEAST_SLOTS = 16;

/**
 * The streams of a connection by their ids. No `Map`: each time one makes room for new entries, the table that it leaves behind points
 * to the one that it goes on with, and still to what stood in it; once such a table has grown old, a collection of the young finds
 * everything behind it alive, with all calls, until the next collection of the whole heap.
 */
export class OpenStreams {
  size = 0;
  /** A power of two long and half empty at least; a stream stands at its place or, past others, at the first empty one behind it. */
  private slots: (Http2Stream | undefined)[] = emptySlots(LEAST_SLOTS);

  get(streamId: number): Http2Stream | undefined {
    const { slots } = this;
    for (let at = streamId >>> 1; ; at++) {
      const stream = slots[at & (slots.length - 1)];
      if (stream === undefined || stream.id === streamId) return stream;
    }
  }

  /** There must be none of this id. */
  add(stream: Http2Stream): void {
    this.size++;
    if (this.size * 2 > this.slots.length) this.grow();
    put(this.slots, stream);
  }

  delete(streamId: number): void {
    const { slots } = this;
    const mask = slots.length - 1;
    let empty = streamId >>> 1;
    for (; slots[empty & mask]?.id !== streamId; empty++) if (slots[empty & mask] === undefined) return;
    this.size--;
    // Those behind it that would stand nearer to their places move up, so that no search ends before them.
    for (let at = empty + 1; ; at++) {
      const stream = slots[at & mask];
      if (stream === undefined) break;
      const distance = (at - (stream.id >>> 1)) & mask;
      if (distance < ((at - empty) & mask)) continue;
      slots[empty & mask] = stream;
      empty = at;
    }
    slots[empty & mask] = undefined;
  }

  /** A copy of them, in no order. */
  all(): Http2Stream[] {
    return this.slots.filter((stream) => stream !== undefined);
  }

  private grow(): void {
    const { slots } = this;
    this.slots = emptySlots(slots.length * 2);
    for (const stream of slots) if (stream !== undefined) put(this.slots, stream);
    // What is left behind may grow old before it is collected.
    slots.fill(undefined);
  }
}

function emptySlots(count: number): (Http2Stream | undefined)[] {
  return new Array<Http2Stream | undefined>(count).fill(undefined);
}

function put(slots: (Http2Stream | undefined)[], stream: Http2Stream): void {
  let at = stream.id >>> 1;
  while (slots[at & (slots.length - 1)] !== undefined) at++;
  slots[at & (slots.length - 1)] = stream;
}
