/** Complete header blocks become requests or trailers (RFC 9113 sections 5.1, 8.1 and 8.3). */

import { ConnectionError, PROTOCOL_ERROR, REFUSED_STREAM } from "../frame/error-code.ts";
import { DEFAULT_WINDOW_BYTES } from "../frame/frame.ts";
import { headerBlock } from "../stream.ts";
import { ReceiveWindow } from "../streams/receive-window.ts";
import { type RequestHead, requestHead, trailerFault } from "../streams/request-head.ts";
import { Http2Stream } from "../streams/server-stream.ts";
import {
  HALF_CLOSED_REMOTE,
  IDLE,
  OPEN,
  RECEIVE_HEADERS,
  RESET,
  transition,
} from "../streams/stream-state.ts";
import { endRequest } from "./body-frames.ts";
import type { ConnectionCore } from "./connection-core.ts";
import { FORCED_RESETS, REFUSED } from "./defence.ts";
import { judgeLateFrame } from "./late-frames.ts";

const NO_BODY = Buffer.alloc(0);
const EMPTY_BLOCK = headerBlock([]);

/** Takes the block that the connection's assembly holds. */
export function acceptRequest(connection: ConnectionCore): void {
  const { streamId } = connection.assembly;
  const stream = connection.streams.get(streamId);
  if (stream !== undefined) {
    acceptTrailers(connection, stream);
    return;
  }
  const state = connection.stateOf(streamId);
  if (state !== IDLE) {
    acceptLate(connection, streamId);
    return;
  }
  const head = decodeHead(connection);
  connection.lastStreamId = streamId;
  if (streamId > connection.acceptedStreamId) {
    // After the last GOAWAY what follows is ignored (section 6.8).
    connection.closedStreams.add(streamId, RESET);
    return;
  }
  openStream(connection, streamId, head);
}

/** Decodes the block in any case, for the sake of the table; finds it by its bytes where it came before. */
function decodeHead(connection: ConnectionCore): RequestHead {
  const { assembly, decoder, knownBlocks } = connection;
  const { counters, limits } = connection.context;
  const { bytes, start, end } = assembly;
  counters.headerBlocks++;
  const known = knownBlocks.find(bytes, start, end, decoder.generation);
  if (known !== undefined) {
    counters.headerBlocksKnown++;
    return known;
  }
  const { generation } = decoder;
  const head = requestHead(decoder.decode(bytes, start, end, limits.maxHeaderListBytes));
  if (decoder.generation === generation) knownBlocks.keep(bytes, start, end, generation, head);
  return head;
}

function openStream(connection: ConnectionCore, streamId: number, head: RequestHead): void {
  const { context, assembly, streams } = connection;
  const { limits, counters } = context;
  // Those that are answered make room for others.
  if (streams.size >= limits.maxConcurrentStreams) connection.answeredEarly.end();
  if (streams.size >= limits.maxConcurrentStreams) {
    counters.streamsRefused++;
    connection.sendReset(streamId, REFUSED_STREAM);
    connection.closedStreams.add(streamId, RESET);
    connection.spend(REFUSED);
    return;
  }
  counters.streamsOpened++;
  // Until the peer has acknowledged a smaller window it may use the default (section 6.9.3).
  const window = connection.settingsAcknowledged
    ? limits.initialStreamWindowBytes
    : Math.max(limits.initialStreamWindowBytes, DEFAULT_WINDOW_BYTES);
  const receive = new ReceiveWindow(window, limits.maxStreamWindowBytes);
  const sendWindow = connection.peerSettings.initialWindowBytes;
  const stream = new Http2Stream(connection, streamId, head, receive, sendWindow, context.clock.sweeps);
  const { endStream } = assembly;
  if (endStream) stream.state = HALF_CLOSED_REMOTE;
  streams.add(stream);
  if (head.tooLarge && !assembly.dependsOnItself) {
    // Before its form is judged: what did not fit may be what it lacks.
    counters.headerListsTooLarge++;
    refuseHeaderList(connection, stream);
    connection.spend(FORCED_RESETS);
  } else if (
    assembly.dependsOnItself ||
    head.malformed !== undefined ||
    (endStream && head.contentLength > 0)
  ) {
    connection.resetForced(stream, PROTOCOL_ERROR);
  } else if (head.method === "CONNECT") {
    stream.respond(501, EMPTY_BLOCK, true);
  } else {
    connection.accept(stream, endStream);
  }
}

function refuseHeaderList(connection: ConnectionCore, stream: Http2Stream): void {
  try {
    connection.context.onHeaderListTooLarge?.(stream);
  } catch (error) {
    connection.handlerFailed(error);
  }
  if (stream.unanswered) stream.respond(431, EMPTY_BLOCK, true);
}

function acceptTrailers(connection: ConnectionCore, stream: Http2Stream): void {
  const { assembly, decoder } = connection;
  const fields = decoder.decode(
    assembly.bytes,
    assembly.start,
    assembly.end,
    connection.context.limits.maxHeaderListBytes,
  );
  const outcome = transition(stream.state, RECEIVE_HEADERS);
  if (outcome < OPEN) judgeLateFrame(connection, outcome, stream.id, "HEADERS");
  else if (!assembly.endStream || assembly.dependsOnItself || trailerFault(fields) !== undefined) {
    connection.resetForced(stream, PROTOCOL_ERROR);
  } else endRequest(connection, stream, NO_BODY);
}

/** HEADERS on an id that is behind: closed, reset by this end, or skipped by the peer (section 5.1.1). */
function acceptLate(connection: ConnectionCore, streamId: number): void {
  const { assembly, decoder } = connection;
  decoder.decode(assembly.bytes, assembly.start, assembly.end, 0);
  const state = connection.closedStreams.stateOf(streamId);
  if (state === undefined) {
    throw new ConnectionError(
      PROTOCOL_ERROR,
      "HEADERS on a stream below the last one (5.1.1)",
      `stream ${streamId}`,
    );
  }
  judgeLateFrame(connection, transition(state, RECEIVE_HEADERS), streamId, "HEADERS");
}
