import type { Entry, Lane } from "./batcher.ts";

/** Entries that wait for room in a full queue, oldest first in each lane; made by `createRoomLine`. */
export interface RoomLine {
  readonly isEmpty: boolean;
  isEmptyIn(lane: Lane): boolean;
  add(entry: Entry, now: number): void;
  /** When it came, on `performance.now()`'s clock; undefined where it does not wait here. Takes it out. */
  remove(entry: Entry): number | undefined;
  /** Each entry with the time of its coming; entries may be removed meanwhile. */
  entries(): Iterable<readonly [entry: Entry, since: number]>;
  /** Takes out what `fits` now, interactive entries first; an entry that does not fit holds back those behind it in its lane. */
  admit(fits: (entry: Entry) => boolean, enter: (entry: Entry, since: number) => void): void;
}

/** Makes an empty line. Every operation takes constant time an entry. */
export function createRoomLine(): RoomLine {
  // Maps keep the order of their keys' coming.
  const lanes = { interactive: new Map<Entry, number>(), bulk: new Map<Entry, number>() };
  return {
    get isEmpty() {
      return lanes.interactive.size === 0 && lanes.bulk.size === 0;
    },
    isEmptyIn: (lane) => lanes[lane].size === 0,
    add(entry, now) {
      lanes[entry.lane].set(entry, now);
    },
    remove(entry) {
      const since = lanes[entry.lane].get(entry);
      lanes[entry.lane].delete(entry);
      return since;
    },
    *entries() {
      yield* lanes.interactive;
      yield* lanes.bulk;
    },
    admit(fits, enter) {
      for (const lane of [lanes.interactive, lanes.bulk]) {
        for (const [entry, since] of lane) {
          if (!fits(entry)) break;
          lane.delete(entry);
          enter(entry, since);
        }
      }
    },
  };
}
