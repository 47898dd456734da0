import { type DescEnum, type DescField, ScalarType } from "@bufbuild/protobuf";
import { readText } from "../../service/tensors/text-elements.ts";
import { floatOf, integerOf } from "./json-number.ts";
import type { ExactJson } from "./json-text.ts";
import { unknownMember } from "./member-names.ts";

/** Reads the values of a field from JSON; `undefined` from `read` where the value is none of its type. */
export interface ScalarReading {
  read(value: ExactJson): unknown;
  /** What is expected, for the message of a refusal. */
  readonly expected: string;
  /** The rule's id: what kind of value is expected. */
  readonly rule: string;
}

const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

const TEXT: ScalarReading = {
  read: (value) => (typeof value === "string" && value.isWellFormed() ? value : undefined),
  expected: "a text",
  rule: "json.text",
};
const BOOLEAN: ScalarReading = {
  read: (value) => (typeof value === "boolean" ? value : undefined),
  expected: "true or false",
  rule: "json.boolean",
};
/** In lists null is a missing value, as in rows. */
const FLOAT: ScalarReading = {
  read: (value) => (value === null ? Number.NaN : floatOf(value)),
  expected: "a number, or null where it is missing,",
  rule: "json.number",
};
const OCTETS: ScalarReading = {
  read: (value) =>
    typeof value === "string" && BASE64.test(value) ? ownOctets(Buffer.from(value, "base64")) : undefined,
  expected: "octets in base64",
  rule: "json.base64",
};
const INT32 = integers(-(2n ** 31n), 2n ** 31n - 1n, false);
const UINT32 = integers(0n, 2n ** 32n - 1n, false);
const INT64 = integers(-(2n ** 63n), 2n ** 63n - 1n, true);
const UINT64 = integers(0n, 2n ** 64n - 1n, true);

/** Texts in base64 are decoded here, one after another. */
const decodedOctets = Buffer.allocUnsafeSlow(8192);

/** Octets in base64 as the text that they are; undefined where they are no base64 or no text that a model can take. */
export function textOfBase64(value: ExactJson): string | undefined {
  if (typeof value !== "string" || !BASE64.test(value)) return undefined;
  const octets =
    value.length <= decodedOctets.length
      ? decodedOctets
      : Buffer.allocUnsafe(Math.ceil((value.length / 4) * 3));
  return readText(octets, 0, octets.write(value, "base64"), false);
}

/** A small buffer is a view of a pool, which it would keep. */
function ownOctets(buffer: Buffer): Uint8Array {
  return buffer.length < buffer.buffer.byteLength ? new Uint8Array(buffer) : buffer;
}

/** Says how to read one value of a scalar or enum field, or of a list of these. */
export function scalarReading(field: DescField): ScalarReading {
  const desc = field.fieldKind === "enum" || (field.fieldKind === "list" && field.listKind === "enum");
  return desc ? enumReading(field.enum!) : READINGS[field.scalar as ScalarType];
}

const READINGS: Readonly<Record<ScalarType, ScalarReading>> = {
  [ScalarType.STRING]: TEXT,
  [ScalarType.BYTES]: OCTETS,
  [ScalarType.BOOL]: BOOLEAN,
  [ScalarType.FLOAT]: FLOAT,
  [ScalarType.DOUBLE]: FLOAT,
  [ScalarType.INT32]: INT32,
  [ScalarType.SINT32]: INT32,
  [ScalarType.SFIXED32]: INT32,
  [ScalarType.UINT32]: UINT32,
  [ScalarType.FIXED32]: UINT32,
  [ScalarType.INT64]: INT64,
  [ScalarType.SINT64]: INT64,
  [ScalarType.SFIXED64]: INT64,
  [ScalarType.UINT64]: UINT64,
  [ScalarType.FIXED64]: UINT64,
};

function integers(least: bigint, most: bigint, isLong: boolean): ScalarReading {
  return {
    read(value) {
      if (!isLong && typeof value === "number" && Number.isInteger(value)) {
        return value >= Number(least) && value <= Number(most) ? value : undefined;
      }
      const integer = integerOf(value);
      if (integer === undefined || integer < least || integer > most) return undefined;
      return isLong ? integer : Number(integer);
    },
    expected: `a whole number from ${least} to ${most}`,
    rule: "json.integer",
  };
}

function enumReading(desc: DescEnum): ScalarReading {
  const names = desc.values.map(({ name }) => name);
  return {
    read(value) {
      if (typeof value === "number" && Number.isInteger(value) && Math.abs(value) < 2 ** 31) return value;
      return typeof value === "string" ? desc.values.find(({ name }) => name === value)?.number : undefined;
    },
    expected: unknownMember("", names, "it").replace(/^.*; it has /, "one of "),
    rule: "json.enum",
  };
}
