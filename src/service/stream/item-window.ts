import { limitHit } from "../../limits.ts";
import type { ItemResult, ItemSize } from "../scoring.ts";
import { Roll, type RollMember } from "./roll.ts";

/** One item that is in the server, from its offer until its answer is taken. */
export interface WindowItem extends RollMember {
  readonly rows: number;
  readonly size: ItemSize;
  /** The window's own: undefined until it is settled. */
  result: ItemResult | undefined;
  /** Takes its rows back. */
  cancel(): void;
}

/** Bounds of a window. One item may exceed both limits alone. */
export interface WindowLimits {
  readonly streamWindowRows: number;
  readonly streamWindowBytes: number;
}

/**
 * The items of one stream that are being scored, answered in order or as they settle. Bookkeeping only: nothing waits here.
 * A class, as all that a stream makes: V8 compiles closures anew for each stream, methods once.
 */
export class ItemWindow {
  /** Answers come as they settle. Set before the first `add`. */
  unordered = false;
  private readonly limits: WindowLimits;
  /** Without a result. */
  private readonly open = new Roll<WindowItem>();
  /** In the order of their answers: as they came, or as they settled. */
  private readonly line: (WindowItem | undefined)[] = [];
  private head = 0;
  private count = 0;
  private rowsHeld = 0;
  private bytesHeld = 0;

  constructor(limits: WindowLimits) {
    this.limits = limits;
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }

  /** Whether `rows` more of that size fit, or nothing else is in the window. */
  fits(rows: number, { memoryBytes }: ItemSize): boolean {
    if (this.count === 0) return true;
    const { streamWindowRows, streamWindowBytes } = this.limits;
    if (this.rowsHeld + rows <= streamWindowRows && this.bytesHeld + memoryBytes <= streamWindowBytes)
      return true;
    limitHit("stream-window");
    return false;
  }

  add(item: WindowItem): void {
    this.open.add(item);
    if (!this.unordered) this.line.push(item);
    this.count++;
    this.rowsHeld += item.rows;
    this.bytesHeld += item.size.memoryBytes;
  }

  /** What is settled already, or was taken back, stays as it is. */
  settle(item: WindowItem, result: ItemResult): void {
    if (!this.open.remove(item)) return;
    item.result = result;
    if (this.unordered) this.line.push(item);
  }

  /** The next answer in the window's order, which leaves it; undefined while none is due. */
  take(): ItemResult | undefined {
    const { line, head } = this;
    const item = head < line.length ? line[head] : undefined;
    if (item?.result === undefined) return undefined;
    line[head] = undefined;
    this.head++;
    // A line that is never empty must not grow for ever.
    if (this.head === line.length) this.head = line.length = 0;
    else if (this.head >= 1024) {
      line.splice(0, this.head);
      this.head = 0;
    }
    this.count--;
    this.rowsHeld -= item.rows;
    this.bytesHeld -= item.size.memoryBytes;
    item.size.onLeave?.();
    return item.result;
  }

  /** Takes back every item that has not settled and empties the window. */
  cancelAll(): void {
    for (const item of this.open.snapshot()) {
      this.open.remove(item);
      item.cancel();
    }
    this.head = this.line.length = 0;
    this.count = this.rowsHeld = this.bytesHeld = 0;
  }
}
