import { type ServerConfig, ServerConfigSchema } from "../../gen/assay/config/v1/server_config_pb.ts";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import { FLAGS } from "./flag-table.ts";
import { readSettings, type SettingsSources } from "./read-settings.ts";

/** The server's configuration with every default filled in; units stand in the names. */
export type ServerSettings = {
  readonly [K in Exclude<keyof ServerConfig, `$${string}`>]-?: NonNullable<ServerConfig[K]>;
} & {
  /** Where each value came from, by its name here, as a message names it: `--port`, `ASSAY_PORT`, `port in assay.json`. */
  readonly origins: Readonly<Record<string, string>>;
  /** The names of those that were given, and not left to their default. */
  readonly given: ReadonlySet<string>;
};

/**
 * Reads the configuration: flag, environment, file, default, in that order. Throws one CONFIG_INVALID that lists every
 * problem, each with where the value came from.
 */
export function readServerSettings(sources: SettingsSources): ServerSettings {
  const { values, problems, origins, given } = readSettings(ServerConfigSchema, FLAGS, sources);
  const read = { ...values, origins, given } as unknown as ServerSettings;
  const settings = read.watch && !given.has("modelControl") ? { ...read, modelControl: "poll" } : read;
  const { tlsCert, tlsKey, tlsClientCa } = settings;
  const missing: string[] = [];
  if (tlsCert !== "" && tlsKey === "") missing.push(`${origins.tlsCert} needs --tls-key`);
  if (tlsKey !== "" && tlsCert === "") missing.push(`${origins.tlsKey} needs --tls-cert`);
  if (tlsClientCa !== "" && tlsCert === "")
    missing.push(`${origins.tlsClientCa} needs --tls-cert and --tls-key`);
  const all = [
    ...problems,
    ...missing,
    ...wrongOrigins(settings),
    ...wrongControl(settings),
    ...wrongTokens(settings),
  ];
  if (all.length > 0) throw new AssayError(Reason.CONFIG_INVALID, all.join("\n"));
  return settings;
}

/** What says of the same thing two things, or would do nothing. */
function wrongControl({ watch, modelControl, loadModel, origins }: ServerSettings): string[] {
  const wrong: string[] = [];
  if (watch && modelControl !== "poll")
    wrong.push(
      `${origins.watch}: it means --model-control poll, and ${origins.modelControl} says ${modelControl}: give one of the two`,
    );
  if (loadModel.length > 0 && modelControl !== "explicit")
    wrong.push(
      `${origins.loadModel} needs --model-control explicit: with ${modelControl} every model is loaded at the start`,
    );
  return wrong;
}

/** A token without an issuer and an audience that are checked could be anybody's. */
function wrongTokens(settings: ServerSettings): string[] {
  const { jwks, jwtIssuer, jwtAudience, keys, metricsWithoutKey, origins } = settings;
  const wrong: string[] = [];
  if (jwks !== "" && (jwtIssuer === "" || jwtAudience.length === 0))
    wrong.push(`${origins.jwks} needs --jwt-issuer and --jwt-audience`);
  if (jwks === "" && jwtIssuer !== "") wrong.push(`${origins.jwtIssuer} needs --jwks`);
  if (jwks === "" && jwtAudience.length > 0) wrong.push(`${origins.jwtAudience} needs --jwks`);
  if (/^http:\/\//i.test(jwks) && !/^http:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/]/i.test(jwks))
    wrong.push(`${origins.jwks}: keys that come by http could be anybody's; expected is https, or a file`);
  else if (/^https?:/i.test(jwks) && !URL.canParse(jwks)) wrong.push(`${origins.jwks}: ${jwks} is no URL`);
  if (metricsWithoutKey && keys === "" && jwks === "")
    wrong.push(
      `${origins.metricsWithoutKey} needs --keys or --jwks: without them everybody reads the metrics`,
    );
  return wrong;
}

/** Origins that no browser sends, and that would therefore never match. */
function wrongOrigins({ corsOrigins, origins }: ServerSettings): string[] {
  const wrong = corsOrigins.filter((one) => one !== "*" && one !== "null" && !isOrigin(one));
  return wrong.map(
    (one) =>
      `${origins.corsOrigins}: ${JSON.stringify(one)} is no origin; expected is scheme and host as browsers send them, https://example.com or http://localhost:3000, without a path, or *`,
  );
}

function isOrigin(text: string): boolean {
  // URL's own origin is "null" for schemes of browser extensions.
  if (/^(?!https?:)[a-z][a-z0-9+.-]*:\/\/[^/?#\s]+$/.test(text)) return true;
  return URL.canParse(text) && new URL(text).origin === text;
}
