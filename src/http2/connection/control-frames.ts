/** Every frame but DATA, HEADERS and CONTINUATION, handled one function a type (RFC 9113 section 6). */

import {
  ConnectionError,
  FLOW_CONTROL_ERROR,
  FRAME_SIZE_ERROR,
  PROTOCOL_ERROR,
} from "../frame/error-code.ts";
import {
  FLAG_ACK,
  GOAWAY,
  MAX_WINDOW_BYTES,
  PING,
  PRIORITY,
  PUSH_PROMISE,
  RST_STREAM,
  readUint31,
  readUint32,
  SETTINGS,
  WINDOW_UPDATE,
} from "../frame/frame.ts";
import { applySettings } from "../frame/settings.ts";
import { CLOSED, RECEIVE_RESET, RECEIVE_WINDOW_UPDATE, transition } from "../streams/stream-state.ts";
import type { ConnectionCore } from "./connection-core.ts";
import { PINGS, PRIORITIES, RESETS, SETTINGS_FRAMES, UNKNOWN_FRAMES, WINDOW_UPDATES } from "./defence.ts";
import { confirmDrain, DRAIN_PING } from "./drain.ts";
import { judgeLateFrame } from "./late-frames.ts";

const NO_PAYLOAD = Buffer.alloc(0);

/** Handles one frame whose payload is `bytes[start, end)`. */
export function controlFrame(
  connection: ConnectionCore,
  type: number,
  flags: number,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  switch (type) {
    case WINDOW_UPDATE:
      windowUpdate(connection, streamId, bytes, start, end);
      break;
    case PING:
      ping(connection, flags, streamId, bytes, start, end);
      break;
    case SETTINGS:
      settings(connection, flags, streamId, bytes, start, end);
      break;
    case RST_STREAM:
      resetStream(connection, streamId, bytes, start, end);
      break;
    case PRIORITY:
      priority(connection, streamId, bytes, start, end);
      break;
    case GOAWAY:
      onConnection("GOAWAY", streamId);
      if (end - start < 8) throw new ConnectionError(FRAME_SIZE_ERROR, "GOAWAY of fewer than 8 octets (6.8)");
      break;
    case PUSH_PROMISE:
      throw new ConnectionError(PROTOCOL_ERROR, "PUSH_PROMISE from a client (8.4)");
    default:
      // Frames of unknown type are ignored (section 4.1), but not without end.
      connection.spend(UNKNOWN_FRAMES);
  }
}

function onConnection(what: string, streamId: number): void {
  if (streamId !== 0)
    throw new ConnectionError(PROTOCOL_ERROR, `${what} on a stream, not on 0`, `stream ${streamId}`);
}

function onStream(what: string, streamId: number): void {
  if (streamId === 0) throw new ConnectionError(PROTOCOL_ERROR, `${what} on stream 0`);
}

function ofLength(what: string, length: number, wanted: number): void {
  if (length === wanted) return;
  throw new ConnectionError(FRAME_SIZE_ERROR, `${what} is not of ${wanted} octets`, `${length} octets`);
}

function windowUpdate(
  connection: ConnectionCore,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  ofLength("WINDOW_UPDATE", end - start, 4);
  if (!connection.spend(WINDOW_UPDATES)) return;
  const increment = readUint31(bytes, start);
  const { scheduler } = connection;
  if (streamId === 0) {
    if (increment === 0) throw new ConnectionError(PROTOCOL_ERROR, "WINDOW_UPDATE by 0 (6.9)");
    if (scheduler.window + increment > MAX_WINDOW_BYTES) {
      throw new ConnectionError(FLOW_CONTROL_ERROR, "the connection's window would pass 2^31-1 (6.9.1)");
    }
    scheduler.window += increment;
    scheduler.pump();
    return;
  }
  const stream = connection.streams.get(streamId);
  if (stream === undefined) {
    const outcome = transition(connection.stateOf(streamId), RECEIVE_WINDOW_UPDATE);
    if (outcome < 0) judgeLateFrame(connection, outcome, streamId, "WINDOW_UPDATE");
    return;
  }
  if (increment === 0) connection.resetForced(stream, PROTOCOL_ERROR);
  else if (!stream.openWindow(increment)) connection.resetForced(stream, FLOW_CONTROL_ERROR);
  else scheduler.pump();
}

function ping(
  connection: ConnectionCore,
  flags: number,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  onConnection("PING", streamId);
  ofLength("PING", end - start, 8);
  if ((flags & FLAG_ACK) !== 0) {
    if (DRAIN_PING.compare(bytes, start, end) === 0) confirmDrain(connection);
    return;
  }
  connection.context.counters.pingsReceived++;
  if (connection.spend(PINGS)) connection.output.control(PING, FLAG_ACK, bytes, start, end);
}

function settings(
  connection: ConnectionCore,
  flags: number,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  onConnection("SETTINGS", streamId);
  if ((flags & FLAG_ACK) !== 0) {
    ofLength("SETTINGS with ACK", end - start, 0);
    if (!connection.settingsReceived) {
      throw new ConnectionError(PROTOCOL_ERROR, "the first SETTINGS frame is an acknowledgement (3.4)");
    }
    connection.settingsAcknowledged = true;
    return;
  }
  connection.context.counters.settingsReceived++;
  if (!connection.spend(SETTINGS_FRAMES)) return;
  const before = connection.peerSettings;
  const after = applySettings(before, bytes, start, end);
  connection.peerSettings = after;
  connection.settingsReceived = true;
  connection.output.maxFrameBytes = after.maxFrameBytes;
  connection.output.control(SETTINGS, FLAG_ACK, NO_PAYLOAD, 0, 0);
  if (after.headerTableBytes < before.headerTableBytes) connection.output.announceNoTable();
  const change = after.initialWindowBytes - before.initialWindowBytes;
  if (change === 0) return;
  for (const stream of connection.streams.all()) {
    if (!stream.openWindow(change)) {
      throw new ConnectionError(
        FLOW_CONTROL_ERROR,
        "SETTINGS_INITIAL_WINDOW_SIZE overflows a window (6.9.2)",
      );
    }
  }
  connection.scheduler.pump();
}

function resetStream(
  connection: ConnectionCore,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  onStream("RST_STREAM", streamId);
  ofLength("RST_STREAM", end - start, 4);
  connection.context.counters.resetsReceived++;
  const stream = connection.streams.get(streamId);
  const outcome = transition(stream?.state ?? connection.stateOf(streamId), RECEIVE_RESET);
  if (stream === undefined) {
    // It crossed the end of its response, as the resets of deadlines often do.
    judgeLateFrame(connection, outcome, streamId, "RST_STREAM");
    return;
  }
  if (stream.responseEnded && !stream.waiting) {
    // It has its answer, and says that it will not send the rest of its request.
    stream.complete();
    return;
  }
  stream.cancel({ kind: "reset", code: readUint32(bytes, start) }, CLOSED);
  const { clock, rapidSweeps } = connection.context;
  if (clock.sweeps - stream.openedAtSweep < rapidSweeps) connection.spend(RESETS);
}

/** Priorities are read and not followed (section 5.3.2). */
function priority(
  connection: ConnectionCore,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  onStream("PRIORITY", streamId);
  if (!connection.spend(PRIORITIES)) return;
  const wrong = end - start !== 5 ? FRAME_SIZE_ERROR : PROTOCOL_ERROR;
  if (wrong === PROTOCOL_ERROR && readUint31(bytes, start) !== streamId) return;
  const stream = connection.streams.get(streamId);
  // A stream error where there is a stream; on an idle one RST_STREAM is not allowed.
  if (stream !== undefined) connection.resetForced(stream, wrong);
  else
    throw new ConnectionError(
      wrong,
      "PRIORITY of a wrong length or of a stream that depends on itself (6.3)",
    );
}
