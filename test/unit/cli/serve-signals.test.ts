import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { listenToSignals } from "../../../src/cli/serve-signals.ts";
import { SignalCount } from "../../../src/cli/signal-count.ts";
import { silentLog } from "../../support/servers/silent-log.ts";

const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const;
let before: Map<string, readonly unknown[]>;
let terminals: number[];
let done: string[];

beforeEach(() => {
  vi.useFakeTimers();
  before = new Map(SIGNALS.map((signal) => [signal, process.listeners(signal)]));
  terminals = [0, 1];
  done = [];
  const actions = {
    onStop: () => done.push("stop"),
    onStopNow: () => done.push("now"),
    onRescan: () => done.push("rescan"),
  };
  listenToSignals(silentLog, actions, (fd) => terminals.includes(fd));
});

afterEach(() => {
  vi.useRealTimers();
  for (const signal of SIGNALS) {
    for (const listener of process.listeners(signal)) {
      if (!before.get(signal)!.includes(listener)) process.off(signal, listener);
    }
  }
});

const send = (signal: NodeJS.Signals) => process.emit(signal, signal);

test("a terminal that hung up stops the server as SIGTERM does", () => {
  terminals = [];
  send("SIGHUP");
  send("SIGTERM");
  expect(done).toEqual(["stop"]);
});

test("SIGHUP at a terminal that is still there stops nothing and asks for a look at the models, each time", () => {
  send("SIGUSR1");
  send("SIGUSR2");
  expect(done).toEqual([]);
  send("SIGHUP");
  send("SIGHUP");
  expect(done).toEqual(["rescan", "rescan"]);
});

test("the second signal counts from a second after the first, of whichever kind", () => {
  send("SIGINT");
  vi.advanceTimersByTime(990);
  send("SIGTERM");
  vi.advanceTimersByTime(20);
  send("SIGTERM");
  send("SIGINT");
  expect(done).toEqual(["stop", "now"]);
});

test("what arrived while the event loop stood still is handed out before a second signal counts", () => {
  const signals = new SignalCount();
  expect(signals.take()).toBe(1);
  vi.advanceTimersToNextTimer();
  expect(signals.take()).toBe(0);
  vi.advanceTimersToNextTimer();
  expect(signals.take()).toBe(2);
});
