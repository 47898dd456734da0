/** Decodes base64 that comes in pieces, each of which may end in padding or in the middle of a group (gRPC-Web text). */
export interface Base64Decoder {
  /** Throws on characters outside the alphabet, and at the end on an incomplete group. */
  decode(text: Uint8Array, end: boolean): Uint8Array;
}

const ALPHABET = /^[A-Za-z0-9+/\s]*$/;

/** Makes a decoder for one body. */
export function createBase64Decoder(): Base64Decoder {
  let rest = "";
  return {
    decode(text, end) {
      rest += Buffer.from(text.buffer, text.byteOffset, text.byteLength)
        .toString("latin1")
        .replace(/\s/g, "");
      const usable = end ? rest.length : rest.length - (rest.length % 4);
      const ready = rest.slice(0, usable);
      rest = rest.slice(usable);
      if (ready.length % 4 !== 0) throw new RangeError("the base64 text ends in the middle of a group");
      const parts: Buffer[] = [];
      // Padding may stand inside: each flushed piece of a message is encoded by itself.
      for (const group of ready.match(/[^=]+={0,2}|=+/g) ?? []) {
        const letters = group.replace(/=/g, "");
        if (letters === "" || group.length % 4 !== 0 || !ALPHABET.test(letters)) {
          throw new RangeError("the body is not valid base64");
        }
        parts.push(Buffer.from(group, "base64"));
      }
      return Buffer.concat(parts);
    },
  };
}

/** Encodes bytes as base64 text, padded. */
export function encodeBase64(bytes: Uint8Array): Uint8Array {
  return Buffer.from(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"),
    "latin1",
  );
}
