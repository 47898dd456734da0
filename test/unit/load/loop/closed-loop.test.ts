import { expect, test } from "vitest";
import { ClosedLoop } from "../../../../src/load/loop/closed-loop.ts";
import { loopStarter } from "../../../support/load/modelled-time.ts";

const start = loopStarter((calls, clock) => new ClosedLoop(calls, clock));

test("as many calls are in flight as there are slots, and those that began in the measured time are counted", async () => {
  const { clock, server, calls, ended } = start(3, { warmupMs: 100, durationMs: 1000 }, () => 10);
  clock.pass(100);
  expect(calls.inFlight).toBe(3);
  clock.pass(1200);
  expect(await ended).toEqual({ measuredMs: 1000, unanswered: 0, wasInterrupted: false });
  expect(calls.tally.latency).toMatchObject({ count: 300, minMs: 10, maxMs: 10 });
  expect(server.begunAtMs.length).toBe(330);
});

test("calls that are in flight at the end are waited for", async () => {
  const { clock, calls, ended } = start(1, { durationMs: 100 }, (ms) => (ms < 50 ? 10 : 700));
  clock.pass(800);
  await ended;
  expect(calls.tally.latency).toMatchObject({ count: 6, maxMs: 700 });
});

test("an interruption in the warm-up measures nothing", async () => {
  const { clock, calls, ended, interrupt } = start(2, { warmupMs: 500, durationMs: 100 }, () => 10);
  clock.pass(100);
  interrupt();
  clock.pass(10);
  expect(await ended).toEqual({ measuredMs: 0, unanswered: 0, wasInterrupted: true });
  expect(calls.tally.latency.count).toBe(0);
});
