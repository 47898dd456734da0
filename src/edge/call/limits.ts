/** Bounds of the edge, with the names and defaults of `assay.config.v1.ServerConfig`. Sizes in bytes, times in milliseconds. */
export interface EdgeLimits {
  /** The largest message after decompression. */
  readonly maxMessageBytes: number;
  /** The largest header list of a request: names, values and 32 a field. */
  readonly maxHeaderListBytes: number;
  /** The most streams at a time on one HTTP/2 connection. */
  readonly maxConcurrentStreams: number;
  readonly maxConnections: number;
  /** The most connections at a time from one address; 0: nine tenths of `maxConnections`. */
  readonly maxConnectionsPerPeer: number;
  /** The most bytes of answers that one connection may leave unread; four times as many for all together. */
  readonly maxUnreadAnswerBytes: number;
  /** How long a peer may take nothing of an answer that waits for it. */
  readonly unreadTimeoutMs: number;
  /** The longest that a call may take, whatever deadline it brings; a bidi stream has only its caller's deadline. */
  readonly callTimeoutMs: number;
  /** For the first bytes, a TLS handshake, a request's header block. */
  readonly headerTimeoutMs: number;
  /** For the body of a request that is one message. */
  readonly bodyTimeoutMs: number;
  /** How long a connection without a call is kept. */
  readonly idleTimeoutMs: number;
  /** The most bytes that one stream may send ahead. */
  readonly streamWindowBytes: number;
  /** What all requests may take of the server's memory together; 0: a share of V8's heap limit. */
  readonly maxRequestMemoryBytes: bigint;
  /** Members of JSON requests that the schema does not have are taken and not read. */
  readonly ignoreUnknownFields: boolean;
}
