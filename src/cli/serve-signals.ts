import { isatty } from "node:tty";
import type { Log } from "../telemetry/log.ts";
import { SignalCount } from "./signal-count.ts";

/** Acts that signals ask of a server. */
export interface SignalActions {
  /** The first SIGTERM or Ctrl-C, or a terminal that hung up. */
  readonly onStop: () => void;
  /** Another one, a second or more after the first. */
  readonly onStopNow: () => void;
  /** A SIGHUP that no terminal sent. */
  readonly onRescan: () => void;
}

/**
 * Listens to what a server is sent. SIGTERM and SIGINT stop it, and so does SIGHUP where the terminal that it was started at has
 * gone; any other SIGHUP asks for another look at the models; SIGUSR1 (which would open Node's debugger on a port of its own) and SIGUSR2
 * end no call and open nothing.
 */
export function listenToSignals(
  log: Log,
  { onStop, onStopNow, onRescan }: SignalActions,
  isTerminal: (fd: number) => boolean = isatty,
): void {
  const stops = new SignalCount();
  const stop = (signal: NodeJS.Signals, how: string): void => {
    const count = stops.take();
    if (count === 1) {
      log.info({ signal }, `${how}: calls in flight are answered, again after a second to end at once`);
      onStop();
    } else if (count > 1) {
      log.warn({ signal }, "ending at once");
      onStopNow();
    }
  };
  const terminals = [0, 1, 2].filter(isTerminal);
  const others = new SignalCount();
  process.on("SIGTERM", (signal) => stop(signal, "draining"));
  process.on("SIGINT", (signal) => stop(signal, "draining"));
  process.on("SIGHUP", (signal) => {
    // A terminal that hung up answers no more as one.
    if (terminals.some((fd) => !isTerminal(fd))) stop(signal, "the terminal hung up, draining");
    else {
      log.info({ signal }, "looking at the models once more");
      onRescan();
    }
  });
  const ignore = (signal: NodeJS.Signals) => {
    if (others.take() > 0) log.info({ signal }, "this signal does nothing here; SIGTERM drains");
  };
  process.on("SIGUSR1", ignore);
  process.on("SIGUSR2", ignore);
}
