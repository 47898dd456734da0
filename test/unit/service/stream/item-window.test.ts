import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PredictResponseSchema } from "../../../../gen/assay/v1/scoring_service_pb.ts";
import type { ItemSize } from "../../../../src/service/scoring.ts";
import { ItemWindow, type WindowItem } from "../../../../src/service/stream/item-window.ts";

const response = create(PredictResponseSchema);
const answer = (itemId: bigint) => ({ itemId, response });
const size = (memoryBytes: number) => ({ memoryBytes });
const one = size(1);
function added(window: ItemWindow, rows: number, itemSize: ItemSize): WindowItem {
  const item: WindowItem = { rollIndex: -1, rows, size: itemSize, result: undefined, cancel() {} };
  window.add(item);
  return item;
}

const limits = { streamWindowRows: 10, streamWindowBytes: 100 };

test("answers come in the order of the items", () => {
  const window = new ItemWindow(limits);
  const first = added(window, 1, one);
  const second = added(window, 1, one);
  window.settle(second, answer(2n));
  expect(window.take()).toBeUndefined();
  window.settle(first, answer(1n));
  expect([window.take(), window.take(), window.take()].map((result) => result?.itemId)).toEqual([
    1n,
    2n,
    undefined,
  ]);
  expect(window.isEmpty).toBe(true);
});

test("unordered answers come as they settle", () => {
  const window = new ItemWindow(limits);
  window.unordered = true;
  const first = added(window, 1, one);
  window.settle(added(window, 1, one), answer(2n));
  expect(window.take()?.itemId).toBe(2n);
  window.settle(first, answer(1n));
  expect(window.take()?.itemId).toBe(1n);
});

describe("room", () => {
  test("is bounded in rows and in bytes, and one item may exceed both alone", () => {
    const window = new ItemWindow(limits);
    expect(window.fits(1000, size(1000))).toBe(true);
    const item = added(window, 6, size(60));
    expect(window.fits(4, size(40))).toBe(true);
    expect(window.fits(5, one)).toBe(false);
    expect(window.fits(1, size(41))).toBe(false);
    window.settle(item, answer(1n));
    // An answer that nobody has taken still holds its place.
    expect(window.fits(5, one)).toBe(false);
    window.take();
    expect(window.fits(5, size(1000))).toBe(true);
  });
});

test("an item leaves with its answer, once, and not when it is taken back", () => {
  const window = new ItemWindow(limits);
  let left = 0;
  const counted = { memoryBytes: 1, onLeave: () => left++ };
  window.settle(added(window, 1, counted), answer(1n));
  expect(left).toBe(0);
  window.take();
  expect(left).toBe(1);
  window.settle(added(window, 1, counted), answer(2n));
  window.cancelAll();
  expect(left).toBe(1);
});

test("cancelling takes back what has not settled, once, and drops what settles later", () => {
  const window = new ItemWindow(limits);
  const cancelled: number[] = [];
  const items = [0, 1].map((i) => {
    const item = added(window, 1, one);
    item.cancel = () => cancelled.push(i);
    return item;
  });
  window.settle(items[0]!, answer(0n));
  window.cancelAll();
  window.settle(items[1]!, answer(1n));
  expect(cancelled).toEqual([1]);
  expect(window.take()).toBeUndefined();
  expect(window.isEmpty).toBe(true);
});

test("whatever the order of settling, every item is answered once and the window is empty again", () => {
  const step = fc.record({ settles: fc.nat(20), takes: fc.nat(4) });
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { maxLength: 3000, size: "max" }), (unordered, steps) => {
      const window = new ItemWindow({ streamWindowRows: 1e9, streamWindowBytes: 1e9 });
      window.unordered = unordered;
      const open: { item: WindowItem; id: bigint }[] = [];
      const taken: bigint[] = [];
      let count = 0n;
      const take = () => {
        const one = window.take();
        if (one !== undefined) taken.push(one.itemId);
        return one !== undefined;
      };
      for (const { settles, takes } of steps) {
        open.push({ item: added(window, 1, one), id: count++ });
        const [next] = open.splice(settles % open.length, 1);
        if (settles % 3 > 0) window.settle(next!.item, answer(next!.id));
        else open.push(next!);
        for (let i = 0; i < takes; i++) take();
      }
      for (const { item, id } of open) window.settle(item, answer(id));
      while (take());
      expect(window.isEmpty).toBe(true);
      const all = Array.from({ length: Number(count) }, (_, i) => BigInt(i));
      expect(unordered ? taken.toSorted((a, b) => Number(a - b)) : taken).toEqual(all);
    }),
    { numRuns: 30 },
  );
});
