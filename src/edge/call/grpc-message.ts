/** Clients refuse trailers of more than 8 KiB, and an octet may take three; Connect's own errors show headers of any length. */
const MAX_CHARACTERS = 1000;

/**
 * A `grpc-message` value as gRPC over HTTP/2 asks: printable ASCII but `%` as it is, all else percent-encoded. Connect encodes
 * more (`:` as `%3A`), and clients that decode with decodeURI, grpc-js among them, would show that to users.
 * Source: gRPC over HTTP/2, "Status-Message → Percent-Encoded".
 */
export function plainGrpcMessage(encoded: string): string {
  let text: string;
  try {
    text = decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
  if (text.length > MAX_CHARACTERS) text = `${text.slice(0, MAX_CHARACTERS - 1)}…`;
  let result = "";
  for (const byte of Buffer.from(text)) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    result += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return result;
}
