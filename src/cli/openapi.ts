import { offlineDocument } from "../app/offline-document.ts";
import { configFile } from "../config/config-file.ts";
import { readServerSettings } from "../config/server-settings.ts";
import { packageVersion } from "../package-files.ts";
import { createLog } from "../telemetry/log.ts";
import { type KnownFlags, parseArguments, wrongArguments } from "./arguments.ts";
import { readModelArguments } from "./model-arguments.ts";

const FLAGS: KnownFlags = {
  kinds: new Map([
    ["models", "value"],
    ["model", "value"],
    ["server-name", "value"],
    ["model-control", "value"],
    ["config", "value"],
    // What a server asks of its callers: the files themselves are not read.
    ["keys", "value"],
    ["jwks", "value"],
    ["jwt-issuer", "value"],
    ["jwt-audience", "value"],
    ["tls-cert", "value"],
    ["tls-key", "value"],
    ["tls-client-ca", "value"],
    ["metrics-without-key", "switch"],
  ]),
  shorts: new Map([["m", "model"]]),
};

/**
 * `assay openapi [--models DIR] [--model NAME]`: writes the OpenAPI document that a server over the same models would answer. Returns
 * the exit code: 0; 1 where a model cannot be served, and is told on standard error; 2 for wrong arguments.
 */
export async function openapi(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  { stdout, stderr }: { readonly stdout: TextOutput; readonly stderr: TextOutput },
): Promise<number> {
  const { flags, positionals, problems: unread } = parseArguments(argv, FLAGS);
  const { named, problems } = readModelArguments(positionals);
  if (unread.length + problems.length > 0) throw wrongArguments([...unread, ...problems], "openapi");
  const { model: modelName, ...serverFlags } = Object.fromEntries(flags);
  const settings = readServerSettings({
    flags: new Map(Object.entries(serverFlags)),
    environment,
    ...configFile(flags, environment),
  });
  let isRefused = false;
  const text = await offlineDocument({
    repository: named.length === 0 || settings.given.has("models") ? settings.models : undefined,
    named,
    modelName,
    facts: {
      serverName: settings.serverName,
      version: packageVersion(),
      canLoad: settings.modelControl === "explicit",
    },
    settings,
    log: createLog("error"),
    onRefused(name, version, reason) {
      isRefused = true;
      stderr.write(`${version === "" ? name : `${name} version ${version}`} is not described: ${reason}\n`);
    },
  });
  stdout.write(text);
  return isRefused ? 1 : 0;
}

interface TextOutput {
  write(text: string): unknown;
}
