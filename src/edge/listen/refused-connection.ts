const FRAME_HEADER_BYTES = 9;
const GOAWAY = 7;
const SETTINGS = 4;
const ENHANCE_YOUR_CALM = 11;

const INADEQUATE_SECURITY = 12;

/** What a connection beyond a limit is sent before it is closed: the limit's name, in its own HTTP version. */
export function connectionRefusal(kind: "http1" | "http2", message: string): Buffer {
  if (kind === "http2") return goAway(message, ENHANCE_YOUR_CALM);
  const body = JSON.stringify({ code: "resource_exhausted", message });
  return http1Response("503 Service Unavailable", body, "retry-after: 1\r\n");
}

/**
 * What is sent to whoever speaks TLS on a port without it, or none on a port with it. A TLS client cannot read the answer, but
 * tells from it that no TLS is spoken here ("wrong version number") where a connection that is closed tells nothing.
 */
export function wrongEncryption(came: "http1" | "http2" | "tls"): { message: string; answer: Buffer } {
  const message =
    came === "tls"
      ? "a TLS handshake came, and this port speaks none: use http:// (grpc: an insecure channel, grpcurl -plaintext), or start the server with --tls-cert and --tls-key"
      : "a request without TLS came, and this port takes TLS only: use https:// (grpc: a secure channel, grpcurl without -plaintext)";
  if (came === "http2") return { message, answer: goAway(message, INADEQUATE_SECURITY) };
  const body = JSON.stringify({ code: "invalid_argument", message });
  return { message, answer: http1Response("400 Bad Request", body, "") };
}

function http1Response(status: string, body: string, fields: string): Buffer {
  return Buffer.from(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${fields}connection: close\r\n\r\n${body}`,
  );
}

/** The server's preface, an empty SETTINGS frame, and GOAWAY with the message as its debug data (RFC 9113, 6.8). */
function goAway(message: string, code: number): Buffer {
  const payload = Buffer.alloc(8 + Buffer.byteLength(message));
  payload.writeUInt32BE(code, 4);
  payload.write(message, 8);
  return Buffer.concat([frameHeader(0, SETTINGS), frameHeader(payload.length, GOAWAY), payload]);
}

function frameHeader(length: number, type: number): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUIntBE(length, 0, 3);
  header.writeUInt8(type, 3);
  return header;
}
