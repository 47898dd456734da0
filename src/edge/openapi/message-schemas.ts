/** Messages of the schema as JSON Schema: protobuf's JSON, with the comments as descriptions and protovalidate's rules as constraints. */
import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { COMMENTS } from "../../../gen/comments.ts";
import { fieldConstraints, messageConstraints } from "./rule-constraints.ts";
import { list, reference, type Schema, TEXT, told } from "./schema-parts.ts";

/** A spelling of messages in JSON. */
export interface JsonSpelling {
  /** What the names of its components begin with. */
  readonly prefix: string;
  nameOf(field: DescField): string;
  /** Whole numbers of 64 bits are numbers, where protobuf writes texts. */
  readonly hasPlainNumbers: boolean;
}

/** As Connect reads and writes it. */
export const CONNECT_JSON: JsonSpelling = {
  prefix: "",
  nameOf: ({ jsonName }) => jsonName,
  hasPlainNumbers: false,
};
/** As `/predict` does: with the names of the schema. */
export const PREDICT_JSON: JsonSpelling = {
  prefix: "predict.",
  nameOf: ({ name }) => name,
  hasPlainNumbers: false,
};
/** As Triton's REST resources have it. */
export const PLAIN_JSON: JsonSpelling = {
  prefix: "rest.",
  nameOf: ({ name }) => name,
  hasPlainNumbers: true,
};

/** Numbers that may be NaN or infinite, which JSON has no words for. */
const FLOAT_NAME = "Float";
const FLOAT: Schema = {
  description: "A number; NaN and the infinite ones as text. In requests null is a missing value, NaN.",
  anyOf: [{ type: "number" }, { type: "string", enum: ["NaN", "Infinity", "-Infinity"] }, { type: "null" }],
};

/** Adds messages, and all that they hold, to the schemas of a document. */
export class MessageSchemas {
  private readonly schemas: Schema;
  private readonly spelling: JsonSpelling;

  constructor(schemas: Schema, spelling: JsonSpelling) {
    this.schemas = schemas;
    this.spelling = spelling;
    schemas[FLOAT_NAME] ??= FLOAT;
  }

  /** A message; one of a request has no members but those of the schema. Messages of requests are asked for before those of answers. */
  message(desc: DescMessage, isRequest: boolean): Schema {
    const wellKnown = WELL_KNOWN[desc.typeName];
    if (wellKnown !== undefined) return wellKnown;
    const name = `${this.spelling.prefix}${desc.typeName}`;
    if (this.schemas[name] === undefined) {
      // Before its fields: a message may hold itself.
      const schema: Schema = { type: "object" };
      this.schemas[name] = schema;
      Object.assign(schema, this.membersOf(desc, isRequest));
    }
    return reference("schemas", name);
  }

  private membersOf(desc: DescMessage, isRequest: boolean): Schema {
    const { nameOf } = this.spelling;
    const properties: Schema = {};
    const required: string[] = [];
    for (const field of desc.fields) {
      const { isRequired, value, items } = fieldConstraints(field);
      const schema = { ...this.field(field, items, isRequest), ...value };
      properties[nameOf(field)] = told(schema, COMMENTS[`${desc.typeName}.${field.name}`] ?? "");
      if (isRequired) required.push(nameOf(field));
    }
    const names = new Map(desc.fields.map((field) => [field.name, nameOf(field)]));
    const rules = isRequest ? messageConstraints(desc, (name) => names.get(name) ?? name) : {};
    return told(
      {
        properties,
        ...(required.length === 0 || !isRequest ? {} : { required }),
        ...(isRequest ? { additionalProperties: false } : {}),
        ...rules,
      },
      COMMENTS[desc.typeName] ?? "",
    );
  }

  private field(field: DescField, items: Schema, isRequest: boolean): Schema {
    switch (field.fieldKind) {
      case "list":
        return list({ ...this.one(field, isRequest), ...items });
      case "map":
        return { type: "object", additionalProperties: this.one(field, isRequest) };
      default:
        return this.one(field, isRequest);
    }
  }

  private one(field: DescField, isRequest: boolean): Schema {
    if (field.message !== undefined) return this.message(field.message, isRequest);
    if (field.enum !== undefined) return this.enumeration(field.enum);
    return this.scalar(field.scalar!);
  }

  private enumeration(desc: DescEnum): Schema {
    const { typeName, values } = desc;
    this.schemas[typeName] ??= told(
      { type: "string", enum: values.map(({ name }) => name) },
      [
        COMMENTS[typeName] ?? "",
        ...values.map(({ name }) => valueLine(name, COMMENTS[`${typeName}.${name}`])),
      ]
        .filter((line) => line !== "")
        .join("\n"),
    );
    return reference("schemas", typeName);
  }

  private scalar(scalar: ScalarType): Schema {
    switch (scalar) {
      case ScalarType.STRING:
        return TEXT;
      case ScalarType.BYTES:
        return { type: "string", contentEncoding: "base64" };
      case ScalarType.BOOL:
        return { type: "boolean" };
      case ScalarType.FLOAT:
      case ScalarType.DOUBLE:
        return this.spelling.hasPlainNumbers ? { type: "number" } : reference("schemas", FLOAT_NAME);
      case ScalarType.UINT32:
      case ScalarType.FIXED32:
        return { type: "integer", minimum: 0, maximum: 2 ** 32 - 1 };
      case ScalarType.INT32:
      case ScalarType.SINT32:
      case ScalarType.SFIXED32:
        return { type: "integer", format: "int32" };
      default:
        return this.spelling.hasPlainNumbers
          ? { type: "integer", format: "int64" }
          : { type: ["integer", "string"], pattern: "^-?[0-9]+$" };
    }
  }
}

function valueLine(name: string, comment: string | undefined): string {
  return comment === undefined ? "" : `- \`${name}\`: ${comment.replaceAll("\n\n", " ")}`;
}

const WELL_KNOWN: Readonly<Record<string, Schema>> = {
  "google.protobuf.Struct": { type: "object" },
  "google.protobuf.Value": {},
  "google.protobuf.ListValue": { type: "array" },
  "google.protobuf.Duration": { type: "string", pattern: "^-?[0-9]+(\\.[0-9]+)?s$" },
  "google.protobuf.Timestamp": { type: "string", format: "date-time" },
  "google.protobuf.Any": {
    type: "object",
    properties: { "@type": { type: "string" } },
    description: "Any message, with its type.",
  },
};
