import { type ScoreConfig, ScoreConfigSchema } from "../../gen/assay/config/v1/score_config_pb.ts";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { readClientKey } from "./client-key.ts";
import { SCORE_FLAGS } from "./flag-table.ts";
import { readSettings, type SettingsSources } from "./read-settings.ts";

/** Texts whose absence is not the same as their being empty. */
type OptionalText = "textForNull" | "csvQuote" | "csvNull";

/** The configuration of `assay score` with every default filled in; units stand in the names. */
export type ScoreSettings = {
  readonly [K in Exclude<keyof ScoreConfig, `$${string}` | "input" | "map" | OptionalText>]-?: NonNullable<
    ScoreConfig[K]
  >;
} & Pick<ScoreConfig, OptionalText> & {
    /** What `--input` says, and the paths after the flags. */
    readonly inputs: readonly string[];
    /** Input or feature to column. */
    readonly maps: ReadonlyMap<string, string>;
    /** To call the server with; undefined: none. */
    readonly key: string | undefined;
    /** Where each value came from, by its name here, as a message names it: `--model` or `ASSAY_MODEL`. */
    readonly origins: Readonly<Record<string, string>>;
  };

/**
 * Reads the configuration: flag, environment, default, in that order; `paths` are what stood after the flags, as a shell
 * leaves them that expands a glob. Throws one CONFIG_INVALID that lists every problem.
 */
export function readScoreSettings(sources: SettingsSources, paths: readonly string[]): ScoreSettings {
  const { values, problems, origins } = readSettings(ScoreConfigSchema, SCORE_FLAGS, sources);
  const config = values as unknown as ScoreConfig;
  const all = [...problems];
  const inputs = [config.input, ...paths].filter((one) => one !== "");
  if (inputs.length === 0)
    all.push("--input is missing: a file, a glob, 'sql:SELECT …', or - for standard input");
  if (inputs.length > 1 && inputs.some((one) => one === "-" || one.startsWith("sql:")))
    all.push(`${origins.input}: standard input and sql: stand alone, other inputs came beside them`);
  if (config.inferTypes && inputs.includes("-"))
    all.push(
      `${origins.inferTypes} reads the input once beforehand, and standard input can only be read once: store it in a file`,
    );
  if (config.output === "" && !config.dryRun)
    all.push(
      "--output is missing: a file ending in .parquet, .csv, .ndjson or .arrow, or - for standard output",
    );
  if (config.overwrite && config.output === "-")
    all.push(`${origins.overwrite}: standard output replaces nothing`);
  const maps = new Map<string, string>();
  for (const pair of config.map) {
    const at = pair.indexOf("=");
    const name = pair.slice(0, at);
    if (maps.has(name)) all.push(`${origins.map}: ${JSON.stringify(name)} came twice`);
    maps.set(name, pair.slice(at + 1));
  }
  if (config.byPosition && maps.size > 0)
    all.push(`${origins.byPosition} and ${origins.map} exclude each other`);
  if (config.columns.length > 0 && (config.byPosition || maps.size > 0))
    all.push(
      `${origins.columns} and ${config.byPosition ? origins.byPosition : origins.map} exclude each other`,
    );
  const key = readClientKey(config.keyFile, origins.keyFile, sources.environment, all);
  if (config.keyFile !== "" && config.server === "") all.push(`${origins.keyFile} needs --server`);
  if (all.length > 0) throw new AssayError(Reason.CONFIG_INVALID, all.join("\n"));
  return { ...config, inputs, maps, origins, key } as unknown as ScoreSettings;
}
