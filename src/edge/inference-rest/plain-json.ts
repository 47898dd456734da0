import { type DescField, type DescMessage, type MessageShape, ScalarType } from "@bufbuild/protobuf";

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/**
 * A message as Triton's JSON has it: names of the schema, every field but those of oneofs and messages that are not set, enums by name, and
 * whole numbers of 64 bits as plain numbers, where protobuf's own JSON has texts.
 */
export function plainJson<Desc extends DescMessage>(desc: Desc, message: MessageShape<Desc>): Json {
  const json: Record<string, Json> = {};
  const fields = message as unknown as Record<string, unknown>;
  for (const field of desc.fields) {
    const value = setValue(field, fields);
    if (value !== undefined) json[field.name] = fieldJson(field, value);
  }
  return json;
}

function setValue({ oneof, localName }: DescField, fields: Record<string, unknown>): unknown {
  if (oneof === undefined) return fields[localName];
  const chosen = fields[oneof.localName] as { case?: string; value?: unknown };
  return chosen.case === localName ? chosen.value : undefined;
}

function fieldJson(field: DescField, value: unknown): Json {
  if (field.fieldKind === "list") return (value as unknown[]).map((item) => itemJson(field, item));
  if (field.fieldKind !== "map") return itemJson(field, value);
  const entries = Object.entries(value as Record<string, unknown>);
  return Object.fromEntries(entries.map(([key, item]) => [key, itemJson(field, item)]));
}

function itemJson(field: DescField, value: unknown): Json {
  if (field.message !== undefined) return plainJson(field.message, value as MessageShape<DescMessage>);
  if (field.enum !== undefined) return field.enum.value[value as number]?.name ?? (value as number);
  if (field.scalar === ScalarType.BYTES) return Buffer.from(value as Uint8Array).toString("base64");
  return typeof value === "bigint" ? Number(value) : (value as Json);
}
