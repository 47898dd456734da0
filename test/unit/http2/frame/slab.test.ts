import { expect, test } from "vitest";
import { giveRoom, growRoom, type Slab, takeRoom } from "../../../../src/http2/frame/slab.ts";

function take(byteCount: number): { slab: Slab; start: number; end: number } {
  const slab = takeRoom(byteCount);
  return { slab, start: slab.offset - byteCount, end: slab.offset };
}

function give({ slab, start, end }: ReturnType<typeof take>, usedEnd = start): void {
  giveRoom(slab, start, usedEnd, end);
}

test("room of several takers does not overlap, and a thousand of them share a few slabs", () => {
  const rooms = Array.from({ length: 1_000 }, () => take(4_096));
  const slabs = new Map<Slab, number>();
  for (const { slab, start } of rooms) {
    const last = slabs.get(slab);
    expect(start).toBe(last === undefined ? start : last + 4_096);
    slabs.set(slab, start);
  }
  expect(slabs.size).toBeLessThanOrEqual(64);
  for (const room of rooms) give(room);
  const again = Array.from({ length: 1_000 }, () => take(4_096));
  expect(again.filter(({ slab }) => !slabs.has(slab))).toEqual([]);
  for (const room of again) give(room);
});

test("room that all have given back is taken again from its start", () => {
  const first = take(100);
  const second = take(100);
  give(first);
  give(second);
  const again = take(100);
  expect(again.slab).toBe(first.slab);
  expect(again.start).toBe(0);
  give(again);
});

test("octets that are on their way are not written over, also once their slab is full", () => {
  const sent = take(1_000);
  const beside = take(1_000);
  give(sent, sent.start + 10);
  give(beside);
  const next = take(1_000);
  if (next.slab === sent.slab) expect(next.start).toBeGreaterThanOrEqual(sent.start + 10);
  give(next);
  const later = Array.from({ length: 200 }, () => take(65_536));
  expect(later.some(({ slab }) => slab === sent.slab)).toBe(false);
  for (const room of later) give(room);
});

test("room grows in place until somebody takes what lies behind it", () => {
  const room = take(100);
  expect(growRoom(room.slab, room.end, 50)).toBe(true);
  room.end += 50;
  const beside = take(10);
  expect(beside.start === room.end || beside.slab !== room.slab).toBe(true);
  expect(growRoom(room.slab, room.end, 1)).toBe(beside.slab !== room.slab);
  give(beside);
  give(room);
});

test("room larger than a slab has one of its size, which is not kept", () => {
  const large = take(1_000_000);
  expect(large.slab.bytes.length).toBe(1_000_000);
  give(large);
  const next = take(1_000_000);
  expect(next.slab).not.toBe(large.slab);
  give(next);
});
