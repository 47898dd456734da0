const NO_BYTES: Uint8Array = new Uint8Array(0);
/** Longer texts are seldom, and left to protobuf-es. */
const LONGEST_TEXT = 64;
const PLACES = 64;

/**
 * A place in protobuf octets that hold a message in the plain form, each number in few octets and each text short and ASCII. It never
 * throws: where the octets are in another form, or are damaged, it gives up, and whoever reads asks `isPlain` at the end.
 */
export class PlainCursor {
  private bytes = NO_BYTES;
  /** -1: given up. */
  private at = 0;
  /** Texts that came lately, each in the place that its octets tell: the same names come again and again. */
  private readonly known = new Array<string>(PLACES).fill("");
  private readonly float = new Float32Array(1);
  private readonly word = new Int32Array(this.float.buffer);

  /** Starts at the first octet. */
  begin(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.at = 0;
  }

  get isPlain(): boolean {
    return this.at >= 0;
  }

  /** Whether there is more to read before `end`. */
  isBefore(end: number): boolean {
    return this.at >= 0 && this.at < end;
  }

  giveUp(): void {
    this.at = -1;
  }

  /** The next one, which is there. */
  octet(): number {
    return this.bytes[this.at++]!;
  }

  /** The end of a field that is delimited by its length and lies within `end`. */
  fieldEnd(end: number): number {
    const length = this.varint(end);
    if (this.at < 0 || this.at + length > end) {
      this.at = -1;
      return 0;
    }
    return this.at + length;
  }

  /** A number below 2^49. */
  varint(end: number): number {
    const { bytes } = this;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 7 && this.at >= 0 && this.at < end; i++, scale *= 128) {
      const octet = bytes[this.at++]!;
      value += (octet & 0x7f) * scale;
      if (octet < 0x80) return value;
    }
    this.at = -1;
    return 0;
  }

  /** What is left before `end`, where it lies. */
  view(end: number): Uint8Array {
    if (this.at < 0) return NO_BYTES;
    const view = this.bytes.subarray(this.at, end);
    this.at = end;
    return view;
  }

  /** Packed floats, onto those that are there, of which there may be `most`. */
  floats(end: number, values: number[], most: number): void {
    if (this.at < 0) return;
    const { bytes, float, word } = this;
    const count = (end - this.at) / 4;
    if (!Number.isInteger(count) || values.length + count > most) {
      this.at = -1;
      return;
    }
    for (let i = this.at; i < end; i += 4) {
      word[0] = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
      values.push(float[0]!);
    }
    this.at = end;
  }

  /** A short text of ASCII. */
  ascii(end: number): string {
    if (this.at < 0) return "";
    const { bytes, at: from, known } = this;
    const length = end - from;
    if (length > LONGEST_TEXT) {
      this.at = -1;
      return "";
    }
    if (length === 0) return "";
    const place = (length * 31 + bytes[from]! * 7 + bytes[end - 1]!) % PLACES;
    const candidate = known[place]!;
    this.at = end;
    if (candidate.length === length && this.holds(from, candidate)) return candidate;
    const octets = bytes.subarray(from, end);
    if (octets.some((octet) => octet > 0x7f)) {
      this.at = -1;
      return "";
    }
    const text = String.fromCharCode(...octets);
    known[place] = text;
    return text;
  }

  private holds(from: number, text: string): boolean {
    for (let i = 0; i < text.length; i++) if (this.bytes[from + i] !== text.charCodeAt(i)) return false;
    return true;
  }
}
