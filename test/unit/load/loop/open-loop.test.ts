import { expect, test } from "vitest";
import { OpenLoop } from "../../../../src/load/loop/open-loop.ts";
import { loopStarter } from "../../../support/load/modelled-time.ts";

const starter = (rate: number) => loopStarter((calls, clock) => new OpenLoop(calls, clock, rate));
/** A hundred calls a second. */
const start = starter(100);

test("calls begin at even distances, and warm-up calls are not measured", async () => {
  const { clock, server, calls, loop, ended, startMs } = start(
    8,
    { warmupMs: 200, durationMs: 1000 },
    () => 3,
  );
  clock.pass(1300);
  expect(await ended).toMatchObject({ measuredMs: 1000, unanswered: 0, wasInterrupted: false });
  expect(server.begunAtMs.map((ms) => ms - startMs)).toEqual(Array.from({ length: 120 }, (_, i) => i * 10));
  expect(calls.tally.latency).toMatchObject({ count: 100, minMs: 3, maxMs: 3 });
  expect([calls.late, loop.held, loop.notBegun]).toEqual([0, 0, 0]);
});

test("a server that stands still is seen by each call that was due meanwhile, however few may be in flight", async () => {
  // From 200 to 700 ms nothing is answered; four calls are in flight then, and the others wait their turn.
  const stalls = (ms: number) => (ms >= 200 && ms < 700 ? 700 - ms : 1);
  const { clock, calls, loop, ended } = start(4, { durationMs: 1000 }, stalls);
  clock.pass(1100);
  await ended;
  const { latency } = calls.tally;
  expect(latency.count).toBe(100);
  // Half of all calls were due in the stall, the first of them 500 ms before its end.
  expect(latency.maxMs).toBe(500);
  expect(latency.quantileMs(0.75)).toBeGreaterThan(240);
  expect(latency.quantileMs(0.99)).toBeGreaterThan(480);
  // Those that were due from 240 to 710 ms: four begin each millisecond from 700 on, the last four at 711.
  expect(loop.held).toBe(48);
  expect(calls.late).toBe(47);
  expect(loop.notBegun).toBe(0);
});

test("calls that were due while this process itself stood still are made, and are told to be late", async () => {
  const { clock, server, calls, loop, ended } = start(100, { durationMs: 1000 }, () => 1);
  clock.pass(305);
  clock.standStill(300);
  clock.pass(500);
  await ended;
  expect(server.begunAtMs).toHaveLength(100);
  expect(calls.tally.latency.count).toBe(100);
  expect(calls.tally.latency.maxMs).toBeCloseTo(296, 6);
  // Due at 310, 320, … 590 of 605 ms.
  expect(calls.late).toBe(29);
  expect(loop.held).toBe(0);
});

test("calls that a server leaves unanswered fail with their time-out, and those that never began are counted", async () => {
  const never = () => Number.POSITIVE_INFINITY;
  const { clock, calls, loop, ended } = start(2, { durationMs: 1000, timeoutMs: 300 }, never);
  clock.pass(3000);
  expect(await ended).toMatchObject({ unanswered: 0 });
  const { failures, failed } = calls.tally;
  expect(failures).toMatchObject([
    { code: "DEADLINE_EXCEEDED", message: "no answer within 300 ms", count: failed },
  ]);
  expect(failed + loop.notBegun).toBe(100);
  expect(failed).toBe(8);
});

test("an interruption ends the measured time, and what is in flight a second later is told", async () => {
  const { clock, calls, ended, interrupt, loop } = start(50, { durationMs: 1000 }, (ms) =>
    ms < 400 ? 2 : Number.POSITIVE_INFINITY,
  );
  clock.pass(505);
  interrupt();
  clock.pass(1001);
  expect(await ended).toEqual({ measuredMs: 505, unanswered: 11, wasInterrupted: true });
  expect(calls.tally.latency.count).toBe(40);
  expect(loop.notBegun).toBe(0);
});

test("as many calls are due as the rate says, whatever its fractions", async () => {
  for (const rate of [3, 7, 300, 999, 1001.5]) {
    const { clock, calls, loop, ended } = starter(rate)(
      20_000,
      { warmupMs: 333, durationMs: 1000 },
      () => 0.01,
    );
    clock.pass(1500);
    await ended;
    expect(calls.tally.latency.count).toBe(Math.ceil(rate));
    expect(loop.notBegun).toBe(0);
  }
});
