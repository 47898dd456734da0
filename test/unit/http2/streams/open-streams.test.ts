import { describe, expect, test } from "vitest";
import { OpenStreams } from "../../../../src/http2/streams/open-streams.ts";
import type { Http2Stream } from "../../../../src/http2/streams/server-stream.ts";

const MAX_STREAM_ID = 2 ** 31 - 1;

function stream(id: number): Http2Stream {
  return { id } as Http2Stream;
}

function idsOf(open: OpenStreams): number[] {
  return open
    .all()
    .map(({ id }) => id)
    .sort((a, b) => a - b);
}

/** The same numbers each time. */
function* chances(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

describe("the open streams of a connection", () => {
  test("are found by their ids among many that come and go, some of which stay for long", () => {
    const chance = chances(7);
    const open = new OpenStreams();
    const expected = new Map<number, Http2Stream>();
    for (let id = 1; id < 40_000; id += 2) {
      // As a client opens them, or with ids left out.
      if (chance.next().value < 0.2) id += 2 * Math.floor(chance.next().value * 40);
      const one = stream(id);
      open.add(one);
      expected.set(id, one);
      while (expected.size > 5 + 60 * Math.abs(Math.sin(id / 3000))) {
        const ids = [...expected.keys()];
        const gone = ids[Math.floor(chance.next().value ** 2 * ids.length)]!;
        open.delete(gone);
        expected.delete(gone);
        expect(open.get(gone)).toBe(undefined);
      }
      expect(open.size).toBe(expected.size);
      if (id % 101 < 2) for (const [key, value] of expected) expect(open.get(key)).toBe(value);
    }
    expect(idsOf(open)).toEqual([...expected.keys()]);
  });

  test("are as few after one of them was never there", () => {
    const open = new OpenStreams();
    open.add(stream(1));
    open.delete(33);
    open.delete(3);
    expect([open.size, open.get(1)?.id, open.get(33)]).toEqual([1, 1, undefined]);
  });

  test("may have the highest id there is", () => {
    const open = new OpenStreams();
    for (const id of [1, MAX_STREAM_ID, MAX_STREAM_ID - 2]) open.add(stream(id));
    open.delete(MAX_STREAM_ID - 2);
    expect(idsOf(open)).toEqual([1, MAX_STREAM_ID]);
  });

  test("that have ended are held by no place, nor by places that were left behind", () => {
    const open = new OpenStreams();
    const places = () => (open as unknown as { readonly slots: readonly unknown[] }).slots;
    const before = places();
    for (let id = 1; id <= 401; id += 2) {
      open.add(stream(id));
      if (id > 100) open.delete(id - 100);
    }
    expect(before.every((place) => place === undefined)).toBe(true);
    expect(places().filter((place) => place !== undefined)).toHaveLength(open.size);
  });
});
