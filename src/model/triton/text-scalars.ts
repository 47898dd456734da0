import { type DescEnum, ScalarType } from "@bufbuild/protobuf";
import { didYouMean } from "../../wording/nearest-name.ts";
import { quoted } from "../refusal.ts";
import type { TextToken, TextTokens } from "./text-tokens.ts";

/** A value as a field takes it, or what is wrong with what came. */
export type TextValue =
  | { readonly kind: "value"; readonly value: string | number | bigint | boolean | Uint8Array }
  | { readonly kind: "fault"; readonly message: string };

/** The whole numbers that each type holds. */
const RANGES = new Map<ScalarType, readonly [bigint, bigint]>(
  [
    [ScalarType.INT32, ScalarType.SINT32, ScalarType.SFIXED32],
    [ScalarType.INT64, ScalarType.SINT64, ScalarType.SFIXED64],
    [ScalarType.UINT32, ScalarType.FIXED32],
    [ScalarType.UINT64, ScalarType.FIXED64],
  ].flatMap((types, index) => {
    const bits = index % 2 === 0 ? 32n : 64n;
    const range = index < 2 ? [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n] : [0n, 2n ** bits - 1n];
    return types.map((type) => [type, range as [bigint, bigint]] as const);
  }),
);

const TRUE = new Set(["true", "True", "t", "1"]);
const FALSE = new Set(["false", "False", "f", "0"]);

/** A scalar where it stands in the text: a sign before a number, strings side by side. */
interface Written {
  readonly first: TextToken;
  readonly isNegative: boolean;
  readonly octets: Uint8Array | undefined;
}

/** Takes one scalar value from the text and reads it as `type`; throws TextSyntaxError where no value stands there. */
export function readScalar(tokens: TextTokens, type: ScalarType): TextValue {
  const written = takeScalar(tokens);
  const { octets } = written;
  if (type === ScalarType.BYTES)
    return octets === undefined ? wrong(written, "a text in quotes") : { kind: "value", value: octets };
  if (type === ScalarType.STRING) {
    if (octets === undefined) return wrong(written, "a text in quotes");
    try {
      return { kind: "value", value: new TextDecoder("utf-8", { fatal: true }).decode(octets) };
    } catch {
      return { kind: "fault", message: "the text is no UTF-8" };
    }
  }
  if (type === ScalarType.BOOL) return readBool(written);
  const range = RANGES.get(type);
  return range === undefined ? readFloat(written) : readWhole(written, range);
}

/** Takes one value of an enum, by its name or number. */
export function readEnum(tokens: TextTokens, desc: DescEnum): TextValue {
  const written = takeScalar(tokens);
  const { source, kind } = written.first;
  const names = desc.values.map(({ name }) => name);
  const found = desc.values.find(({ name, number }) =>
    kind === "name" ? name === source : kind === "number" && !written.isNegative && number === Number(source),
  );
  if (found !== undefined) return { kind: "value", value: found.number };
  const word = kind === "string" ? new TextDecoder().decode(written.octets) : source;
  if (kind === "string" && names.includes(word))
    return { kind: "fault", message: `${source} came in quotes; expected ${word} without them` };
  const whole = names.find((name) => name.endsWith(`_${word.toUpperCase()}`));
  const hint = whole === undefined ? didYouMean(word, names) : `; did you mean "${whole}"?`;
  return { kind: "fault", message: `${shown(written)} is none of ${names.join(", ")}${hint}` };
}

/** Passes over one scalar value. */
export function takeScalar(tokens: TextTokens): Written {
  const isNegative = tokens.takeSign("-");
  const first = tokens.take();
  if (first.kind === "string" && !isNegative) {
    const parts = [first.octets];
    while (tokens.next.kind === "string") parts.push((tokens.take() as { octets: Uint8Array }).octets);
    return { first, isNegative, octets: Buffer.concat(parts) };
  }
  return { first, isNegative, octets: undefined };
}

/** True where a scalar value may begin. */
export function startsScalar({ kind, source }: TextToken): boolean {
  return kind === "name" || kind === "number" || kind === "string" || source === "-";
}

function readBool(written: Written): TextValue {
  const { source } = written.first;
  if (!written.isNegative && TRUE.has(source)) return { kind: "value", value: true };
  if (!written.isNegative && FALSE.has(source)) return { kind: "value", value: false };
  return wrong(written, "true or false");
}

function readWhole(written: Written, [least, most]: readonly [bigint, bigint]): TextValue {
  const { source, kind } = written.first;
  const isOctal = /^0[0-9]+$/.test(source);
  const isWhole = kind === "number" && (isOctal ? /^0[0-7]+$/ : /^(?:\d+|0[xX][0-9a-fA-F]+)$/).test(source);
  if (!isWhole) return wrong(written, "a whole number");
  const size = BigInt(isOctal ? `0o${source.slice(1)}` : source);
  const value = written.isNegative ? -size : size;
  if (value < least || value > most)
    return { kind: "fault", message: `${value} came; expected a whole number from ${least} to ${most}` };
  const is64 = most > 2n ** 32n;
  return { kind: "value", value: is64 ? value : Number(value) };
}

function readFloat(written: Written): TextValue {
  const { source, kind } = written.first;
  const sign = written.isNegative ? -1 : 1;
  if (kind === "name" && /^inf(inity)?f?$/i.test(source)) return { kind: "value", value: sign * Infinity };
  if (kind === "name" && /^nanf?$/i.test(source)) return { kind: "value", value: Number.NaN };
  if (kind !== "number") return wrong(written, "a number");
  const isHex = /^0x/i.test(source);
  return { kind: "value", value: sign * Number(isHex ? source : source.replace(/f$/i, "")) };
}

function wrong(written: Written, expected: string): TextValue {
  return { kind: "fault", message: `${shown(written)} came; expected ${expected}` };
}

function shown({ first, isNegative }: Written): string {
  const source = `${isNegative ? "-" : ""}${first.source}`;
  return first.kind === "string"
    ? source.length > 100
      ? `${source.slice(0, 100)}…`
      : source
    : quoted(source);
}
