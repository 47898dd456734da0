import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { PredictResponseSchema } from "../../../gen/assay/v1/scoring_service_pb.ts";
import { createItemWindow } from "../../../src/service/item-window.ts";

const response = create(PredictResponseSchema);
const answer = (itemId: bigint) => ({ itemId, response });

test("answers come in the order of the items", async () => {
  const window = createItemWindow(10);
  const first = window.open(1, () => {});
  const second = window.open(1, () => {});
  second.settle(answer(2n));
  const next = window.next();
  first.settle(answer(1n));
  expect((await next)?.itemId).toBe(1n);
  expect((await window.next())?.itemId).toBe(2n);
});

test("unordered answers come as they settle", async () => {
  const window = createItemWindow(10);
  window.unordered = true;
  window.open(1, () => {});
  window.open(1, () => {}).settle(answer(2n));
  expect((await window.next())?.itemId).toBe(2n);
});

test("rows beyond the limit wait until an answer was taken", async () => {
  const window = createItemWindow(4);
  const slot = window.open(3, () => {});
  let roomy = false;
  const room = window.room(2).then((free) => {
    roomy = free;
  });
  slot.settle(answer(1n));
  await Promise.resolve();
  expect(roomy).toBe(false);
  await window.next();
  await room;
  expect(roomy).toBe(true);
});

test("one item larger than the limit is let in alone", async () => {
  const window = createItemWindow(4);
  expect(await window.room(100)).toBe(true);
});

test("a stopped window answers what it holds and then ends with its error", async () => {
  const window = createItemWindow(4);
  window.open(1, () => {}).settle(answer(1n));
  window.stop(new Error("shutting down"));
  expect(await window.room(1)).toBe(false);
  expect((await window.next())?.itemId).toBe(1n);
  await expect(window.next()).rejects.toThrow("shutting down");
});

test("an aborted window cancels what has not settled", async () => {
  const window = createItemWindow(4);
  const cancelled: number[] = [];
  window.open(1, () => cancelled.push(1)).settle(answer(1n));
  window.open(1, () => cancelled.push(2));
  window.abort(new Error("gone"));
  expect(cancelled).toEqual([2]);
  await expect(window.next()).rejects.toThrow("gone");
});
