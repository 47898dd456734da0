import type { ItemResult, ItemSize } from "./scoring.ts";

/** One item that is in the server, from its offer until its answer is taken. */
export interface WindowItem {
  readonly rows: number;
  readonly size: ItemSize;
  /** Takes its rows back; set once they are enqueued. */
  cancel: () => void;
  result: ItemResult | undefined;
}

/** What bounds a window. One item may exceed both limits alone. */
export interface WindowLimits {
  readonly streamWindowRows: number;
  readonly streamWindowBytes: number;
}

/** The items of one stream that are being scored, answered in order or as they settle. Bookkeeping only: nothing waits here. */
export interface ItemWindow {
  /** Answers come as they settle. Set before the first `add`. */
  unordered: boolean;
  readonly isEmpty: boolean;
  /** Whether `rows` more of that size fit, or nothing else is in the window. */
  fits(rows: number, size: ItemSize): boolean;
  add(rows: number, size: ItemSize): WindowItem;
  settle(item: WindowItem, result: ItemResult): void;
  /** The next answer in the window's order, which leaves it; undefined while none is due. */
  take(): ItemResult | undefined;
  /** Takes back every item that has not settled and empties the window. */
  cancelAll(): void;
}

/** Makes an empty window. */
export function createItemWindow(limits: WindowLimits): ItemWindow {
  /** Without a result. */
  const open = new Set<WindowItem>();
  /** In the order of their answers: as they came, or as they settled. */
  const line: WindowItem[] = [];
  let head = 0;
  let count = 0;
  let rowsHeld = 0;
  let bytesHeld = 0;

  return {
    unordered: false,
    get isEmpty() {
      return count === 0;
    },
    fits(rows, { memoryBytes }) {
      if (count === 0) return true;
      return (
        rowsHeld + rows <= limits.streamWindowRows && bytesHeld + memoryBytes <= limits.streamWindowBytes
      );
    },
    add(rows, size) {
      const item: WindowItem = { rows, size, cancel: () => {}, result: undefined };
      open.add(item);
      if (!this.unordered) line.push(item);
      count++;
      rowsHeld += rows;
      bytesHeld += size.memoryBytes;
      return item;
    },
    settle(item, result) {
      if (!open.delete(item)) return;
      item.result = result;
      if (this.unordered) line.push(item);
    },
    take() {
      const item = line[head];
      if (item?.result === undefined) return undefined;
      line[head++] = undefined as never;
      // A line that is never empty must not grow for ever.
      if (head === line.length) head = line.length = 0;
      else if (head >= 1024) {
        line.splice(0, head);
        head = 0;
      }
      count--;
      rowsHeld -= item.rows;
      bytesHeld -= item.size.memoryBytes;
      item.size.onLeave?.();
      return item.result;
    },
    cancelAll() {
      for (const item of open) item.cancel();
      open.clear();
      head = line.length = 0;
      count = rowsHeld = bytesHeld = 0;
    },
  };
}
