/** Every bound of a connection. Sizes in bytes, times in milliseconds. */
export interface Http2Limits {
  /** SETTINGS_MAX_CONCURRENT_STREAMS; one more is refused with REFUSED_STREAM. */
  readonly maxConcurrentStreams: number;
  /** SETTINGS_MAX_HEADER_LIST_SIZE: names, values and 32 a field; a longer list is answered 431. */
  readonly maxHeaderListBytes: number;
  /** Encoded octets of one header block with its CONTINUATION frames. */
  readonly maxHeaderBlockBytes: number;
  /** CONTINUATION frames of one header block (CVE-2024-27316). */
  readonly maxContinuationFrames: number;
  /** A stream's receive window: what it starts with and what it may grow to. */
  readonly initialStreamWindowBytes: number;
  readonly maxStreamWindowBytes: number;
  /**
   * Octets of bodies that all streams of a connection hold unread, above which the connection's window is held back too; the windows
   * of its streams together grow by half of it at most.
   */
  readonly maxUnreadBodyBytes: number;
  /**
   * What is still taken of a body, and read into nothing, after its request was answered; then RST_STREAM stops the peer. Clients that
   * read only once they have sent lose an answer that a reset follows at once.
   */
  readonly maxDiscardedBytes: number;
  readonly maxDiscardMs: number;
  /** The connection's receive window: what may be on its way. */
  readonly initialConnectionWindowBytes: number;
  readonly maxConnectionWindowBytes: number;
  /** Output that waits for the socket; above it the connection is not read until the peer reads (CVE-2019-9517). */
  readonly maxQueuedOutputBytes: number;
  /**
   * Octets of answers that wait for a connection's windows. Above a quarter its further requests wait; above the whole, further answers
   * are given up with ENHANCE_YOUR_CALM.
   */
  readonly maxUnreadAnswerBytes: number;
  /** The same of all connections, with what waits for their sockets; above it those that hold the most are ended. */
  readonly maxAllUnreadAnswerBytes: number;
  /** From accept to the end of the client's preface and SETTINGS. */
  readonly handshakeTimeoutMs: number;
  /** From the first frame of a header block to its END_HEADERS. */
  readonly headerBlockTimeoutMs: number;
  /** How long the socket may take none of the waiting output. */
  readonly writeTimeoutMs: number;
  /** How long a response that is ready may wait without a window from the peer; less than 1 KiB in that time counts as none. */
  readonly stalledResponseMs: number;
  /** Silence after which a PING asks whether the peer is there; as long again without an answer ends the connection. */
  readonly keepaliveMs: number;
  /** How long a connection without a stream is kept; then it is drained. */
  readonly idleTimeoutMs: number;
  /**
   * A stream that the peer resets within this time spends its budget of resets. One that was open for longer has held its place among
   * the concurrent ones, which bounds how many like it there can be: callers whose deadlines pass while a model is slow are no flood.
   */
  readonly rapidResetMs: number;
}

/** Defaults for a scoring server: 1,000 streams, 16 KiB of headers, windows from 256 KiB to 4 MiB a stream. */
export const DEFAULT_LIMITS: Http2Limits = {
  maxConcurrentStreams: 1_000,
  maxHeaderListBytes: 16_384,
  maxHeaderBlockBytes: 65_536,
  maxContinuationFrames: 32,
  initialStreamWindowBytes: 262_144,
  maxStreamWindowBytes: 4_194_304,
  maxUnreadBodyBytes: 67_108_864,
  maxDiscardedBytes: 67_108_864,
  maxDiscardMs: 5_000,
  initialConnectionWindowBytes: 1_048_576,
  maxConnectionWindowBytes: 16_777_216,
  maxQueuedOutputBytes: 1_048_576,
  maxUnreadAnswerBytes: 67_108_864,
  maxAllUnreadAnswerBytes: 268_435_456,
  handshakeTimeoutMs: 10_000,
  headerBlockTimeoutMs: 10_000,
  writeTimeoutMs: 30_000,
  stalledResponseMs: 60_000,
  keepaliveMs: 60_000,
  idleTimeoutMs: 300_000,
  rapidResetMs: 1_000,
};
