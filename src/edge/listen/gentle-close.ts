import type { Socket } from "node:net";

/** How long a peer may take to close its side. */
const LINGER_MS = 2000;

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
