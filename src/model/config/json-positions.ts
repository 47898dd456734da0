/** A JSON value with the line that each part of it stands on. */
export interface LocatedJson {
  readonly line: number;
  readonly column: number;
  readonly value: LocatedValue;
}

/** Objects keep every key in order, a repeated one twice. */
export type LocatedValue =
  | { readonly kind: "object"; readonly entries: readonly LocatedEntry[] }
  | { readonly kind: "array"; readonly items: readonly LocatedJson[] }
  | { readonly kind: "scalar"; readonly value: string | number | boolean | null };

/** One key of an object with its own place. */
export interface LocatedEntry {
  readonly key: string;
  readonly line: number;
  readonly item: LocatedJson;
}

/** Text that is no JSON; `message` names line and column. */
class JsonSyntaxError extends Error {
  constructor(line: number, column: number, message: string) {
    super(`line ${line}, column ${column}: ${message}`);
    this.name = "JsonSyntaxError";
  }
}

const MAX_DEPTH = 100;

/** Parses JSON (RFC 8259) and keeps the places; throws JsonSyntaxError. For files that people write, not for requests. */
export function parseLocatedJson(text: string): LocatedJson {
  return new LocatedParser(text.startsWith("\uFEFF") ? text.slice(1) : text).parse();
}

class LocatedParser {
  private readonly source: string;
  private at = 0;
  private line = 1;
  private lineStart = 0;

  constructor(source: string) {
    this.source = source;
  }

  parse(): LocatedJson {
    const root = this.value(0);
    this.skipSpace();
    if (this.at < this.source.length) this.fail("something stands behind the end");
    return root;
  }

  private get column(): number {
    return this.at - this.lineStart + 1;
  }

  private fail(message: string): never {
    throw new JsonSyntaxError(this.line, this.column, message);
  }

  private skipSpace(): void {
    for (; this.at < this.source.length; this.at++) {
      const char = this.source[this.at];
      if (char === "\n") {
        this.line++;
        this.lineStart = this.at + 1;
      } else if (char !== " " && char !== "\t" && char !== "\r") return;
    }
  }

  private value(depth: number): LocatedJson {
    if (depth > MAX_DEPTH) this.fail(`nested deeper than ${MAX_DEPTH}`);
    this.skipSpace();
    const { line, column } = this;
    return { line, column, value: this.valueHere(depth) };
  }

  private valueHere(depth: number): LocatedValue {
    const { source, at } = this;
    if (source[at] === "{") return { kind: "object", entries: this.list("}", () => this.entry(depth)) };
    if (source[at] === "[") return { kind: "array", items: this.list("]", () => this.value(depth + 1)) };
    if (source[at] === '"') return { kind: "scalar", value: this.string() };
    const word = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.])/.exec(
      source.slice(at, at + 400),
    )?.[0];
    if (word === undefined) {
      if (at >= source.length) this.fail("the file ends where a value is expected");
      this.fail(`expected a value, found ${JSON.stringify(source.slice(at, at + 12))}`);
    }
    this.at += word.length;
    return { kind: "scalar", value: JSON.parse(word) as number | boolean | null };
  }

  private string(): string {
    const end = /^"(?:[^"\\\p{Cc}]|\\.)*"/u.exec(this.source.slice(this.at));
    if (end === null) this.fail("a string has no end on its line");
    try {
      const value = JSON.parse(end[0]) as string;
      this.at += end[0].length;
      return value;
    } catch {
      this.fail("a string has a wrong escape");
    }
  }

  /** What stands between brackets, of which `end` is the second. */
  private list<Item>(end: string, item: () => Item): Item[] {
    const items: Item[] = [];
    this.at++;
    this.skipSpace();
    while (this.source[this.at] !== end) {
      if (items.length > 0) {
        if (this.source[this.at] !== ",") this.fail(`expected "," or "${end}"`);
        this.at++;
      }
      items.push(item());
      this.skipSpace();
    }
    this.at++;
    return items;
  }

  private entry(depth: number): LocatedEntry {
    this.skipSpace();
    const { line } = this;
    const char = this.source[this.at];
    if (char !== '"') this.fail(`expected a name in quotes${char === "}" ? ", not a comma" : ""}`);
    const key = this.string();
    this.skipSpace();
    if (this.source[this.at] !== ":") this.fail(`expected ":" after ${JSON.stringify(key)}`);
    this.at++;
    return { key, line, item: this.value(depth + 1) };
  }
}

/** The plain value. Objects have no prototype, so that names such as `__proto__` are only names. */
export function plainJson(located: LocatedJson): unknown {
  const { value } = located;
  if (value.kind === "scalar") return value.value;
  if (value.kind === "array") return value.items.map(plainJson);
  const object: Record<string, unknown> = Object.create(null);
  for (const { key, item } of value.entries) object[key] = plainJson(item);
  return object;
}
