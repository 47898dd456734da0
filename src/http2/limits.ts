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
  /** The connection's receive window: all streams together hold no more unconsumed bytes than this. */
  readonly initialConnectionWindowBytes: number;
  readonly maxConnectionWindowBytes: number;
  /** Output that waits for the socket; above it the connection is not read until the peer reads (CVE-2019-9517). */
  readonly maxQueuedOutputBytes: number;
  /** From accept to the end of the client's preface and SETTINGS. */
  readonly handshakeTimeoutMs: number;
  /** From the first frame of a header block to its END_HEADERS. */
  readonly headerBlockTimeoutMs: number;
  /** How long the socket may take none of the waiting output. */
  readonly writeTimeoutMs: number;
  /** How long a finished response may wait without any window from the peer. */
  readonly stalledResponseMs: number;
  /** Silence after which a PING asks whether the peer is there; as long again without an answer ends the connection. */
  readonly keepaliveMs: number;
  /** How long a connection without a stream is kept; then it is drained. */
  readonly idleTimeoutMs: number;
}

/** Defaults for a scoring server: 1,000 streams, 16 KiB of headers, windows from 256 KiB to 4 MiB a stream. */
export const DEFAULT_LIMITS: Http2Limits = {
  maxConcurrentStreams: 1_000,
  maxHeaderListBytes: 16_384,
  maxHeaderBlockBytes: 65_536,
  maxContinuationFrames: 32,
  initialStreamWindowBytes: 262_144,
  maxStreamWindowBytes: 4_194_304,
  initialConnectionWindowBytes: 1_048_576,
  maxConnectionWindowBytes: 16_777_216,
  maxQueuedOutputBytes: 1_048_576,
  handshakeTimeoutMs: 10_000,
  headerBlockTimeoutMs: 10_000,
  writeTimeoutMs: 30_000,
  stalledResponseMs: 120_000,
  keepaliveMs: 60_000,
  idleTimeoutMs: 300_000,
};
