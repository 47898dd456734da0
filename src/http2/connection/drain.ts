/** The graceful end of a connection (RFC 9113 section 6.8), in two steps so that requests on their way are not lost. */

import { NO_ERROR } from "../frame/error-code.ts";
import { MAX_STREAM_ID, PING } from "../frame/frame.ts";
import type { ConnectionCore } from "./connection-core.ts";

/** Its acknowledgement says that the peer has read the first GOAWAY. */
export const DRAIN_PING = Buffer.from("drain-00", "latin1");
const REASON = "shutting down";

/** First step: the peer learns of it, and requests that are on their way are still taken. */
export function startDrain(connection: ConnectionCore): void {
  if (connection.draining || connection.closingSinceMs !== undefined) return;
  connection.draining = true;
  connection.output.goaway(MAX_STREAM_ID, NO_ERROR, REASON);
  connection.output.control(PING, 0, DRAIN_PING, 0, DRAIN_PING.length);
}

/** Second step, when that PING came back or was given up: names the last request that will be answered. */
export function confirmDrain(connection: ConnectionCore): void {
  if (!connection.draining || connection.acceptedStreamId !== MAX_STREAM_ID) return;
  connection.acceptedStreamId = connection.lastStreamId;
  connection.output.goaway(connection.lastStreamId, NO_ERROR, REASON);
  connection.endDrained();
}
