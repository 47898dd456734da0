/**
 * The stream states of RFC 9113 section 5.1 as a table, for a server that never pushes (so both "reserved" states
 * are out of reach). Rows and columns can be checked against the RFC's figure 2 and the text under it.
 */

/** States; `reset` is "closed" after this end sent RST_STREAM, when frames in flight are ignored for a while. */
export const STATES = ["idle", "open", "half-closed-local", "half-closed-remote", "closed", "reset"] as const;
export const IDLE = 0;
export const OPEN = 1;
export const HALF_CLOSED_LOCAL = 2;
export const HALF_CLOSED_REMOTE = 3;
export const CLOSED = 4;
export const RESET = 5;

/** Events, received (R) from the client or sent (S) by this end; an END_STREAM flag is an event of its own. */
export const EVENTS = [
  "R HEADERS",
  "R DATA",
  "R END_STREAM",
  "R RST_STREAM",
  "R WINDOW_UPDATE",
  "R PRIORITY",
  "S END_STREAM",
  "S RST_STREAM",
] as const;
export const RECEIVE_HEADERS = 0;
export const RECEIVE_DATA = 1;
export const RECEIVE_END = 2;
export const RECEIVE_RESET = 3;
export const RECEIVE_WINDOW_UPDATE = 4;
export const RECEIVE_PRIORITY = 5;
export const SEND_END = 6;
export const SEND_RESET = 7;

/** Outcomes that are no state: frames to ignore, and errors of the stream or of the connection. */
export const IGNORE = -1;
export const STREAM_ERROR_CLOSED = -2;
export const CONNECTION_ERROR_CLOSED = -3;
export const CONNECTION_ERROR_PROTOCOL = -4;
/** This end never does it. */
export const UNREACHABLE = -5;

const C = CONNECTION_ERROR_CLOSED;
const P = CONNECTION_ERROR_PROTOCOL;
const S = STREAM_ERROR_CLOSED;
const I = IGNORE;
const U = UNREACHABLE;

// biome-ignore format: one row a state, one column an event, to be read against the RFC
const TABLE = Int8Array.of(
  //  R HEADERS           R DATA              R END_STREAM        R RST    R WINDOW_UPDATE     R PRIORITY          S END_STREAM        S RST
  /* idle               */ OPEN,               P,                  U,       P,      P,                  IDLE,               U,                  U,
  /* open               */ OPEN,               OPEN,               HALF_CLOSED_REMOTE, CLOSED, OPEN,    OPEN,               HALF_CLOSED_LOCAL,  RESET,
  /* half-closed-local  */ HALF_CLOSED_LOCAL,  HALF_CLOSED_LOCAL,  CLOSED,  CLOSED, HALF_CLOSED_LOCAL,  HALF_CLOSED_LOCAL,  U,                  RESET,
  /* half-closed-remote */ S,                  S,                  S,       CLOSED, HALF_CLOSED_REMOTE, HALF_CLOSED_REMOTE, CLOSED,             RESET,
  /* closed             */ C,                  S,                  S,       I,      I,                  CLOSED,             U,                  U,
  /* reset              */ I,                  I,                  I,       I,      I,                  RESET,              U,                  U,
);

/** The next state (0 and up), or one of the outcomes below 0. */
export function transition(state: number, event: number): number {
  return TABLE[state * 8 + event]!;
}
