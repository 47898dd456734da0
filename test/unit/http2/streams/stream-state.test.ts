import { expect, test } from "vitest";
import * as s from "../../../../src/http2/streams/stream-state.ts";

// RFC 9113 section 5.1, sentence by sentence: [state, event, outcome].
const { IDLE, OPEN, HALF_CLOSED_LOCAL, HALF_CLOSED_REMOTE, CLOSED, RESET } = s;

test.each([
  ["idle: HEADERS opens the stream", IDLE, s.RECEIVE_HEADERS, OPEN],
  ["idle: PRIORITY changes nothing", IDLE, s.RECEIVE_PRIORITY, IDLE],
  ["idle: DATA is a connection error PROTOCOL_ERROR", IDLE, s.RECEIVE_DATA, s.CONNECTION_ERROR_PROTOCOL],
  [
    "idle: RST_STREAM is a connection error PROTOCOL_ERROR",
    IDLE,
    s.RECEIVE_RESET,
    s.CONNECTION_ERROR_PROTOCOL,
  ],
  [
    "idle: WINDOW_UPDATE is a connection error PROTOCOL_ERROR",
    IDLE,
    s.RECEIVE_WINDOW_UPDATE,
    s.CONNECTION_ERROR_PROTOCOL,
  ],
  ["open: any frame may come", OPEN, s.RECEIVE_DATA, OPEN],
  ["open: trailers may come", OPEN, s.RECEIVE_HEADERS, OPEN],
  ["open: END_STREAM received half-closes (remote)", OPEN, s.RECEIVE_END, HALF_CLOSED_REMOTE],
  ["open: END_STREAM sent half-closes (local)", OPEN, s.SEND_END, HALF_CLOSED_LOCAL],
  ["open: RST_STREAM received closes", OPEN, s.RECEIVE_RESET, CLOSED],
  ["open: RST_STREAM sent closes", OPEN, s.SEND_RESET, RESET],
  ["half-closed (local): any frame may come", HALF_CLOSED_LOCAL, s.RECEIVE_DATA, HALF_CLOSED_LOCAL],
  ["half-closed (local): END_STREAM received closes", HALF_CLOSED_LOCAL, s.RECEIVE_END, CLOSED],
  [
    "half-closed (remote): DATA is a stream error STREAM_CLOSED",
    HALF_CLOSED_REMOTE,
    s.RECEIVE_DATA,
    s.STREAM_ERROR_CLOSED,
  ],
  [
    "half-closed (remote): HEADERS is a stream error STREAM_CLOSED",
    HALF_CLOSED_REMOTE,
    s.RECEIVE_HEADERS,
    s.STREAM_ERROR_CLOSED,
  ],
  [
    "half-closed (remote): WINDOW_UPDATE may come",
    HALF_CLOSED_REMOTE,
    s.RECEIVE_WINDOW_UPDATE,
    HALF_CLOSED_REMOTE,
  ],
  ["half-closed (remote): END_STREAM sent closes", HALF_CLOSED_REMOTE, s.SEND_END, CLOSED],
  ["half-closed (remote): RST_STREAM sent closes", HALF_CLOSED_REMOTE, s.SEND_RESET, RESET],
  [
    "closed: HEADERS is a connection error STREAM_CLOSED",
    CLOSED,
    s.RECEIVE_HEADERS,
    s.CONNECTION_ERROR_CLOSED,
  ],
  ["closed: DATA is an error STREAM_CLOSED", CLOSED, s.RECEIVE_DATA, s.STREAM_ERROR_CLOSED],
  ["closed: WINDOW_UPDATE and RST_STREAM in flight are ignored", CLOSED, s.RECEIVE_WINDOW_UPDATE, s.IGNORE],
  ["closed: PRIORITY may come", CLOSED, s.RECEIVE_PRIORITY, CLOSED],
  ["reset by this end: what is in flight is ignored", RESET, s.RECEIVE_HEADERS, s.IGNORE],
  ["reset by this end: DATA in flight is ignored", RESET, s.RECEIVE_DATA, s.IGNORE],
])("%s", (_, state, event, outcome) => {
  expect(s.transition(state, event)).toBe(outcome);
});

test("the table has an outcome for every event in every state", () => {
  for (let state = IDLE; state <= RESET; state++) {
    for (let event = s.RECEIVE_HEADERS; event <= s.SEND_RESET; event++)
      expect(s.transition(state, event)).toBeTypeOf("number");
  }
});

test("the last 128 ids are known with how they closed, older and unseen ones are not", () => {
  const closed = new s.ClosedStreams();
  for (let id = 1; id < 400; id += 2) closed.add(id, id % 4 === 1 ? CLOSED : RESET);
  expect(closed.stateOf(397)).toBe(CLOSED);
  expect(closed.stateOf(399)).toBe(RESET);
  expect(closed.stateOf(399 - 2 * 127)).toBe(CLOSED);
  expect(closed.stateOf(399 - 2 * 128)).toBeUndefined();
  expect(closed.stateOf(401)).toBeUndefined();
});
