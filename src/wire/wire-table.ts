import { type DescField, type DescMessage, getOption, ScalarType } from "@bufbuild/protobuf";
import { field as fieldRules } from "../../gen/buf/validate/validate_pb.ts";

/** The layout of a field's values in octets. */
export type WireForm = "varint" | "fixed64" | "fixed32" | "text" | "bytes" | "message";

/** One field as a scan of protobuf octets knows it. */
export interface WireField {
  readonly name: string;
  readonly form: WireForm;
  readonly repeated: boolean;
  /** The message of a message field; a map's entries count as messages. */
  readonly child: WireTable | undefined;
  /** Whether a row begins with each of its values. */
  readonly beginsRow: boolean;
  /** The field's place among those of its message that are counted; -1: not counted. */
  readonly countIndex: number;
  /** The most values; Infinity where only memory bounds them. */
  readonly maxItems: number;
  /** What the schema itself allows, for the message of a refusal. */
  readonly statedItems: number;
  /** About what one value takes of V8's heap, octets of text not counted. */
  readonly valueBytes: number;
  /** For each octet of packed numbers at least so much: those that V8 cannot hold in a word have an object each. */
  readonly octetBytes: number;
}

/** One message as a scan knows it. */
export interface WireTable {
  readonly typeName: string;
  /** By number, up to the highest. */
  readonly fields: readonly (WireField | undefined)[];
  /** About what an empty one takes of V8's heap. */
  readonly emptyBytes: number;
  /** A zero for each counted field. */
  readonly zeroCounts: number[];
  /** A row, or a value within one: these are bounded together, since they are decoded in one piece. */
  readonly isStruct: boolean;
}

/**
 * The schema's own rule names a list that is a little too long, together with all else that is wrong; from so many times its limit on
 * a list is refused before it is decoded.
 */
const SLACK = 2;
/** The most columns of one row, and values of a list within one: no model that is known has more. */
export const MAX_STRUCT_FIELDS = 16_384;

/** Of messages whose schema is others' and says nothing: as many as Assay's own has in the same place. */
const STATED_HERE: Readonly<Record<string, number | undefined>> = {
  "inference.ModelInferRequest.parameters": 1024,
  "inference.ModelInferRequest.inputs": 1024,
  "inference.ModelInferRequest.outputs": 1024,
  "inference.ModelInferRequest.raw_input_contents": 1024,
  "inference.ModelInferRequest.InferInputTensor.shape": 16,
  "inference.ModelInferRequest.InferInputTensor.parameters": 64,
  "inference.ModelInferRequest.InferRequestedOutputTensor.parameters": 64,
};

const tables = new WeakMap<DescMessage, WireTable>();

/** The table of a message, made once. */
export function wireTable(desc: DescMessage): WireTable {
  return tables.get(desc) ?? makeTable(desc);
}

/** The most items that are allowed in a list or a map; undefined where nobody says. */
export function statedMaxItems(field: DescField): number | undefined {
  const { type } = getOption(field, fieldRules);
  const limit = type.case === "repeated" ? type.value.maxItems : undefined;
  if (limit !== undefined && limit !== 0n) return Number(limit);
  return STATED_HERE[`${field.parent.typeName}.${field.name}`];
}

/** From how many items on a list is refused before it is read; Infinity: only memory bounds it. */
export function hardMaxItems(field: DescField): number {
  const stated = statedMaxItems(field);
  return stated === undefined ? Number.POSITIVE_INFINITY : stated * SLACK;
}

function makeTable(desc: DescMessage): WireTable {
  const fields: (WireField | undefined)[] = [];
  const zeroCounts: number[] = [];
  const isStruct = /^google\.protobuf\.(Struct|ListValue|Value)$/.test(desc.typeName);
  const table = { typeName: desc.typeName, fields, emptyBytes: emptyBytes(desc), zeroCounts, isStruct };
  // Before its fields, which may hold the message itself.
  tables.set(desc, table);
  for (const field of desc.fields) {
    const repeated = field.fieldKind === "list" || field.fieldKind === "map";
    const own = isStruct && repeated;
    const maxItems = own ? MAX_STRUCT_FIELDS : hardMaxItems(field);
    const layout = valueLayout(field);
    fields[field.number] = {
      name: field.name,
      beginsRow: !isStruct && layout.child?.isStruct === true,
      repeated,
      maxItems,
      statedItems: own ? MAX_STRUCT_FIELDS : (statedMaxItems(field) ?? maxItems),
      countIndex: Number.isFinite(maxItems) ? zeroCounts.push(0) - 1 : -1,
      ...layout,
    };
  }
  return table;
}

function emptyBytes(desc: DescMessage): number {
  if (desc.typeName === "google.protobuf.Value") return 8;
  let bytes = 80;
  for (const field of desc.fields) {
    bytes += field.fieldKind === "list" || field.fieldKind === "map" ? 32 : 8;
  }
  return bytes;
}

type Layout = Pick<WireField, "form" | "child" | "valueBytes" | "octetBytes">;

function valueLayout(field: DescField): Layout {
  if (field.fieldKind === "map")
    return { form: "message", child: mapEntry(field), valueBytes: 0, octetBytes: 0 };
  if (field.fieldKind === "message" || (field.fieldKind === "list" && field.listKind === "message")) {
    return { form: "message", child: wireTable(field.message!), valueBytes: 8, octetBytes: 0 };
  }
  const scalar =
    field.fieldKind === "enum" || (field.fieldKind === "list" && field.listKind === "enum")
      ? ScalarType.INT32
      : (field.scalar as ScalarType);
  return { child: undefined, ...scalarLayout(scalar) };
}

/** An entry as the message that it is on the wire: key 1, value 2. */
function mapEntry(field: DescField & { readonly fieldKind: "map" }): WireTable {
  const plain = { repeated: false, beginsRow: false, countIndex: -1, maxItems: 1, statedItems: 1 };
  const key: WireField = { name: "key", child: undefined, ...plain, ...scalarLayout(field.mapKey) };
  const layout: Layout =
    field.mapKind === "message"
      ? { form: "message", child: wireTable(field.message), valueBytes: 0, octetBytes: 0 }
      : { child: undefined, ...scalarLayout(field.mapKind === "enum" ? ScalarType.INT32 : field.scalar) };
  const fields = [undefined, key, { name: "value", ...plain, ...layout }];
  return {
    typeName: `${field.parent.typeName}.${field.name}`,
    fields,
    emptyBytes: 24,
    zeroCounts: [],
    isStruct: true,
  };
}

function scalarLayout(scalar: ScalarType): Omit<Layout, "child"> {
  switch (scalar) {
    case ScalarType.STRING:
      return { form: "text", valueBytes: 32, octetBytes: 0 };
    case ScalarType.BYTES:
      return { form: "bytes", valueBytes: 128, octetBytes: 0 };
    case ScalarType.DOUBLE:
      return { form: "fixed64", valueBytes: 24, octetBytes: 0 };
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return { form: "fixed64", valueBytes: 34, octetBytes: 0 };
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return { form: "fixed32", valueBytes: 26, octetBytes: 0 };
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
      return { form: "varint", valueBytes: 34, octetBytes: 0 };
    default:
      return { form: "varint", valueBytes: 10, octetBytes: 5 };
  }
}
