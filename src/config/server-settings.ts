import { type ServerConfig, ServerConfigSchema } from "../../gen/assay/config/v1/server_config_pb.ts";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { FLAGS } from "./flag-table.ts";
import { readSettings, type SettingsSources } from "./read-settings.ts";

/** The server's configuration with every default filled in; units stand in the names. */
export type ServerSettings = {
  readonly [K in Exclude<keyof ServerConfig, `$${string}`>]-?: NonNullable<ServerConfig[K]>;
};

/**
 * Reads the configuration: flag, environment, file, default, in that order. Throws one CONFIG_INVALID that lists every
 * problem, each with where the value came from.
 */
export function readServerSettings(sources: SettingsSources): ServerSettings {
  const { values, problems } = readSettings(ServerConfigSchema, FLAGS, sources);
  const settings = values as unknown as ServerSettings;
  const missing: string[] = [];
  if (settings.tlsCert !== "" && settings.tlsKey === "") missing.push("--tls-cert needs --tls-key");
  if (settings.tlsKey !== "" && settings.tlsCert === "") missing.push("--tls-key needs --tls-cert");
  if (settings.tlsClientCa !== "" && settings.tlsCert === "")
    missing.push("--tls-client-ca needs --tls-cert and --tls-key");
  const all = [...problems, ...missing];
  if (all.length > 0) throw new AssayError(Reason.CONFIG_INVALID, all.join("\n"));
  return settings;
}
