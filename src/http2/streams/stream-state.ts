/**
 * The stream states of RFC 9113 section 5.1 as a table, for a server that never pushes (so both "reserved" states
 * are out of reach). Rows and columns can be checked against the RFC's figure 2 and the text under it.
 */

/** States; `reset` is "closed" after this end sent RST_STREAM, when frames in flight are ignored for a while. */
export const IDLE = 0;
export const OPEN = 1;
export const HALF_CLOSED_LOCAL = 2;
export const HALF_CLOSED_REMOTE = 3;
export const CLOSED = 4;
export const RESET = 5;

/** Events, received from the client or sent by this end: columns of the table. An END_STREAM flag is an event of its own. */
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
const UNREACHABLE = -5;

const OP = OPEN;
const HL = HALF_CLOSED_LOCAL;
const HR = HALF_CLOSED_REMOTE;
const CL = CLOSED;
const RS = RESET;
const ig = IGNORE;
const se = STREAM_ERROR_CLOSED;
const ce = CONNECTION_ERROR_CLOSED;
const pe = CONNECTION_ERROR_PROTOCOL;
const un = UNREACHABLE;

// biome-ignore format: one row a state, one column an event, to be read against the RFC
const TABLE = Int8Array.of(
  //                 received: HEADERS DATA END RST WINDOW PRIORITY   sent: END RST
  /* idle               */     OP,     pe,  un, pe, pe,    IDLE,            un, un,
  /* open               */     OP,     OP,  HR, CL, OP,    OP,              HL, RS,
  /* half-closed-local  */     HL,     HL,  CL, CL, HL,    HL,              un, RS,
  /* half-closed-remote */     se,     se,  se, CL, HR,    HR,              CL, RS,
  /* closed             */     ce,     se,  se, ig, ig,    CL,              un, un,
  /* reset              */     ig,     ig,  ig, ig, ig,    RS,              un, un,
);

/** The next state (0 and up), or one of the outcomes below 0. */
export function transition(state: number, event: number): number {
  return TABLE[state * 8 + event]!;
}

const REMEMBERED = 128;

/**
 * The last streams that closed, so that a late frame can be judged by how its stream ended. Older ones count as
 * closed for certain and are not told from ids that were skipped.
 */
export class ClosedStreams {
  private readonly ids = new Int32Array(REMEMBERED);
  private next = 0;

  /** Notes an id with its closed state, CLOSED or RESET (this end sent RST_STREAM). */
  add(streamId: number, state: number): void {
    // Ids have 31 bits; a reset stream is kept as a negative number.
    this.ids[this.next] = state === RESET ? -streamId : streamId;
    this.next = (this.next + 1) % REMEMBERED;
  }

  /** CLOSED or RESET; undefined when the id is not among the last ones. */
  stateOf(streamId: number): number | undefined {
    for (const id of this.ids) {
      if (id === streamId) return CLOSED;
      if (id === -streamId) return RESET;
    }
    return undefined;
  }
}
