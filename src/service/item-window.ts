import type { ItemResult } from "./scoring.ts";

/** The place of one item in a window; `settle` is called once. */
export interface ItemSlot {
  settle(result: ItemResult): void;
}

/**
 * The items of one stream that are being scored: at most `rowLimit` rows, answered in order or as they settle.
 * One reader fills it (`room`, `open`, `stop`), one writer empties it (`next`); `abort` ends both.
 */
export interface ItemWindow {
  /** Answers come as they settle. Set before the first `open`. */
  unordered: boolean;
  /** Waits until `rows` more fit, or nothing else is in the window. False once stopped or aborted: take no more items. */
  room(rows: number): Promise<boolean>;
  open(rows: number, cancel: () => void): ItemSlot;
  /** No more items: after the last answer `next` returns undefined, or throws `error` where one is given. */
  stop(error: unknown): void;
  /** Cancels every item that has not settled; `next` throws `error`. */
  abort(error: unknown): void;
  /** Waits `ms`, or until an item settles or the window is aborted. */
  pause(ms: number): Promise<void>;
  next(): Promise<ItemResult | undefined>;
}

interface OpenItem {
  readonly rows: number;
  readonly cancel: () => void;
  result: ItemResult | undefined;
}

/** Makes an empty window. */
export function createItemWindow(rowLimit: number): ItemWindow {
  const items: OpenItem[] = [];
  const waiting = new Set<() => void>();
  let rowsHeld = 0;
  let stopped = false;
  let aborted = false;
  let failure: unknown;

  function changed(): void {
    const woken = [...waiting];
    waiting.clear();
    for (const wake of woken) wake();
  }

  function change(): Promise<void> {
    return new Promise((resolve) => waiting.add(resolve));
  }

  function takeSettled(): ItemResult | undefined {
    const index = window.unordered ? items.findIndex((item) => item.result !== undefined) : 0;
    const item = items[index];
    if (item?.result === undefined) return undefined;
    items.splice(index, 1);
    rowsHeld -= item.rows;
    changed();
    return item.result;
  }

  const window: ItemWindow = {
    unordered: false,
    async room(rows) {
      while (!stopped && items.length > 0 && rowsHeld + rows > rowLimit) await change();
      return !stopped;
    },
    open(rows, cancel) {
      const item: OpenItem = { rows, cancel, result: undefined };
      items.push(item);
      rowsHeld += rows;
      return {
        settle(result) {
          item.result = result;
          changed();
        },
      };
    },
    stop(error) {
      if (stopped) return;
      stopped = true;
      failure = error;
      changed();
    },
    abort(error) {
      if (aborted) return;
      aborted = true;
      stopped = true;
      failure = error;
      for (const item of items) if (item.result === undefined) item.cancel();
      changed();
    },
    async pause(ms) {
      if (aborted) return;
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([
        change(),
        new Promise<void>((resolve) => {
          timer = setTimeout(resolve, ms);
        }),
      ]);
      clearTimeout(timer);
    },
    async next() {
      for (;;) {
        if (aborted) throw failure;
        const result = takeSettled();
        if (result !== undefined) return result;
        if (stopped && items.length === 0) {
          if (failure !== undefined) throw failure;
          return undefined;
        }
        await change();
      }
    },
  };
  return window;
}
