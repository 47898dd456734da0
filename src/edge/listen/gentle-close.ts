import type { Socket } from "node:net";

/** How long a peer may take to close its side. */
const LINGER_MS = 2000;
/** What a thousand new connections a second make of a turn as short is one connection in ten restarts, and of most turns far less. */
const QUIET_MS = 0.1;
/** A loop that is never quiet is not waited for any longer. */
const PATIENCE_MS = 500;

/**
 * Ends a connection so that its peer reads all that was written: this side closes, and what still comes is read into nothing until the
 * peer closes too. A socket that is closed with octets unread resets its connection, and a reset overtakes the answer (RFC 9112, 9.6).
 */
export function closeGently(socket: Socket): void {
  if (socket.destroyed) return;
  socket.end();
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("end", () => socket.destroy());
  socket.once("close", () => clearTimeout(timer));
}

/**
 * Resolves in a turn of the event loop that took no connection and nearly no time: the moment to close a listener, since the system
 * resets what waits to be accepted then, with the requests that have been sent. `taken` counts connections that were taken.
 */
export function quietTurn(taken: () => number): Promise<void> {
  const lastMs = performance.now() + PATIENCE_MS;
  return new Promise((resolve) => {
    let takenBefore = Number.NaN;
    let beganMs = 0;
    // From one to the next is a whole turn, in which the system is asked; what comes before the first one is a part.
    const turn = () => {
      const nowMs = performance.now();
      const isQuiet = nowMs - beganMs < QUIET_MS && taken() === takenBefore;
      if (isQuiet || nowMs > lastMs) {
        resolve();
        return;
      }
      takenBefore = taken();
      beganMs = performance.now();
      setImmediate(turn);
    };
    setImmediate(turn);
  });
}
