/** Octets that are copied at once. */
const COPIED_OCTETS = 1_048_576;

/** Octets that are written part by part, where how many there will be shows only at the end. */
export class OctetParts {
  length = 0;
  private readonly parts: Uint8Array[] = [];

  add(octets: Uint8Array): void {
    if (octets.length === 0) return;
    this.parts.push(octets);
    this.length += octets.length;
  }

  /** ASCII. */
  addText(text: string): void {
    this.add(Buffer.from(text, "latin1"));
  }

  addParts({ parts, length }: OctetParts): void {
    for (const part of parts) this.parts.push(part);
    this.length += length;
  }

  /** All of them, where they are few. */
  octets(): Uint8Array {
    return Buffer.concat(this.parts, this.length);
  }

  /** All of them behind `prefixBytes` zeros, in memory of their own; yields where the event loop may be given back. */
  *join(prefixBytes: number): Generator<void, Uint8Array> {
    const joined = Buffer.allocUnsafeSlow(prefixBytes + this.length).fill(0, 0, prefixBytes);
    let at = prefixBytes;
    for (const part of this.parts) {
      for (let from = 0; from < part.length; from += COPIED_OCTETS) {
        const piece = part.subarray(from, from + COPIED_OCTETS);
        joined.set(piece, at);
        at += piece.length;
        yield;
      }
    }
    return joined;
  }
}
