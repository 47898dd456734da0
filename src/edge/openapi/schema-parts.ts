/** Short words for parts of JSON Schema (2020-12), of which the document is made. */
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

/** A schema, or any other object of the document. */
export type Schema = JsonObject;

/** An object; all of `required` has to be there, and what has no name may be too. */
export function object(properties: JsonObject, required: readonly string[] = []): Schema {
  return { type: "object", properties, ...(required.length === 0 ? {} : { required: [...required] }) };
}

/** The same, and nothing that has no name may be there. */
export function closed(properties: JsonObject, required: readonly string[] = []): Schema {
  return { ...object(properties, required), additionalProperties: false };
}

/** A list. */
export function list(items: Schema, more: Schema = {}): Schema {
  return { type: "array", items, ...more };
}

/** A schema with what it is. */
export function told(schema: Schema, description: string): Schema {
  return description === "" ? schema : { ...schema, description };
}

/** What a component of the document is called where it is used. */
export function reference(kind: "schemas" | "responses" | "parameters", name: string): Schema {
  return { $ref: `#/components/${kind}/${name}` };
}

/** One of several forms; a single one is itself. */
export function oneOrMore(forms: readonly Schema[]): Schema {
  return forms.length === 1 ? forms[0]! : { anyOf: [...forms] };
}

/** A body that is JSON, with its examples by name. */
export function jsonContent(
  schema: Schema,
  examples: Readonly<Record<string, JsonValue>> = {},
): { "application/json": JsonObject } {
  const named = Object.entries(examples).map(([name, value]): [string, JsonValue] => [name, { value }]);
  const shown = named.length === 0 ? {} : { examples: Object.fromEntries(named) };
  return { "application/json": { schema, ...shown } };
}

/** A text. */
export const TEXT: Schema = { type: "string" };
/** True or false. */
export const FLAG: Schema = { type: "boolean" };
/** A whole number. */
export const WHOLE: Schema = { type: "integer" };
/** A whole number from 0 on. */
export const COUNT: Schema = { type: "integer", minimum: 0 };
