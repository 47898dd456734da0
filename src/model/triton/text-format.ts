/**
 * Reads protobuf's text format, in which people write config.pbtxt. Comes in: a text and the descriptor of its message. Goes
 * out: the message, and where each of its fields stands. Promises: every field that does not exist, comes twice or has a value
 * of another kind is told at once, with line, column and the nearest name.
 */
import { create, type DescField, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect, scalarZeroValue } from "@bufbuild/protobuf/reflect";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { didYouMean } from "../../wording/nearest-name.ts";
import { quoted } from "../refusal.ts";
import { readEnum, readScalar, startsScalar, type TextValue, takeScalar } from "./text-scalars.ts";
import { type TextPlace, TextSyntaxError, type TextToken, TextTokens } from "./text-tokens.ts";

/** A message that was read from text. */
export interface TextMessage<Desc extends DescMessage> {
  readonly message: MessageShape<Desc>;
  /** Where a field stands, by its path: `input[0].data_type`, `parameters["a"]`; undefined for one that does not. */
  placeOf(path: string): TextPlace | undefined;
}

const MAX_DEPTH = 100;
/** No field has a longer name. */
const MAX_NAME = 100;
const MAX_MISTAKES = 20;
/** What closes each kind of bracket. */
const CLOSING: Readonly<Record<string, string>> = { "{": "}", "<": ">", "[": "]" };

/** Reads a message; throws CONFIG_INVALID with every mistake; `fileName` opens its words. */
export function readTextFormat<Desc extends DescMessage>(
  desc: Desc,
  text: string,
  fileName: string,
): TextMessage<Desc> {
  const mistakes: string[] = [];
  const places = new Map<string, TextPlace>();
  try {
    const tokens = new TextTokens(text);
    const read = new TextReader(tokens, places, mistakes).message(desc, "", undefined, 0);
    if (mistakes.length === 0) {
      return { message: read.message as MessageShape<Desc>, placeOf: (path) => places.get(path) };
    }
  } catch (cause) {
    if (!(cause instanceof TextSyntaxError)) throw cause;
    // What was told before it is most likely the reason.
    mistakes.push(cause.message);
  }
  const shown = mistakes.slice(0, MAX_MISTAKES).join("; ");
  const rest = mistakes.length > MAX_MISTAKES ? `; and ${mistakes.length - MAX_MISTAKES} more` : "";
  throw new AssayError(Reason.CONFIG_INVALID, `${fileName}: ${shown}${rest}`);
}

/** Goes through the text once; one for each text. */
class TextReader {
  private readonly tokens: TextTokens;
  private readonly places: Map<string, TextPlace>;
  private readonly mistakes: string[];

  constructor(tokens: TextTokens, places: Map<string, TextPlace>, mistakes: string[]) {
    this.tokens = tokens;
    this.places = places;
    this.mistakes = mistakes;
  }

  /** Reads fields up to the sign that closes the message, or the end of the text. */
  message(desc: DescMessage, path: string, end: string | undefined, depth: number): ReflectMessage {
    const { tokens } = this;
    if (depth > MAX_DEPTH) throw new TextSyntaxError(tokens.next, `nested deeper than ${MAX_DEPTH}`);
    const target = reflect(desc, create(desc));
    const seen = new Map<string, string>();
    for (;;) {
      const token = tokens.next;
      if (end !== undefined && tokens.takeSign(end)) return target;
      if (token.kind === "end") {
        if (end === undefined) return target;
        throw new TextSyntaxError(token, `the file ends where "${end}" is expected`);
      }
      if (token.kind !== "name") throw new TextSyntaxError(token, noName(token, end));
      tokens.take();
      const field = desc.fields.find(({ name }) => name === token.source);
      const name = token.source.slice(0, MAX_NAME);
      const fieldPath = path === "" ? name : `${path}.${name}`;
      if (field === undefined) {
        const names = desc.fields.map(({ name }) => name);
        const hint = didYouMean(token.source, names) || `; known: ${names.join(", ")}`;
        this.mistake(token, fieldPath, `no such field${hint}`);
        this.skipField();
      } else {
        this.checkOnce(field, token, fieldPath, seen);
        this.field(target, field, fieldPath, token, depth);
      }
      if (!tokens.takeSign(",")) tokens.takeSign(";");
    }
  }

  private mistake({ line, column }: TextPlace, path: string, message: string): void {
    this.mistakes.push(`line ${line}, column ${column}: ${path}: ${message}`);
  }

  /** A field that is no list comes once, and one of those that exclude each other. */
  private checkOnce(field: DescField, place: TextPlace, path: string, seen: Map<string, string>): void {
    if (field.fieldKind === "list" || field.fieldKind === "map") return;
    const key = field.oneof === undefined ? field.name : `oneof ${field.oneof.name}`;
    const before = seen.get(key);
    if (before === field.name) this.mistake(place, path, "stands here a second time");
    else if (before !== undefined)
      this.mistake(place, path, `stands beside ${before}; expected one of the two: take the other out`);
    seen.set(key, field.name);
  }

  private field(
    target: ReflectMessage,
    field: DescField,
    path: string,
    name: TextToken,
    depth: number,
  ): void {
    const { tokens, places } = this;
    if (!places.has(path)) places.set(path, name);
    const hasColon = tokens.takeSign(":");
    const isList = field.fieldKind === "list" || field.fieldKind === "map";
    if (tokens.isSign("[") && isList) {
      tokens.take();
      if (tokens.takeSign("]")) return;
      for (;;) {
        this.value(target, field, path, depth, hasColon);
        if (tokens.takeSign("]")) return;
        const { next } = tokens;
        if (!tokens.takeSign(",")) throw new TextSyntaxError(next, `${found(next)}; expected "," or "]"`);
        if (tokens.isSign("]")) throw new TextSyntaxError(next, 'a comma stands before "]": take it out');
      }
    }
    this.value(target, field, path, depth, hasColon);
  }

  private value(
    target: ReflectMessage,
    field: DescField,
    path: string,
    depth: number,
    hasColon: boolean,
  ): void {
    const { next } = this.tokens;
    switch (field.fieldKind) {
      case "message": {
        const child = this.child(field.message, path, depth);
        if (child !== undefined) target.set(field, child);
        return;
      }
      case "map":
        this.entry(target, field, path, depth);
        return;
      case "list": {
        const at = `${path}[${target.get(field).size}]`;
        this.places.set(at, next);
        if (field.listKind === "message") {
          const child = this.child(field.message, at, depth);
          if (child !== undefined) target.get(field).add(child);
          return;
        }
        const value = this.scalar(field, at, hasColon);
        if (value !== undefined) target.get(field).add(value);
        return;
      }
      default: {
        const value = this.scalar(field, path, hasColon);
        if (value !== undefined) target.set(field, value);
      }
    }
  }

  /** A message in brackets; undefined where something else came, which has been told. */
  private child(desc: DescMessage, path: string, depth: number): ReflectMessage | undefined {
    const { tokens } = this;
    const open = tokens.next;
    if (open.kind === "sign" && (open.source === "{" || open.source === "<")) {
      tokens.take();
      return this.message(desc, path, CLOSING[open.source], depth + 1);
    }
    const fields = desc.fields.map(({ name }) => name).join(", ");
    this.mistake(open, path, `${found(open)}; expected { } with ${fields}`);
    this.skipValue();
    return undefined;
  }

  private entry(
    target: ReflectMessage,
    field: DescField & { fieldKind: "map" },
    path: string,
    depth: number,
  ): void {
    const { tokens } = this;
    const open = tokens.next;
    if (!(open.kind === "sign" && (open.source === "{" || open.source === "<"))) {
      this.mistake(open, path, `${found(open)}; expected { key: … value: … }`);
      this.skipValue();
      return;
    }
    tokens.take();
    const inside = new Map<string, TextPlace>();
    const entry = new TextReader(tokens, inside, this.mistakes);
    const { key, value } = entry.keyAndValue(field, path, CLOSING[open.source]!, depth + 1);
    const shownKey = `${path}[${typeof key === "string" ? JSON.stringify(key) : String(key)}]`;
    this.places.set(shownKey, open);
    for (const [one, place] of inside) this.places.set(one.replace(`${path}.value`, shownKey), place);
    if (key !== undefined) target.get(field).set(key, value);
  }

  private keyAndValue(field: DescField & { fieldKind: "map" }, path: string, end: string, depth: number) {
    const { tokens } = this;
    // What is left out has the empty value of its type, as everywhere in Protobuf.
    let key: string | number | bigint | boolean | undefined = scalarZeroValue(field.mapKey, false);
    let value: unknown =
      field.mapKind === "message" ? reflect(field.message) : field.mapKind === "enum" ? 0 : "";
    while (!tokens.takeSign(end)) {
      const name = tokens.take();
      if (name.kind !== "name") throw new TextSyntaxError(name, noName(name, end));
      const hasColon = tokens.takeSign(":");
      if (name.source === "key") {
        key = this.read(`${path}.key`, hasColon, () => readScalar(tokens, field.mapKey)) as typeof key;
      } else if (name.source === "value" && field.mapKind === "message") {
        value = this.child(field.message, `${path}.value`, depth) ?? value;
      } else if (name.source === "value" && field.mapKind === "scalar") {
        value = this.read(`${path}.value`, hasColon, () => readScalar(tokens, field.scalar)) ?? value;
      } else {
        this.mistake(name, `${path}.${name.source}`, "no such field; known: key, value");
        this.skipValue();
      }
      if (!tokens.takeSign(",")) tokens.takeSign(";");
    }
    return { key, value };
  }

  private scalar(field: DescField, path: string, hasColon: boolean): unknown {
    const { tokens } = this;
    const { enum: desc, scalar } = field;
    if (desc !== undefined) return this.read(path, hasColon, () => readEnum(tokens, desc));
    return scalar === undefined ? undefined : this.read(path, hasColon, () => readScalar(tokens, scalar));
  }

  /** One scalar value; undefined where it is of another kind, which has been told. */
  private read(path: string, hasColon: boolean, take: () => TextValue): unknown {
    const { next } = this.tokens;
    if (!startsScalar(next)) {
      if (next.kind === "end" || !"{<[".includes(next.source))
        throw new TextSyntaxError(next, `${path}: ${found(next)}; expected its value`);
      this.mistake(next, path, `${found(next)}; expected one value`);
      this.skipValue();
      return undefined;
    }
    if (!hasColon) throw new TextSyntaxError(next, `${path}: ${found(next)}; expected ":" before the value`);
    const read = take();
    if (read.kind === "value") return read.value;
    this.mistake(next, path, read.message);
    return undefined;
  }

  /** Passes over what an unknown field holds. */
  private skipField(): void {
    this.tokens.takeSign(":");
    this.skipValue();
  }

  private skipValue(): void {
    const { tokens } = this;
    const first = tokens.next;
    if (first.kind !== "sign" || CLOSING[first.source] === undefined) {
      if (startsScalar(first)) takeScalar(tokens);
      return;
    }
    const open: string[] = [];
    do {
      const token = tokens.take();
      if (token.kind === "end")
        throw new TextSyntaxError(token, `the file ends where "${open.at(-1)}" is expected`);
      if (token.kind !== "sign") continue;
      const closing = CLOSING[token.source];
      if (closing !== undefined) open.push(closing);
      else if (token.source === open.at(-1)) open.pop();
    } while (open.length > 0);
  }
}

function found({ kind, source }: TextToken): string {
  return kind === "end" ? "the file ends" : `${quoted(source)} came`;
}

function noName(token: TextToken, end: string | undefined): string {
  const close = end === undefined ? "" : ` or "${end}"`;
  if (token.kind === "string")
    return `${found(token)}; a field's name stands without quotes: this is Protobuf's text format, not JSON`;
  if (token.source === "{" && end === undefined)
    return `${found(token)}; expected a field's name: the whole file stands in no brackets`;
  if (token.source === "[")
    return `${found(token)}; expected a field's name${close}; extensions are not known`;
  return `${found(token)}; expected a field's name${close}`;
}
