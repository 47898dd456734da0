import { readFloatRun } from "./float-run.ts";
import { CLOSE_LIST, type JsonCursor, OPEN_LIST } from "./json-cursor.ts";

/** Element types that are read here. */
export type PlainFloat = "FP32" | "FP64";

const MOST_LEVELS = 16;
const UNKNOWN = -1;
const NO_OCTETS: Uint8Array = new Uint8Array(0);

/**
 * Lists of numbers, flat or nested evenly, to little-endian floats, without a list or a text between. Nulls, and numbers that the element
 * type does not hold, are left to others.
 */
export class FloatLists {
  /** Of the list that was read last: the length of the lists of each level, from the outermost on. */
  readonly lengths: number[] = [];
  private readonly cursor: JsonCursor;
  private readonly counts: number[] = [];
  /** Of the memory that was written to last: small arrays share it. */
  private view: DataView<ArrayBufferLike> = new DataView(new ArrayBuffer(0));

  constructor(cursor: JsonCursor) {
    this.cursor = cursor;
  }

  /** The list that comes next, of `count` numbers in all. Of use where the cursor says that it is plain. */
  read(datatype: PlainFloat, count: number): Uint8Array {
    const { cursor, counts } = this;
    const innermost = this.begin();
    // A number and what follows it take two octets: no room is made for more than can come.
    if (innermost < 0 || innermost >= MOST_LEVELS || 2 * count > cursor.left) return this.refused();
    const isSingle = datatype === "FP32";
    const size = isSingle ? 4 : 8;
    const octets = Buffer.allocUnsafe(count * size);
    const view = this.viewOf(octets);
    let at = octets.byteOffset;
    const end = at + octets.length;
    for (;;) {
      const from = at;
      at = readFloatRun(cursor, view, from, end, isSingle);
      counts[innermost] = (at - from) / size;
      cursor.expect(CLOSE_LIST);
      let level = innermost;
      do {
        this.close(level);
        if (level === 0) return at === end ? octets : this.refused();
        level--;
      } while (!cursor.goesOn(CLOSE_LIST));
      for (; level < innermost; level++) cursor.expect(OPEN_LIST);
    }
  }

  /** Opens the list and the first ones within it; how many levels there are below it. */
  private begin(): number {
    const { cursor, lengths, counts } = this;
    lengths.length = counts.length = 0;
    while (counts.length <= MOST_LEVELS && cursor.has(OPEN_LIST)) {
      lengths.push(UNKNOWN);
      counts.push(0);
    }
    return counts.length - 1;
  }

  /** A list of a level has ended: all of a level are as long as each other. */
  private close(level: number): void {
    const { lengths, counts } = this;
    if (lengths[level] === UNKNOWN) lengths[level] = counts[level]!;
    else if (lengths[level] !== counts[level]) this.cursor.fail();
    counts[level] = 0;
    if (level > 0) counts[level - 1]!++;
  }

  private viewOf({ buffer, length }: Buffer): DataView {
    if (buffer === this.view.buffer) return this.view;
    const view = new DataView(buffer);
    // Large arrays have memory of their own, which nobody keeps here.
    if (buffer.byteLength > length) this.view = view;
    return view;
  }

  private refused(): Uint8Array {
    this.cursor.fail();
    return NO_OCTETS;
  }
}
