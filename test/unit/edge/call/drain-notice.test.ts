import { expect, test } from "vitest";
import { DrainNotice } from "../../../../src/edge/call/drain-notice.ts";

const LONG_MS = 60_000;

test("whoever waits hears of both steps at once, and of each once", async () => {
  const notice = new DrainNotice();
  const { signal } = new AbortController();
  const first = notice.changeAfter(notice.version, LONG_MS, signal);
  notice.announce();
  notice.announce();
  await first;
  expect([notice.version, notice.isAnnounced, notice.isDraining]).toEqual([1, true, false]);
  const second = notice.changeAfter(1, LONG_MS, signal);
  notice.drain();
  await second;
  expect([notice.version, notice.isAnnounced, notice.isDraining]).toEqual([2, true, true]);
});

test("a change before the wait is not missed, and a signal ends it", async () => {
  const notice = new DrainNotice();
  const abort = new AbortController();
  notice.drain();
  await notice.changeAfter(0, LONG_MS, abort.signal);
  const waiting = notice.changeAfter(1, LONG_MS, abort.signal);
  abort.abort();
  await waiting;
  await notice.changeAfter(1, LONG_MS, abort.signal);
});
