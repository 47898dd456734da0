import { type DescField, ScalarType } from "@bufbuild/protobuf";
import { readListItems } from "../wording/list-items.ts";

/** A field's value read from text, or what is wrong with the text. */
export type FlagValue =
  | { readonly kind: "value"; readonly value: string | number | bigint | boolean | string[] }
  | { readonly kind: "fault"; readonly description: string };

/** Reads text as the field's type: numbers in decimal, switches as true or false, lists as in `list-items.ts`. */
export function readFlagValue(field: DescField, text: string): FlagValue {
  if (field.fieldKind === "list") {
    const value = readListItems(text);
    if (value !== undefined) return { kind: "value", value };
    return {
      kind: "fault",
      description: `${JSON.stringify(text)} came, in which a quoted item does not end, or has text after its end; "a,b" is expected, with quotes in it doubled`,
    };
  }
  switch (field.scalar) {
    case ScalarType.BOOL:
      if (text === "true" || text === "1" || text === "") return { kind: "value", value: true };
      if (text === "false" || text === "0") return { kind: "value", value: false };
      return { kind: "fault", description: `${JSON.stringify(text)} came; true or false is expected` };
    case ScalarType.UINT32:
    case ScalarType.UINT64:
      if (!/^[0-9]{1,15}$/.test(text)) {
        return { kind: "fault", description: `${JSON.stringify(text)} came; a whole number is expected` };
      }
      return { kind: "value", value: field.scalar === ScalarType.UINT64 ? BigInt(text) : Number(text) };
    default:
      return { kind: "value", value: text };
  }
}
