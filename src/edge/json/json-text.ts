/**
 * JSON text to values, without recursion and in slices: bounded in depth, members and memory while it is read. Whole numbers beyond
 * 2^53 come as bigints, with every digit; a member that stands twice in one object is refused, since one of them would be lost.
 */
import type { AssayError } from "../../errors.ts";
import { MAX_STRUCT_FIELDS } from "../../wire/wire-table.ts";
import { tooLargeDecoded } from "../memory/message-limit.ts";
import { digitsEnd, exactInteger } from "./json-number.ts";
import { type ListReader, numberList } from "./number-list.ts";
import { decodeError, strayToken } from "./stray-token.ts";

/** A JSON value as it is read here. */
export type ExactJson = null | boolean | number | bigint | string | ExactJson[] | ExactObject;
/** A JSON object as it is read here. */
export type ExactObject = { [member: string]: ExactJson };

/** What bounds one text. */
export interface JsonLimits {
  readonly maxMessageBytes: number;
  /** About what the values may take of V8's heap. */
  readonly maxHeapBytes: number;
  /** Reads lists in another form: whoever gives it knows what comes of them. */
  lists?(text: string): ListReader;
}

/** Lists and objects within each other. */
const MAX_JSON_DEPTH = 100;
/** Values between two looks at the clock. */
const LOOK_VALUES = 2048;
/** Texts and spaces longer than this are searched through, not stepped through. */
const NEAR_CHARACTERS = 64;
/** A text with escapes is read in pieces of so many characters. */
const PIECE_CHARACTERS = 131_072;
const ESCAPE_CHARACTERS = 6;
/** Longer names with escapes are refused: no row has such a column. */
const MOST_NAME_CHARACTERS = 1_048_576;
/** More than any number needs. */
const MAX_NUMBER_CHARACTERS = 1000;
const NO_SPACE = /[^ \n\r\t]/g;
const BACKSLASHES = /\\/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in texts.
const CONTROLS = /[\u0000-\u001f]/g;

/** About what values take of V8's heap; a list's first one takes room for seventeen. */
const HEAP_BYTES = { object: 56, list: 32, first: 152, member: 16, value: 12, text: 32, bigint: 32 };

const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const COLON = 58;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

/** A text with escapes of which a piece was read. */
interface BegunText {
  at: number;
  value: string;
}

/** Reads one text; `run` until it says true, then `value` is there. */
export class JsonText {
  value: ExactJson = null;
  /** About what the values take of V8's heap. */
  heapBytes = 0;
  /** Whether a number came that is a bigint in `value`. */
  hasBigints = false;
  private backslashAt = -1;
  private controlAt = -1;
  private atOnce = 1;
  private begun: BegunText | undefined = undefined;
  private readonly lists: ListReader | undefined;
  private readonly text: string;
  private readonly limits: JsonLimits;
  private at = 0;
  private readonly open: (ExactJson[] | ExactObject)[] = [];
  /** The members under which the open objects' values will stand; empty for lists. */
  private readonly members: string[] = [];
  /** How many members each open object has. */
  private readonly counts: number[] = [];

  constructor(text: string, limits: JsonLimits) {
    this.text = text;
    this.limits = limits;
    this.lists = limits.lists?.(text);
  }

  /** Reads on; true at the end of the text, false after so many values. Throws INVALID_REQUEST or MESSAGE_TOO_LARGE. */
  run(maxValues = LOOK_VALUES): boolean {
    let isWhole = false;
    for (let left = maxValues; left > 0 && !isWhole; left -= this.atOnce) {
      this.atOnce = 1;
      isWhole = !this.readValue() && this.afterValue();
      // What a piece of a long text takes is worth a look at the clock.
      if (this.begun !== undefined || this.lists?.isAmid === true) break;
    }
    if (this.heapBytes > this.limits.maxHeapBytes) {
      throw tooLargeDecoded(this.limits.maxMessageBytes, this.heapBytes);
    }
    return isWhole;
  }

  /** Reads the value that begins here; true where a list or object has begun whose first value is next, or a text that goes on. */
  private readValue(): boolean {
    const code = this.next();
    if (code === QUOTE) {
      const text = this.readText();
      if (text === undefined) return true;
      this.put(text, HEAP_BYTES.text);
    } else if ((code >= ZERO && code <= NINE) || code === MINUS) this.put(this.readNumber(), 0);
    else if (code === OPEN_OBJECT) return this.begin({}, HEAP_BYTES.object, CLOSE_OBJECT);
    else if (code === OPEN_LIST) return this.readNumbers() ?? this.begin([], HEAP_BYTES.list, CLOSE_LIST);
    else if (this.takeWord("true")) this.put(true, 0);
    else if (this.takeWord("false")) this.put(false, 0);
    else if (this.takeWord("null")) this.put(null, 0);
    else throw this.fault(strayToken(this.text, this.at, "a value"));
    return false;
  }

  /** Numbers of a list at once, or a piece of many; true where it goes on, undefined where the list is to be read as any. */
  private readNumbers(): boolean | undefined {
    const read = this.lists?.read(this.at, this.members[this.open.length - 1]);
    if (read === "more") return true;
    if (read !== undefined) {
      this.at = read.end;
      this.put(read.list as ExactJson, read.heapBytes);
      return false;
    }
    const list = numberList(this.text, this.at);
    if (list === undefined || this.open.length >= MAX_JSON_DEPTH) return undefined;
    this.atOnce += list.values.length;
    this.put(list.values, HEAP_BYTES.list + list.heapBytes);
    this.at = list.end;
    return false;
  }

  private begin(value: ExactJson[] | ExactObject, heapBytes: number, close: number): boolean {
    this.at++;
    this.put(value, heapBytes);
    if (this.next() === close) {
      this.at++;
      return false;
    }
    if (close === CLOSE_LIST) this.heapBytes += HEAP_BYTES.first;
    if (this.open.length >= MAX_JSON_DEPTH) {
      throw this.fault(`lists and objects nest deeper than ${MAX_JSON_DEPTH}`, "json.depth");
    }
    this.open.push(value);
    this.counts.push(0);
    this.members.push("");
    if (close === CLOSE_OBJECT) this.readMember(value as ExactObject);
    return true;
  }

  /** What follows a value: a comma, the ends of what is open, the end of the text; true for that. */
  private afterValue(): boolean {
    const { open } = this;
    for (;;) {
      const code = this.next();
      const inner = open[open.length - 1];
      if (inner === undefined) {
        if (this.at < this.text.length)
          throw this.fault(strayToken(this.text, this.at, "the end of the text"));
        return true;
      }
      const isList = Array.isArray(inner);
      if (code === COMMA) {
        this.at++;
        if (!isList) this.readMember(inner);
        return false;
      }
      if (code !== (isList ? CLOSE_LIST : CLOSE_OBJECT)) {
        throw this.fault(strayToken(this.text, this.at, isList ? '"," or "]"' : '"," or "}"'));
      }
      this.at++;
      open.pop();
      this.counts.pop();
      this.members.pop();
    }
  }

  private readMember(object: ExactObject): void {
    if (this.next() !== QUOTE)
      throw this.fault(strayToken(this.text, this.at, "a member's name in double quotes"));
    const name = this.readName();
    const level = this.open.length - 1;
    if (Object.hasOwn(object, name)) {
      throw this.fault(
        `the member ${JSON.stringify(name.slice(0, 100))} stands twice in one object`,
        "json.duplicate",
      );
    }
    if (++this.counts[level]! > MAX_STRUCT_FIELDS) {
      throw this.fault(`an object has more than ${MAX_STRUCT_FIELDS} members`, "json.too_many_members");
    }
    this.heapBytes += HEAP_BYTES.member;
    if (this.next() !== COLON) throw this.fault(strayToken(this.text, this.at, '":"'));
    this.at++;
    this.members[level] = name;
  }

  private put(value: ExactJson, heapBytes: number): void {
    this.heapBytes += HEAP_BYTES.value + heapBytes;
    const { open } = this;
    const inner = open[open.length - 1];
    if (inner === undefined) this.value = value;
    else if (Array.isArray(inner)) inner.push(value);
    else setMember(inner, this.members[open.length - 1]!, value);
  }

  /** The next character that is no white space. */
  private next(): number {
    const { text } = this;
    let at = this.at;
    let code = text.charCodeAt(at);
    const far = at + NEAR_CHARACTERS;
    while (code === 32 || code === 10 || code === 13 || code === 9) {
      code = text.charCodeAt(++at);
      if (at < far) continue;
      at = firstOf(NO_SPACE, text, at);
      code = text.charCodeAt(at);
    }
    this.at = at;
    return code;
  }

  private takeWord(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    return true;
  }

  private readName(): string {
    let name = this.readText();
    while (name === undefined) {
      if (this.begun!.at - this.at > MOST_NAME_CHARACTERS) {
        throw this.fault(`a name has more than ${MOST_NAME_CHARACTERS} characters`, "json.long_name");
      }
      name = this.readText();
    }
    return name;
  }

  /** Undefined where only a piece of it was read: call it again. */
  private readText(): string | undefined {
    const { text } = this;
    const from = this.at + 1;
    if (this.begun !== undefined) return this.readEscapedText(this.begun);
    let at = from;
    for (const far = from + NEAR_CHARACTERS; ; ) {
      if (at === far) return this.readLongText(from, at);
      const code = text.charCodeAt(at);
      if (code === QUOTE) break;
      if (code === BACKSLASH) return this.readEscapedText({ at: from, value: "" });
      if (!(code >= 32)) throw this.badText(at);
      at++;
    }
    this.at = at + 1;
    this.heapBytes += at - from;
    return text.slice(from, at);
  }

  /** One that is plain up to `near`; its end is searched for, which is faster than to look at each character. */
  private readLongText(from: number, near: number): string | undefined {
    const { text } = this;
    const end = text.indexOf('"', near);
    if (end < 0) throw this.badText(text.length);
    // Where the next ones stand is kept for the next text: each character is looked at once.
    if (this.backslashAt < near) this.backslashAt = firstOf(BACKSLASHES, text, near);
    if (this.backslashAt < end) return this.readEscapedText({ at: from, value: "" });
    if (this.controlAt < near) this.controlAt = firstOf(CONTROLS, text, near);
    if (this.controlAt < end) throw this.badText(this.controlAt);
    this.at = end + 1;
    this.heapBytes += end - from;
    return text.slice(from, end);
  }

  /** Reads a piece of a text with escapes, to its end where that is near. */
  private readEscapedText(begun: BegunText): string | undefined {
    const { text } = this;
    const from = begun.at;
    const far = from + PIECE_CHARACTERS;
    let at = from;
    let escapeAt = -ESCAPE_CHARACTERS;
    let code = text.charCodeAt(at);
    for (; code !== QUOTE && at < far; code = text.charCodeAt(at)) {
      if (!(code >= 32)) throw this.badText(at);
      if (code === BACKSLASH) {
        escapeAt = at;
        at += 2;
      } else at++;
    }
    const isEnd = code === QUOTE;
    // An escape of six characters is not cut.
    if (!isEnd && at < escapeAt + ESCAPE_CHARACTERS) at = escapeAt;
    begun.value += this.unescaped(from, at);
    begun.at = at;
    this.begun = isEnd ? undefined : begun;
    if (!isEnd) return undefined;
    this.at = at + 1;
    return begun.value;
  }

  private unescaped(from: number, end: number): string {
    const quoted = `"${this.text.slice(from, end)}"`;
    this.heapBytes += 2 * quoted.length;
    try {
      return JSON.parse(quoted) as string;
    } catch {
      throw this.fault('a text has a backslash that no escape follows: write "\\\\" for a backslash');
    }
  }

  private badText(at: number): AssayError {
    this.at = at;
    return this.fault(
      at >= this.text.length
        ? "a text does not end"
        : "a text has a control character in it: write a line break as \\n, a tab as \\t",
    );
  }

  private readNumber(): number | bigint {
    const { text } = this;
    const from = this.at;
    const negative = text.charCodeAt(from) === MINUS;
    const first = negative ? from + 1 : from;
    let at = first;
    let whole = 0;
    for (let code = text.charCodeAt(at); code >= ZERO && code <= NINE; code = text.charCodeAt(++at)) {
      whole = whole * 10 + (code - ZERO);
    }
    const digits = at - first;
    if (digits > MAX_NUMBER_CHARACTERS) throw this.longNumber(from);
    if (digits === 0 || (digits > 1 && text.charCodeAt(first) === ZERO)) throw this.badNumber(from);
    let code = text.charCodeAt(at);
    if (code !== DOT && (code | 32) !== 101 && digits <= 15) {
      this.at = at;
      return negative ? -whole : whole;
    }
    let isExact = code !== DOT && (code | 32) !== 101;
    if (code === DOT) {
      const fraction = ++at;
      at = digitsEnd(text, at);
      if (at === fraction) throw this.badNumber(from);
      code = text.charCodeAt(at);
    }
    if ((code | 32) === 101) {
      code = text.charCodeAt(++at);
      if (code === MINUS || code === 43) at++;
      const exponent = at;
      at = digitsEnd(text, at);
      if (at === exponent) throw this.badNumber(from);
    }
    this.at = at;
    this.heapBytes += 16;
    if (at - from > 2 * MAX_NUMBER_CHARACTERS) throw this.longNumber(from);
    const written = text.slice(from, at);
    const number = Number(written);
    isExact &&= digits <= 15;
    if (isExact || !(Math.abs(number) > Number.MAX_SAFE_INTEGER)) return number;
    const integer = exactInteger(written);
    if (integer === undefined) return number;
    this.hasBigints = true;
    this.heapBytes += HEAP_BYTES.bigint;
    return integer;
  }

  private longNumber(from: number): AssayError {
    this.at = from;
    return this.fault(`a number has more than ${MAX_NUMBER_CHARACTERS} digits`, "json.long_number");
  }

  private badNumber(from: number): AssayError {
    this.at = from;
    return this.fault(strayToken(this.text, from, "a number"));
  }

  private fault(what: string, rule = "json.syntax"): AssayError {
    return decodeError(this.at, what, rule);
  }
}

/** Where the first character of a kind stands; the text's length where none does. */
function firstOf(kind: RegExp, text: string, from: number): number {
  kind.lastIndex = from;
  return kind.exec(text)?.index ?? text.length;
}

/** `__proto__` is a name like any other. */
function setMember(object: ExactObject, name: string, value: ExactJson): void {
  if (name === "__proto__") {
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
  } else object[name] = value;
}
