import type { Socket } from "node:net";
import { limitHit } from "../../limits.ts";
import type { EdgeLimits } from "../call/limits.ts";
import { type FirstBytes, firstBytes } from "./connection-start.ts";

/** What first bytes say once there are enough of them. */
export type Spoken = Exclude<FirstBytes, "more">;

/**
 * How much longer than a head a first octet may take: clients open connections that they use later, and a call that is sent as its
 * connection ends is lost. With the default of 10 s it is the minute that nginx and `node:http` give.
 */
const SILENCE = 6;

/** Whom a reading of first bytes tells how it went on. */
export interface FirstBytesEvents {
  /** It has said something, or is gone. */
  said(): void;
  /** What it speaks; the socket is paused, with all its octets put back. */
  then(kind: Spoken): void;
}

/** Reads a connection until it has said what it speaks; ends one that takes too long, or closes its side before. */
export function readFirstBytes(
  socket: Socket,
  { headerTimeoutMs, maxHeaderListBytes }: Pick<EdgeLimits, "headerTimeoutMs" | "maxHeaderListBytes">,
  events: FirstBytesEvents,
): void {
  let bytes: Buffer = Buffer.alloc(0);
  const late = (): void => {
    limitHit("header-timeout-ms");
    socket.destroy();
  };
  let timer = setTimeout(late, SILENCE * headerTimeoutMs);
  const stop = (): void => {
    clearTimeout(timer);
    events.said();
    socket.off("data", take);
    socket.off("end", giveUp);
    socket.off("close", stop);
  };
  const giveUp = (): void => void socket.destroy();
  const take = (chunk: Buffer): void => {
    if (bytes.length === 0) {
      events.said();
      clearTimeout(timer);
      timer = setTimeout(late, headerTimeoutMs);
    }
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
    const kind = firstBytes(bytes, maxHeaderListBytes);
    if (kind === "more") return;
    stop();
    socket.pause();
    socket.unshift(bytes);
    events.then(kind);
  };
  socket.on("data", take);
  socket.once("end", giveUp);
  socket.once("close", stop);
}
