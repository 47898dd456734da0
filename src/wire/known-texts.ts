/** Longer texts are seldom the same again. */
const LONGEST_KEPT_BYTES = 64;

interface KnownText {
  readonly octets: Uint8Array;
  readonly text: string;
}

const NONE: KnownText = { octets: new Uint8Array(0), text: "" };

/**
 * Texts that came lately, each in the place that its octets tell: the same names and labels come again and again, and comparing is
 * cheaper than decoding. Two in one place take turns.
 */
export class KnownTexts {
  private readonly known: KnownText[];
  private readonly mask: number;
  private readonly utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  /** `places`: a power of two. */
  constructor(places: number) {
    this.known = new Array<KnownText>(places).fill(NONE);
    this.mask = places - 1;
  }

  /** The text of UTF-8 octets; undefined where they are none. */
  text(bytes: Uint8Array, from: number, end: number): string | undefined {
    const length = end - from;
    if (length === 0) return "";
    if (length > LONGEST_KEPT_BYTES) return this.decoded(bytes.subarray(from, end));
    const place = (bytes[from]! * 31 + bytes[end - 1]! * 7 + length) & this.mask;
    const { octets, text } = this.known[place]!;
    if (octets.length === length) {
      let i = 0;
      while (i < length && octets[i] === bytes[from + i]) i++;
      if (i === length) return text;
    }
    return this.keep(place, bytes, from, end);
  }

  private keep(place: number, bytes: Uint8Array, from: number, end: number): string | undefined {
    const text = this.decoded(bytes.subarray(from, end));
    // Of a Buffer `slice` would be a view, which kept all of its memory; decoding the copy would move it out of V8's heap.
    if (text !== undefined) {
      this.known[place] = { octets: Uint8Array.prototype.slice.call(bytes, from, end), text };
    }
    return text;
  }

  private decoded(octets: Uint8Array): string | undefined {
    try {
      return this.utf8.decode(octets);
    } catch {
      return undefined;
    }
  }
}
