const FRAME_HEADER_BYTES = 9;
const GOAWAY = 7;
const SETTINGS = 4;
const ENHANCE_YOUR_CALM = 11;

/** What a connection beyond a limit is sent before it is closed: the limit's name, in its own HTTP version. */
export function connectionRefusal(kind: "http1" | "http2", message: string): Buffer {
  return kind === "http1" ? unavailable(message) : goAway(message);
}

function unavailable(message: string): Buffer {
  const body = JSON.stringify({ code: "resource_exhausted", message });
  return Buffer.from(
    `HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nretry-after: 1\r\nconnection: close\r\n\r\n${body}`,
  );
}

/** The server's preface, an empty SETTINGS frame, and GOAWAY with the message as its debug data (RFC 9113, 6.8). */
function goAway(message: string): Buffer {
  const payload = Buffer.alloc(8 + Buffer.byteLength(message));
  payload.writeUInt32BE(ENHANCE_YOUR_CALM, 4);
  payload.write(message, 8);
  return Buffer.concat([frameHeader(0, SETTINGS), frameHeader(payload.length, GOAWAY), payload]);
}

function frameHeader(length: number, type: number): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUIntBE(length, 0, 3);
  header.writeUInt8(type, 3);
  return header;
}
