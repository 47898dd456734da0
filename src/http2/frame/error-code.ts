/** Error codes of RFC 9113 section 7, sent in RST_STREAM and GOAWAY. */
export const NO_ERROR = 0x0;
export const PROTOCOL_ERROR = 0x1;
export const INTERNAL_ERROR = 0x2;
export const FLOW_CONTROL_ERROR = 0x3;
export const SETTINGS_TIMEOUT = 0x4;
export const STREAM_CLOSED = 0x5;
export const FRAME_SIZE_ERROR = 0x6;
export const REFUSED_STREAM = 0x7;
export const CANCEL = 0x8;
export const COMPRESSION_ERROR = 0x9;
export const ENHANCE_YOUR_CALM = 0xb;

/**
 * Ends the whole connection (RFC 9113 section 5.4.1): thrown by the pure parsers, turned by the connection into one
 * GOAWAY with `code`, and `reason` and `detail` as debug data. Reasons are few and fixed, so they can be counted;
 * what the peer chose (an id, a length) stands in `detail`.
 */
export class ConnectionError extends Error {
  readonly code: number;
  readonly reason: string;
  readonly detail: string;

  constructor(code: number, reason: string, detail = "") {
    super(detail === "" ? reason : `${reason}: ${detail}`);
    this.name = "ConnectionError";
    this.code = code;
    this.reason = reason;
    this.detail = detail;
  }
}
