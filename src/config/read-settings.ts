import {
  create,
  type DescField,
  type DescMessage,
  fromJson,
  type JsonObject,
  type JsonValue,
  ScalarType,
} from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator, type Violation } from "@bufbuild/protovalidate";
import { readListItems } from "../wording/list-items.ts";
import { didYouMean } from "../wording/nearest-name.ts";
import type { FlagRow } from "./flag-table.ts";
import { isServiceLink } from "./stray-variables.ts";

/** Where settings come from. `configFile` is the text of `--config FILE`. */
export interface SettingsSources {
  readonly flags: ReadonlyMap<string, string>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly configFile?: { readonly name: string; readonly text: string };
}

/** A configuration message's values by field, and every problem, each with where the value came from. */
export interface ReadSettings {
  readonly values: Readonly<Record<string, unknown>>;
  readonly problems: readonly string[];
  /** Where each value came from, by its name in `values`, as a message names it: `--port`, `ASSAY_PORT`, `port in assay.json`. */
  readonly origins: Readonly<Record<string, string>>;
  /** The names of those that were given, and not left to their default. */
  readonly given: ReadonlySet<string>;
}

/** Reads a configuration message: flag, environment, file, default, in that order, and checks it against its schema. */
export function readSettings(
  schema: DescMessage,
  rows: readonly FlagRow[],
  sources: SettingsSources,
): ReadSettings {
  const problems: string[] = [];
  const origins: Record<string, string> = {};
  const named = new Set<string>();
  const config = create(schema);
  const values = config as unknown as Record<string, unknown>;
  const file = readFile(schema, rows, sources, problems);
  const unread = new Set<FlagRow>();
  const assign = (row: FlagRow, text: string, origin: string): void => {
    const read = readFlagValue(row.field, text);
    if (read.kind === "value") {
      values[row.field.localName] = read.value;
      return;
    }
    problems.push(`${origin}: ${read.description}`);
    unread.add(row);
  };
  for (const row of rows) {
    const { localName } = row.field;
    const given = givenText(row, sources);
    origins[localName] = `--${row.name}`;
    if (given !== undefined) {
      named.add(localName);
      origins[localName] = given.origin;
      assign(row, given.text, given.origin);
    } else if (file !== undefined && row.field.name in file) {
      named.add(localName);
      origins[localName] = `${row.field.name} in ${sources.configFile?.name}`;
      values[localName] = file[row.field.name];
    } else if (row.default !== "") {
      assign(row, row.default, "default");
    }
  }
  const result = createValidator().validate(schema, config);
  if (result.kind === "error") throw result.error;
  for (const violation of result.violations ?? []) {
    const name = pathToString(violation.field).replace(/\[.*$/, "");
    const row = rows.find((candidate) => candidate.field.name === name);
    if (row === undefined) problems.push(`${name}: ${violation.message}`);
    // What could not be read stands at its empty value, and has been told.
    else if (!unread.has(row)) problems.push(broken(row, violation, values, origins));
  }
  return { values, problems, origins, given: named };
}

/** A rule in words: a pattern says less than the flag's own help. */
function broken(
  row: FlagRow,
  { ruleId, message }: Violation,
  values: Readonly<Record<string, unknown>>,
  origins: Readonly<Record<string, string>>,
): string {
  const origin = origins[row.field.localName];
  const value = String(values[row.field.localName]);
  if (ruleId === "string.min_len" && value === "") return `${origin} is missing: ${row.help}`;
  const came = JSON.stringify(value);
  if (ruleId === "string.pattern") return `${origin}: ${came} came; expected: ${row.help}`;
  return `${origin}: ${came} ${message}`;
}

function givenText(row: FlagRow, sources: SettingsSources): { text: string; origin: string } | undefined {
  const flagText = sources.flags.get(row.name);
  if (flagText !== undefined) return { text: flagText, origin: `--${row.name}` };
  const variableText = sources.environment[row.variable];
  if (variableText !== undefined && !isServiceLink(row.variable, variableText))
    return { text: variableText, origin: row.variable };
  return undefined;
}

/** The file's values by proto name; unset where the file does not say. */
function readFile(
  schema: DescMessage,
  rows: readonly FlagRow[],
  sources: SettingsSources,
  problems: string[],
): Record<string, unknown> | undefined {
  const { configFile } = sources;
  if (configFile === undefined) return undefined;
  let json: JsonValue;
  try {
    json = JSON.parse(configFile.text) as JsonValue;
  } catch (error) {
    problems.push(`${configFile.name}: ${error instanceof Error ? error.message : "not JSON"}`);
    return undefined;
  }
  if (json === null || typeof json !== "object" || Array.isArray(json)) {
    problems.push(`${configFile.name}: a JSON object is expected`);
    return undefined;
  }
  const found: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(json)) {
    const row = rows.find(({ field }) => field.name === key || field.jsonName === key);
    if (row === undefined) {
      const hint = didYouMean(
        key,
        rows.map(({ field }) => field.name),
      );
      problems.push(`${configFile.name}: no setting is called ${JSON.stringify(key)}${hint}`);
      continue;
    }
    try {
      const one = fromJson(schema, { [row.field.jsonName]: value } as JsonObject);
      found[row.field.name] = (one as unknown as Record<string, unknown>)[row.field.localName];
    } catch (error) {
      const { message } = error as Error;
      const what = message.replace(/^cannot decode field \S+ from JSON: /, "");
      problems.push(`${row.field.name} in ${configFile.name}: ${what}`);
    }
  }
  return found;
}

/** A field's value read from text, or what is wrong with the text. */
export type FlagValue =
  | { readonly kind: "value"; readonly value: string | number | bigint | boolean | string[] }
  | { readonly kind: "fault"; readonly description: string };

/** Reads text as the field's type: numbers in decimal, switches as true or false, lists as in `list-items.ts`. */
function readFlagValue(field: DescField, text: string): FlagValue {
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
    case ScalarType.DOUBLE:
      if (!/^[0-9]{1,15}(\.[0-9]{1,15})?$/.test(text)) {
        return {
          kind: "fault",
          description: `${JSON.stringify(text)} came; a number such as 2 or 0.5 is expected`,
        };
      }
      return { kind: "value", value: Number(text) };
    default:
      return { kind: "value", value: text };
  }
}
