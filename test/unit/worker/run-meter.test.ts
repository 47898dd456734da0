import { expect, test } from "vitest";
import { RunMeter, SHARED_LOAD_LIMIT, SHARED_RUN_LIMIT_MS } from "../../../src/worker/run-meter.ts";

/** A meter on clocks of its own, and a run of so many milliseconds by each of them. */
function meterOfRuns() {
  let now = 0;
  let cpu = 0;
  let readings = 0;
  const meter = new RunMeter(
    () => now,
    () => {
      readings++;
      return cpu;
    },
  );
  return {
    run(clockMs: number, cpuMs: number, idleMs = 0): boolean {
      now += idleMs;
      meter.begin();
      now += clockMs;
      cpu += cpuMs;
      return meter.end();
    },
    cpuReadings: () => readings,
  };
}

const LONG_MS = SHARED_RUN_LIMIT_MS + 1;

test("the second of two runs that are long in CPU time too says that a session needs its own thread", () => {
  const { run } = meterOfRuns();
  expect(run(LONG_MS, LONG_MS)).toBe(false);
  expect(run(1, 1)).toBe(false);
  expect(run(LONG_MS, LONG_MS)).toBe(true);
});

test("runs that the system held up for others say nothing of a session", () => {
  const { run } = meterOfRuns();
  for (let i = 0; i < 50; i++) expect(run(LONG_MS, 0.1, 100)).toBe(false);
});

test("one long run is forgotten after many short ones", () => {
  const { run } = meterOfRuns();
  run(LONG_MS, LONG_MS);
  for (let i = 0; i < 256; i++) expect(run(0.1, 0.1, 10)).toBe(false);
  expect(run(LONG_MS, LONG_MS)).toBe(false);
});

test("short runs ask for no CPU time", () => {
  const { run, cpuReadings } = meterOfRuns();
  for (let i = 0; i < 1_000; i++) run(1, 1, 10);
  expect(cpuReadings()).toBe(0);
});

test("short runs that fill more than their share of a second say that a session needs its own thread", () => {
  const runs = (share: number) => {
    const { run } = meterOfRuns();
    let found = false;
    for (let i = 0; i < 3_000; i++) found = run(share, share, 1 - share) || found;
    return found;
  };
  expect(runs(SHARED_LOAD_LIMIT + 0.1)).toBe(true);
  expect(runs(SHARED_LOAD_LIMIT - 0.1)).toBe(false);
});

test("a burst after a long rest is no load", () => {
  const { run } = meterOfRuns();
  for (let i = 0; i < 100; i++) {
    expect(run(1, 1, 60_000)).toBe(false);
    for (let k = 0; k < 300; k++) expect(run(1, 1)).toBe(false);
  }
});
