import { type ConsumeConfig, ConsumeConfigSchema } from "../../gen/assay/config/v1/consume_config_pb.ts";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { type BrokerSecurity, readBrokerSecurity } from "./broker-security.ts";
import { readClientKey } from "./client-key.ts";
import { CONSUME_FLAGS } from "./flag-table.ts";
import { readSettings, type SettingsSources } from "./read-settings.ts";

/** The configuration of `assay consume` with every default filled in; units stand in the names. */
export type ConsumeSettings = {
  readonly [K in Exclude<keyof ConsumeConfig, `$${string}` | "metricsPort">]-?: NonNullable<ConsumeConfig[K]>;
} & Pick<ConsumeConfig, "metricsPort"> &
  BrokerSecurity & {
    /** To call the server with; undefined: none. */
    readonly key: string | undefined;
    /** Where each value came from, by its name here, as a message names it. */
    readonly origins: Readonly<Record<string, string>>;
  };

/** Names of topics, groups and brokers are the brokers' business; what a client cannot do without is not. */
const NEEDED = [
  ["inputTopic", "the topic that rows come from"],
  ["outputTopic", "the topic that scores go to"],
  ["group", "the consumer group"],
] as const;
const TOPIC = /^[a-zA-Z0-9._-]{1,249}$/;

/**
 * Reads the configuration: flag, environment, default, in that order. Throws one CONFIG_INVALID that lists every problem.
 */
export function readConsumeSettings(sources: SettingsSources): ConsumeSettings {
  const { values, problems, origins } = readSettings(ConsumeConfigSchema, CONSUME_FLAGS, sources);
  const config = values as unknown as ConsumeConfig;
  const all = [...problems];
  if (config.brokers.length === 0) all.push("--brokers is missing: addresses such as localhost:9092");
  for (const [name, what] of NEEDED) {
    if (config[name] === "") all.push(`${origins[name]} is missing: ${what}`);
  }
  const deadLetterTopic = config.deadLetterTopic || `${config.outputTopic}-dead-letter`;
  for (const name of ["inputTopic", "outputTopic", "deadLetterTopic"] as const) {
    if (config[name] !== "" && !TOPIC.test(config[name]))
      all.push(
        `${origins[name]}: ${JSON.stringify(config[name])} came; a topic's name has letters, digits, dots, dashes and underscores, at most 249`,
      );
  }
  const isLoop =
    config.inputTopic !== "" && [config.outputTopic, deadLetterTopic].includes(config.inputTopic);
  if (isLoop) all.push(`${origins.inputTopic}: rows would be read from the topic that they are written to`);
  if (config.outputTopic !== "" && deadLetterTopic === config.outputTopic)
    all.push(`${origins.deadLetterTopic}: scores and rows without one need topics of their own`);
  const key = readClientKey(config.keyFile, origins.keyFile, sources.environment, all);
  if (config.keyFile !== "" && config.server === "") all.push(`${origins.keyFile} needs --server`);
  const security = readBrokerSecurity(config, origins, sources.environment, all);
  if (all.length > 0) throw new AssayError(Reason.CONFIG_INVALID, all.join("\n"));
  const read = { ...config, ...security, deadLetterTopic, key, origins };
  return read as unknown as ConsumeSettings;
}
