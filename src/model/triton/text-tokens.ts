import { quoted } from "../refusal.ts";

/** A place in a text, counted from 1. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** One word of protobuf's text format: a name, a number as it stands there, the octets of a string, a sign, or the end of the text. */
export type TextToken = TextPlace & {
  /** As it stands in the text, a long string cut; empty at the end of the text. */
  readonly source: string;
} & (
    | { readonly kind: "name" | "number" | "sign" | "end" }
    | { readonly kind: "string"; readonly octets: Uint8Array }
  );

/** A text that is no text format; `message` names line and column. */
export class TextSyntaxError extends Error {
  constructor({ line, column }: TextPlace, message: string) {
    super(`line ${line}, column ${column}: ${message}`);
    this.name = "TextSyntaxError";
  }
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /(?:0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?[fF]?)(?![A-Za-z0-9_.])/y;
/** What stands in a string as it is. */
const PLAIN = /[^"'\\\n]+/y;
const LINE_END = 10;
const HASH = 35;
/** Of a long string only so much is kept as it stands there. */
const MAX_SOURCE = 200;
const SIGNS = "{}<>[]:;,-./";

const ESCAPES: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  "\\": 92,
  "'": 39,
  '"': 34,
  "?": 63,
};

const utf8 = new TextEncoder();

/** Takes a text apart, one token at a time; throws TextSyntaxError. */
export class TextTokens {
  readonly #text: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;
  #next: TextToken;

  constructor(text: string) {
    this.#text = text.startsWith("\uFEFF") ? text.slice(1) : text;
    this.#next = this.#read();
  }

  /** The token that `take` will give. */
  get next(): TextToken {
    return this.#next;
  }

  take(): TextToken {
    const taken = this.#next;
    if (taken.kind !== "end") this.#next = this.#read();
    return taken;
  }

  /** Takes the next token where it is this sign. */
  takeSign(sign: string): boolean {
    if (!this.isSign(sign)) return false;
    this.take();
    return true;
  }

  isSign(sign: string): boolean {
    return this.#next.kind === "sign" && this.#next.source === sign;
  }

  #read(): TextToken {
    this.#skipBetween();
    const place = { line: this.#line, column: this.#at - this.#lineStart + 1 };
    const char = this.#text[this.#at];
    if (char === undefined) return { ...place, kind: "end", source: "" };
    if (char === '"' || char === "'") return this.#string(place, char);
    const name = this.#match(NAME);
    if (name !== undefined) return { ...place, kind: "name", source: name };
    const number = this.#match(NUMBER);
    if (number !== undefined) return { ...place, kind: "number", source: number };
    if (/\d/.test(char)) {
      const word = /^[\w.]+/.exec(this.#text.slice(this.#at, this.#at + 40))?.[0] ?? char;
      throw new TextSyntaxError(place, `${quoted(word)} came, which is no number`);
    }
    if (!SIGNS.includes(char))
      throw new TextSyntaxError(place, `${quoted(char)} came, which means nothing here`);
    this.#at++;
    return { ...place, kind: "sign", source: char };
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  /** Passes over spaces, line ends and comments, a sign at a time: files may be one long line, or all lines. */
  #skipBetween(): void {
    for (let isComment = false; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === LINE_END) {
        isComment = false;
        this.#line++;
        this.#lineStart = this.#at + 1;
      } else if (code === HASH) isComment = true;
      else if (!isComment && code !== 32 && !(code >= 9 && code <= 13)) return;
    }
  }

  #string(place: TextPlace, quote: string): TextToken {
    const start = this.#at;
    const parts: Uint8Array[] = [];
    for (this.#at++; ; ) {
      const plain = this.#match(PLAIN);
      if (plain !== undefined) parts.push(utf8.encode(plain));
      const char = this.#text[this.#at];
      if (char === undefined || char === "\n")
        throw new TextSyntaxError(place, "a string has no end on its line");
      this.#at++;
      if (char === quote) break;
      if (char === "\\") parts.push(this.#escape(start, place));
      else parts.push(utf8.encode(char));
    }
    const source = this.#text.slice(start, Math.min(this.#at, start + MAX_SOURCE));
    return { ...place, kind: "string", source, octets: Buffer.concat(parts) };
  }

  /** Reads what stands behind a backslash. */
  #escape(start: number, place: TextPlace): Uint8Array {
    const at = this.#at;
    const text = this.#text.slice(at, at + 9);
    const plain = ESCAPES[text[0] ?? ""];
    if (plain !== undefined) {
      this.#at++;
      return Uint8Array.of(plain);
    }
    const octal = /^[0-7]{1,3}/.exec(text)?.[0];
    const hex = /^[xX]([0-9a-fA-F]{1,2})/.exec(text);
    const value = octal === undefined ? Number.parseInt(hex?.[1] ?? "", 16) : Number.parseInt(octal, 8);
    if (value <= 255) {
      this.#at += (octal ?? hex![0]).length;
      return Uint8Array.of(value);
    }
    const unicode = /^(?:u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})/.exec(text)?.[0];
    const code = Number.parseInt(unicode?.slice(1) ?? "", 16);
    if (code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)) {
      this.#at += unicode!.length;
      return utf8.encode(String.fromCodePoint(code));
    }
    const column = place.column + (at - 1 - start);
    throw new TextSyntaxError(
      { line: place.line, column },
      `a string has a wrong escape, ${quoted(`\\${text.slice(0, 4)}`)}; a backslash itself is written \\\\`,
    );
  }
}
