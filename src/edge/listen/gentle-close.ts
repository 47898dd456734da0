import type { Server, Socket } from "node:net";

/** How long a peer may take to close its side. */
const LINGER_MS = 2000;
/** A thousand new connections a second put one into such a turn once in fifty restarts. */
const QUIET_MS = 0.02;
/** What is taken for quiet in the end, where the machine has much else to do. */
const NEARLY_QUIET_MS = 0.2;
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

/** A server with Node's own handle, whose `listen` calls the system's, also where it listens already. */
interface ListeningServer extends Server {
  _handle?: { listen?: (backlog: number) => number } | null;
}

/**
 * Lets one connection at most wait to be accepted from now on, where the system is Linux: it drops what else asks, which asks again a
 * second later and is refused once the listener is closed, with nothing sent. Without it all that came while this process was kept
 * from running would have sent their requests, and be reset.
 */
export function letOneWait(server: Server): void {
  if (process.platform === "linux") (server as ListeningServer)._handle?.listen?.(0);
}

/**
 * Resolves in a turn of the event loop that took no connection and nearly no time: the moment to close a listener, since the system
 * resets what waits to be accepted then, with the requests that have been sent. `taken` counts connections that were taken.
 */
export function quietTurn(taken: () => number): Promise<void> {
  const firstMs = performance.now();
  return new Promise((resolve) => {
    let takenBefore = Number.NaN;
    let beganMs = 0;
    // From one to the next is a whole turn, in which the system is asked; what comes before the first one is a part.
    const turn = () => {
      const nowMs = performance.now();
      const waited = (nowMs - firstMs) / PATIENCE_MS;
      const quietMs = QUIET_MS + waited * (NEARLY_QUIET_MS - QUIET_MS);
      if ((nowMs - beganMs < quietMs && taken() === takenBefore) || waited > 1) {
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
