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
  const source = text.startsWith("\uFEFF") ? text.slice(1) : text;
  let at = 0;
  let line = 1;
  let lineStart = 0;

  function fail(message: string): never {
    throw new JsonSyntaxError(line, at - lineStart + 1, message);
  }
  function skipSpace(): void {
    for (; at < source.length; at++) {
      const char = source[at];
      if (char === "\n") {
        line++;
        lineStart = at + 1;
      } else if (char !== " " && char !== "\t" && char !== "\r") return;
    }
  }
  function parseValue(depth: number): LocatedJson {
    if (depth > MAX_DEPTH) fail(`nested deeper than ${MAX_DEPTH}`);
    skipSpace();
    const place = { line, column: at - lineStart + 1 };
    const char = source[at];
    if (char === "{") return { ...place, value: { kind: "object", entries: parseObject(depth) } };
    if (char === "[") return { ...place, value: { kind: "array", items: parseArray(depth) } };
    if (char === '"') return { ...place, value: { kind: "scalar", value: parseString() } };
    const word = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.])/.exec(
      source.slice(at, at + 400),
    )?.[0];
    if (word === undefined) {
      if (at >= source.length) fail("the file ends where a value is expected");
      fail(`expected a value, found ${JSON.stringify(source.slice(at, at + 12))}`);
    }
    at += word.length;
    return { ...place, value: { kind: "scalar", value: JSON.parse(word) as number | boolean | null } };
  }
  function parseString(): string {
    const end = /^"(?:[^"\\\p{Cc}]|\\.)*"/u.exec(source.slice(at));
    if (end === null) fail("a string has no end on its line");
    try {
      const value = JSON.parse(end[0]) as string;
      at += end[0].length;
      return value;
    } catch {
      fail("a string has a wrong escape");
    }
  }
  function parseObject(depth: number): LocatedEntry[] {
    const entries: LocatedEntry[] = [];
    at++;
    skipSpace();
    if (source[at] === "}") {
      at++;
      return entries;
    }
    for (;;) {
      skipSpace();
      const keyLine = line;
      if (source[at] !== '"') fail(`expected a name in quotes${source[at] === "}" ? ", not a comma" : ""}`);
      const key = parseString();
      skipSpace();
      if (source[at] !== ":") fail(`expected ":" after ${JSON.stringify(key)}`);
      at++;
      entries.push({ key, line: keyLine, item: parseValue(depth + 1) });
      skipSpace();
      if (source[at] === "}") {
        at++;
        return entries;
      }
      if (source[at] !== ",") fail('expected "," or "}"');
      at++;
    }
  }
  function parseArray(depth: number): LocatedJson[] {
    const items: LocatedJson[] = [];
    at++;
    skipSpace();
    if (source[at] === "]") {
      at++;
      return items;
    }
    for (;;) {
      items.push(parseValue(depth + 1));
      skipSpace();
      if (source[at] === "]") {
        at++;
        return items;
      }
      if (source[at] !== ",") fail('expected "," or "]"');
      at++;
    }
  }
  const root = parseValue(0);
  skipSpace();
  if (at < source.length) fail("something stands behind the end");
  return root;
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
