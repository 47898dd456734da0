import {
  type DescField,
  type DescMessage,
  fromJson,
  type JsonValue,
  type MessageShape,
  ScalarType,
} from "@bufbuild/protobuf";
import { createValidator } from "@bufbuild/protovalidate";
import { Reason } from "../../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../../errors.ts";
import { didYouMean } from "../../wording/nearest-name.ts";
import { type LocatedEntry, type LocatedJson, parseLocatedJson, plainJson } from "./json-positions.ts";

const validator = createValidator();

/**
 * Reads a configuration message from protojson. Throws CONFIG_INVALID with every mistake, each with line, field and, for a
 * name that does not exist, the nearest that does; `fileName` opens the message.
 */
export function readConfigJson<Desc extends DescMessage>(
  schema: Desc,
  text: string,
  fileName: string,
): MessageShape<Desc> {
  const located = locate(text, fileName);
  const mistakes: string[] = [];
  checkMessage(schema, located, "", mistakes);
  if (mistakes.length > 0) throw invalid(fileName, mistakes);
  const message = decode(schema, located, fileName);
  const result = validator.validate(schema, message);
  if (result.kind === "valid") return message;
  if (result.kind === "error") throw invalid(fileName, [result.error.message], result.error);
  throw invalid(
    fileName,
    result.violations.map((violation) => {
      const path = violation.field.map((part) => ("name" in part ? part.name : undefined));
      const indexed = violation.field.map((part) => (part.kind === "list_sub" ? part.index : undefined));
      const line = lineOf(located, path, indexed);
      return `line ${line}: ${fieldPath(path, indexed)}: ${violation.message}`;
    }),
  );
}

/** The line of a field in the text of a configuration that has been read, or of what encloses it. */
export function configLine(text: string, path: readonly (string | number)[]): number {
  const names = path.map((part) => (typeof part === "string" ? part : undefined));
  const indexes = path.map((part) => (typeof part === "number" ? part : undefined));
  return lineOf(parseLocatedJson(text), names, indexes);
}

function locate(text: string, fileName: string): LocatedJson {
  try {
    return parseLocatedJson(text);
  } catch (cause) {
    throw invalid(fileName, [`${(cause as Error).message} (not JSON)`], cause);
  }
}

function decode<Desc extends DescMessage>(
  schema: Desc,
  located: LocatedJson,
  fileName: string,
): MessageShape<Desc> {
  try {
    return fromJson(schema, plainJson(located) as JsonValue);
  } catch (cause) {
    throw invalid(fileName, [(cause as Error).message], cause);
  }
}

function checkMessage(schema: DescMessage, located: LocatedJson, path: string, mistakes: string[]): void {
  const at = (line: number, field: string) => `line ${line}: ${field === "" ? "the whole file" : field}`;
  if (located.value.kind !== "object") {
    mistakes.push(`${at(located.line, path)}: ${kindOf(located)} came, expected an object { }`);
    return;
  }
  const known = new Map<string, DescField>();
  for (const field of schema.fields) known.set(field.name, field).set(field.jsonName, field);
  const seen = new Set<string>();
  for (const { key, line, item } of located.value.entries) {
    const field = known.get(key);
    const fieldName = path === "" ? key : `${path}.${key}`;
    if (field === undefined) {
      const names = schema.fields.map(({ name }) => name);
      const hint = didYouMean(key, names) || `; known: ${names.join(", ")}`;
      mistakes.push(`${at(line, fieldName)}: no such field${hint}`);
    } else if (seen.has(field.name)) {
      mistakes.push(`${at(line, fieldName)}: stands here a second time`);
    } else {
      seen.add(field.name);
      checkField(field, item, fieldName, mistakes);
    }
  }
}

function checkField(field: DescField, item: LocatedJson, path: string, mistakes: string[]): void {
  if (item.value.kind === "scalar" && item.value.value === null) return;
  // Any JSON value; protobuf reads it.
  if (field.fieldKind === "message" && field.message.typeName === "google.protobuf.Value") return;
  if (field.fieldKind === "message") checkMessage(field.message, item, path, mistakes);
  if (field.fieldKind === "list") {
    if (item.value.kind !== "array") {
      mistakes.push(`line ${item.line}: ${path}: ${kindOf(item)} came, expected a list [ ]`);
      return;
    }
    for (const [index, element] of item.value.items.entries()) {
      const place = `${path}[${index}]`;
      if (field.listKind === "message") checkMessage(field.message, element, place, mistakes);
      else if (field.listKind === "scalar") checkScalar(field.scalar, element, place, mistakes);
      else checkEnum(field.enum, element, place, mistakes);
    }
    return;
  }
  if (field.fieldKind === "scalar") checkScalar(field.scalar, item, path, mistakes);
  if (field.fieldKind === "enum") checkEnum(field.enum, item, path, mistakes);
}

function checkScalar(scalar: ScalarType, item: LocatedJson, path: string, mistakes: string[]): void {
  const expected = scalarKind(scalar);
  const value = item.value.kind === "scalar" ? item.value.value : undefined;
  const isNumber = typeof value === "number" || (typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value));
  const fits =
    expected === "text"
      ? typeof value === "string"
      : expected === "true or false"
        ? typeof value === "boolean"
        : expected === "a number"
          ? isNumber
          : isNumber &&
            Number.isInteger(Number(value)) &&
            (!expected.includes("positive") || Number(value) >= 0);
  if (!fits) mistakes.push(`line ${item.line}: ${path}: ${kindOf(item)} came, expected ${expected}`);
}

function checkEnum(
  desc: { readonly values: readonly { readonly name: string; readonly number: number }[] },
  item: LocatedJson,
  path: string,
  mistakes: string[],
): void {
  const value = item.value.kind === "scalar" ? item.value.value : undefined;
  if (desc.values.some(({ name, number }) => name === value || number === value)) return;
  const names = desc.values.filter(({ number }) => number !== 0).map(({ name }) => name);
  const hint = typeof value === "string" ? didYouMean(value, names) : "";
  mistakes.push(
    `line ${item.line}: ${path}: ${kindOf(item)} came, expected one of ${names.join(", ")}${hint}`,
  );
}

function scalarKind(scalar: ScalarType): string {
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return "text";
    case ScalarType.BOOL:
      return "true or false";
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE:
      return "a number";
    case ScalarType.UINT32:
    case ScalarType.UINT64:
    case ScalarType.FIXED32:
    case ScalarType.FIXED64:
      return "a whole number, 0 or positive";
    default:
      return "a whole number";
  }
}

function kindOf({ value }: LocatedJson): string {
  if (value.kind === "object") return "an object";
  if (value.kind === "array") return "a list";
  return JSON.stringify(value.value).slice(0, 80);
}

/** The line of the deepest part of a path that stands in the file. */
function lineOf(
  root: LocatedJson,
  names: readonly (string | undefined)[],
  indexes: readonly (number | undefined)[],
): number {
  let { line } = root;
  let here: LocatedJson | undefined = root;
  for (const [depth, name] of names.entries()) {
    const value: LocatedJson["value"] | undefined = here?.value;
    if (name !== undefined && value?.kind === "object") {
      const entry: LocatedEntry | undefined = value.entries.find(
        ({ key }) => key === name || snakeCase(key) === name,
      );
      here = entry?.item;
      line = entry?.line ?? line;
    } else if (value?.kind === "array") {
      here = value.items[indexes[depth] ?? -1];
      line = here?.line ?? line;
    }
  }
  return line;
}

function fieldPath(names: readonly (string | undefined)[], indexes: readonly (number | undefined)[]): string {
  let path = "";
  for (const [depth, name] of names.entries()) {
    if (name !== undefined) path += path === "" ? name : `.${name}`;
    else if (indexes[depth] !== undefined) path += `[${indexes[depth]}]`;
  }
  return path === "" ? "the whole file" : path;
}

function snakeCase(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function invalid(fileName: string, mistakes: readonly string[], cause?: unknown): AssayError {
  const shown = mistakes.slice(0, 20).join("; ");
  const rest = mistakes.length > 20 ? `; and ${mistakes.length - 20} more` : "";
  const options = cause === undefined ? {} : { cause };
  return new AssayError(Reason.CONFIG_INVALID, `${fileName}: ${shown}${rest}`, options);
}
