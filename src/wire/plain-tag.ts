import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { DELIMITED, FIXED32, FIXED64, VARINT } from "./wire-cursor.ts";

/** Field numbers above this one take more than one octet with their wire type. */
const MOST_IN_ONE_OCTET = 15;

/**
 * The tag before a field's value on the wire, number and wire type in one octet; numbers in a list are packed. From the
 * descriptor, so that no number of the schema is written down twice. Throws for a field that has no such octet.
 */
export function plainTag<Desc extends DescMessage>(desc: Desc, name: keyof Desc["field"] & string): number {
  const field: DescField | undefined = desc.field[name];
  if (field === undefined || field.number > MOST_IN_ONE_OCTET || field.fieldKind === "map") {
    throw new Error(`${desc.typeName}.${name} has no tag of one octet`);
  }
  return field.number * 8 + wireType(field);
}

function wireType(field: DescField): number {
  if (field.fieldKind === "message" || field.fieldKind === "list") return DELIMITED;
  return field.fieldKind === "scalar" ? scalarWireType(field.scalar) : VARINT;
}

function scalarWireType(scalar: ScalarType): number {
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return DELIMITED;
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return FIXED64;
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return FIXED32;
    default:
      return VARINT;
  }
}
