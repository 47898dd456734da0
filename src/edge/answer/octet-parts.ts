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

  /** All of them behind `prefix`, in memory of their own. */
  join(prefix: Uint8Array): Buffer {
    return Buffer.concat([prefix, ...this.parts], prefix.length + this.length);
  }
}
