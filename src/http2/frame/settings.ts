/** SETTINGS payloads, read and written (RFC 9113 section 6.5). Pure. */

import type { Http2Limits } from "../limits.ts";
import { ConnectionError, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, PROTOCOL_ERROR } from "./error-code.ts";
import {
  DEFAULT_MAX_FRAME_BYTES,
  DEFAULT_WINDOW_BYTES,
  MAX_WINDOW_BYTES,
  readUint32,
  writeUint32,
} from "./frame.ts";

const HEADER_TABLE_SIZE = 0x1;
const ENABLE_PUSH = 0x2;
const MAX_CONCURRENT_STREAMS = 0x3;
const INITIAL_WINDOW_SIZE = 0x4;
const MAX_FRAME_SIZE = 0x5;
const MAX_HEADER_LIST_SIZE = 0x6;

/** HPACK table size of both ends before and, for this end, after SETTINGS. */
export const DEFAULT_HEADER_TABLE_BYTES = 4096;

/** Those of the peer's settings that a server that never pushes acts on. */
export interface PeerSettings {
  headerTableBytes: number;
  initialWindowBytes: number;
  maxFrameBytes: number;
}

/** The values in force before the peer's first SETTINGS frame. */
export function initialPeerSettings(): PeerSettings {
  return {
    headerTableBytes: DEFAULT_HEADER_TABLE_BYTES,
    initialWindowBytes: DEFAULT_WINDOW_BYTES,
    maxFrameBytes: DEFAULT_MAX_FRAME_BYTES,
  };
}

/**
 * Applies a SETTINGS payload `bytes[start, end)` to `current`, in order; unknown settings are ignored.
 * Throws ConnectionError for a length that is no multiple of six and for values that section 6.5.2 forbids.
 */
export function applySettings(
  current: PeerSettings,
  bytes: Uint8Array,
  start: number,
  end: number,
): PeerSettings {
  if ((end - start) % 6 !== 0) {
    throw new ConnectionError(
      FRAME_SIZE_ERROR,
      "SETTINGS is no multiple of 6 octets (6.5)",
      `${end - start} octets`,
    );
  }
  const next = { ...current };
  for (let i = start; i < end; i += 6) {
    const value = readUint32(bytes, i + 2);
    switch ((bytes[i]! << 8) | bytes[i + 1]!) {
      case HEADER_TABLE_SIZE:
        next.headerTableBytes = value;
        break;
      case ENABLE_PUSH:
        if (value > 1)
          throw new ConnectionError(
            PROTOCOL_ERROR,
            "SETTINGS_ENABLE_PUSH is not 0 or 1 (6.5.2)",
            String(value),
          );
        break;
      case INITIAL_WINDOW_SIZE:
        if (value > MAX_WINDOW_BYTES) {
          throw new ConnectionError(
            FLOW_CONTROL_ERROR,
            "SETTINGS_INITIAL_WINDOW_SIZE is above 2^31-1 (6.5.2)",
            String(value),
          );
        }
        next.initialWindowBytes = value;
        break;
      case MAX_FRAME_SIZE:
        if (value < 16_384 || value > 16_777_215) {
          throw new ConnectionError(
            PROTOCOL_ERROR,
            "SETTINGS_MAX_FRAME_SIZE is not 2^14 to 2^24-1 (6.5.2)",
            String(value),
          );
        }
        next.maxFrameBytes = value;
        break;
    }
  }
  return next;
}

/** The payload of this end's SETTINGS frame; push and extended CONNECT are not offered. */
export function serverSettings(limits: Http2Limits): Buffer {
  const payload = Buffer.alloc(18);
  let position = 0;
  for (const [id, value] of [
    [MAX_CONCURRENT_STREAMS, limits.maxConcurrentStreams],
    [INITIAL_WINDOW_SIZE, limits.initialStreamWindowBytes],
    [MAX_HEADER_LIST_SIZE, limits.maxHeaderListBytes],
  ] as const) {
    payload.writeUInt16BE(id, position);
    position = writeUint32(payload, position + 2, value);
  }
  return payload;
}
