/** DATA frames and the end of a request (RFC 9113 sections 5.1, 6.1, 6.9 and 8.1.1). */

import { ConnectionError, FLOW_CONTROL_ERROR, PROTOCOL_ERROR } from "../frame/error-code.ts";
import { FLAG_END_STREAM } from "../frame/frame.ts";
import type { Http2Stream } from "../streams/server-stream.ts";
import { CLOSED, RECEIVE_DATA, RECEIVE_END, transition } from "../streams/stream-state.ts";
import type { ConnectionCore } from "./connection-core.ts";
import { EMPTY_DATA } from "./defence.ts";
import { judgeLateFrame } from "./late-frames.ts";

/** Accounts for a DATA frame; gives the stream that its body is for, or undefined when it is to be dropped. */
export function beginData(
  connection: ConnectionCore,
  streamId: number,
  flags: number,
  frameBytes: number,
  bodyBytes: number,
): Http2Stream | undefined {
  if (!connection.settingsReceived)
    throw new ConnectionError(PROTOCOL_ERROR, "the first frame is not SETTINGS (3.4)");
  if (connection.assembly.open)
    throw new ConnectionError(PROTOCOL_ERROR, "DATA within a header block (6.10)");
  if (streamId === 0) throw new ConnectionError(PROTOCOL_ERROR, "DATA on stream 0 (6.1)");
  if (!connection.receive.receive(frameBytes)) {
    throw new ConnectionError(FLOW_CONTROL_ERROR, "DATA beyond the connection's window (6.9.1)");
  }
  const stream = connection.streams.get(streamId);
  const outcome = transition(stream?.state ?? connection.stateOf(streamId), RECEIVE_DATA);
  if (stream === undefined || outcome < 0) {
    connection.returnCredit();
    judgeLateFrame(connection, outcome, streamId, "DATA");
    return undefined;
  }
  if (!stream.receive.receive(frameBytes)) {
    connection.returnCredit();
    connection.resetForced(stream, FLOW_CONTROL_ERROR);
    return undefined;
  }
  connection.holdBody(frameBytes);
  stream.bodyBytes += bodyBytes;
  if (bodyBytes > 0) connection.budgets.framesReceived++;
  else if ((flags & FLAG_END_STREAM) === 0 && !connection.spend(EMPTY_DATA)) return undefined;
  if (frameBytes > bodyBytes) stream.consume(frameBytes - bodyBytes);
  return stream;
}

/** END_STREAM came, with the last piece of the body. */
export function endRequest(connection: ConnectionCore, stream: Http2Stream, lastPiece: Uint8Array): void {
  const { contentLength } = stream.head;
  if (contentLength >= 0 && contentLength !== stream.bodyBytes) {
    connection.resetForced(stream, PROTOCOL_ERROR);
    return;
  }
  const next = transition(stream.state, RECEIVE_END);
  if (next === CLOSED) {
    // The response was complete before: nobody waits for this end.
    stream.complete();
    return;
  }
  stream.state = next;
  stream.deliver(lastPiece, true);
}
