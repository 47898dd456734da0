/** Counts of what an engine has seen since it was made; a caller reads it for metrics. All connections count into one. */
export interface Http2Counters {
  connectionsAccepted: number;
  connectionsOpen: number;
  streamsOpened: number;
  /** Responses handed over whole. */
  streamsCompleted: number;
  /** Streams that ended before their response did, for whatever reason. */
  streamsCancelled: number;
  resetsReceived: number;
  resetsSent: number;
  pingsReceived: number;
  settingsReceived: number;
  headerListsTooLarge: number;
  /** Header blocks found by their bytes, of all request blocks. */
  headerBlocksKnown: number;
  headerBlocks: number;
  /** Streams given up because the peer took nothing of what was ready. */
  streamsStalled: number;
  /** Answers given up because their connection left too many octets unread. */
  answersDropped: number;
  /** Streams above SETTINGS_MAX_CONCURRENT_STREAMS, refused with REFUSED_STREAM. */
  streamsRefused: number;
  /** Connections that were without a stream for too long. */
  connectionsIdle: number;
  /** Bodies of answered requests that were read into nothing for as long, or as far, as they are. */
  bodiesCutOff: number;
  /** GOAWAY frames with an error, by their reason: some forty fixed texts, without what the peer chose. */
  goaways: Map<string, number>;
}

/** Counters at zero. */
export function createCounters(): Http2Counters {
  return {
    connectionsAccepted: 0,
    connectionsOpen: 0,
    streamsOpened: 0,
    streamsCompleted: 0,
    streamsCancelled: 0,
    resetsReceived: 0,
    resetsSent: 0,
    pingsReceived: 0,
    settingsReceived: 0,
    headerListsTooLarge: 0,
    headerBlocksKnown: 0,
    headerBlocks: 0,
    streamsStalled: 0,
    answersDropped: 0,
    streamsRefused: 0,
    connectionsIdle: 0,
    bodiesCutOff: 0,
    goaways: new Map(),
  };
}
