import { create, fromJson, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator } from "@bufbuild/protovalidate";
import { type ServerConfig, ServerConfigSchema } from "../../gen/assay/config/v1/server_config_pb.ts";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { didYouMean } from "../nearest-name.ts";
import { FLAGS, type FlagRow } from "./flag-table.ts";
import { readFlagValue } from "./flag-value.ts";

/** The server's configuration with every default filled in; units stand in the names. */
export type ServerSettings = {
  readonly [K in Exclude<keyof ServerConfig, `$${string}`>]-?: NonNullable<ServerConfig[K]>;
};

/** Where settings come from. `configFile` is the text of `--config FILE`. */
export interface SettingsSources {
  readonly flags: ReadonlyMap<string, string>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly configFile?: { readonly name: string; readonly text: string };
}

/**
 * Reads the configuration: flag, environment, file, default, in that order. Throws one CONFIG_INVALID that lists every
 * problem, each with where the value came from.
 */
export function readServerSettings(sources: SettingsSources): ServerSettings {
  const problems: string[] = [];
  const origins = new Map<string, string>();
  const config = create(ServerConfigSchema);
  const values = config as unknown as Record<string, unknown>;
  const file = readFile(sources, problems);
  for (const row of FLAGS) {
    const { localName } = row.field;
    const given = givenText(row, sources);
    if (given !== undefined) {
      origins.set(row.field.name, given.origin);
      assign(row, given.text, given.origin, values, problems);
    } else if (file !== undefined && row.field.name in file) {
      origins.set(row.field.name, `${row.field.name} in ${sources.configFile?.name}`);
      values[localName] = file[row.field.name];
    } else if (row.default !== "") {
      assign(row, row.default, "default", values, problems);
    }
  }
  const result = createValidator().validate(ServerConfigSchema, config);
  if (result.kind === "error") throw result.error;
  for (const violation of result.violations ?? []) {
    const field = pathToString(violation.field);
    const name = field.replace(/\[.*$/, "");
    problems.push(`${origins.get(name) ?? name}: ${JSON.stringify(text(values, name))} ${violation.message}`);
  }
  if (config.tlsCert !== "" && config.tlsKey === "") problems.push("--tls-cert needs --tls-key");
  if (config.tlsKey !== "" && config.tlsCert === "") problems.push("--tls-key needs --tls-cert");
  if (config.tlsClientCa !== "" && config.tlsCert === "")
    problems.push("--tls-client-ca needs --tls-cert and --tls-key");
  if (problems.length > 0) throw new AssayError(Reason.CONFIG_INVALID, problems.join("\n"));
  return config as unknown as ServerSettings;
}

function givenText(row: FlagRow, sources: SettingsSources): { text: string; origin: string } | undefined {
  const flagText = sources.flags.get(row.name);
  if (flagText !== undefined) return { text: flagText, origin: `--${row.name}` };
  const variableText = sources.environment[row.variable];
  if (variableText !== undefined) return { text: variableText, origin: row.variable };
  return undefined;
}

function assign(
  row: FlagRow,
  value: string,
  origin: string,
  values: Record<string, unknown>,
  problems: string[],
): void {
  const read = readFlagValue(row.field, value);
  if (read.kind === "fault") problems.push(`${origin}: ${read.description}`);
  else values[row.field.localName] = read.value;
}

function text(values: Record<string, unknown>, protoName: string): string {
  const row = FLAGS.find((candidate) => candidate.field.name === protoName);
  return row === undefined ? "" : String(values[row.field.localName]);
}

/** The file's values by proto name; unset where the file does not say. */
function readFile(sources: SettingsSources, problems: string[]): Record<string, unknown> | undefined {
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
    const row = FLAGS.find(({ field }) => field.name === key || field.jsonName === key);
    if (row === undefined) {
      const hint = didYouMean(
        key,
        FLAGS.map(({ field }) => field.name),
      );
      problems.push(`${configFile.name}: no setting is called ${JSON.stringify(key)}${hint}`);
      continue;
    }
    try {
      const one = fromJson(ServerConfigSchema, { [row.field.jsonName]: value } as JsonObject);
      found[row.field.name] = (one as unknown as Record<string, unknown>)[row.field.localName];
    } catch (error) {
      problems.push(`${configFile.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return found;
}
