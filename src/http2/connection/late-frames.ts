/** Frames on streams that are not open (RFC 9113 section 5.1). */

import { ConnectionError, PROTOCOL_ERROR, STREAM_CLOSED } from "../frame/error-code.ts";
import {
  CONNECTION_ERROR_CLOSED,
  CONNECTION_ERROR_PROTOCOL,
  STREAM_ERROR_CLOSED,
} from "../streams/stream-state.ts";
import type { ConnectionCore } from "./connection-core.ts";
import { CLOSED_STREAM_FRAMES } from "./defence.ts";

/**
 * Acts on a transition whose `outcome` is no state: ignores the frame, resets the stream, or throws ConnectionError.
 * What is ignored is counted, because frames on closed streams are few in good faith.
 */
export function judgeLateFrame(
  connection: ConnectionCore,
  outcome: number,
  streamId: number,
  what: string,
): void {
  if (outcome === CONNECTION_ERROR_PROTOCOL) {
    throw new ConnectionError(PROTOCOL_ERROR, `${what} on an idle stream (5.1)`, `stream ${streamId}`);
  }
  if (outcome === CONNECTION_ERROR_CLOSED) {
    throw new ConnectionError(STREAM_CLOSED, `${what} on a closed stream (5.1)`, `stream ${streamId}`);
  }
  if (!connection.spend(CLOSED_STREAM_FRAMES) || outcome !== STREAM_ERROR_CLOSED) return;
  const stream = connection.streams.get(streamId);
  if (stream !== undefined) connection.resetForced(stream, STREAM_CLOSED);
  else connection.resetUnknown(streamId, STREAM_CLOSED);
}
