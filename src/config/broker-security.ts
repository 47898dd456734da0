import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { ConsumeConfig } from "../../gen/assay/config/v1/consume_config_pb.ts";

/** The variable that holds the password for `--sasl-username`. */
export const SASL_PASSWORD_VARIABLE = "ASSAY_SASL_PASSWORD";

/** How brokers are spoken with, as the files and the environment hold it. */
export interface BrokerSecurity {
  /** PEM texts, each undefined where none is named; undefined as a whole: without TLS. */
  readonly tlsTexts:
    | { readonly ca: string | undefined; readonly cert: string | undefined; readonly key: string | undefined }
    | undefined;
  /** Undefined: without SASL. */
  readonly saslPassword: string | undefined;
}

type SecurityConfig = Pick<
  ConsumeConfig,
  "tls" | "tlsCaFile" | "tlsCertFile" | "tlsKeyFile" | "saslMechanism" | "saslUsername" | "saslPasswordFile"
>;

const PARTS = { ca: "certificates", cert: "certificate chain", key: "private key without a passphrase" };

/**
 * Reads what TLS and SASL need. No flag holds a password, since what is typed stands in the list of processes. What is wrong is added
 * to `problems`, without what the files hold.
 */
export function readBrokerSecurity(
  config: SecurityConfig,
  origins: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string | undefined>>,
  problems: string[],
): BrokerSecurity {
  for (const name of ["tlsCaFile", "tlsCertFile", "tlsKeyFile"] as const)
    if (config[name] !== "" && !config.tls) problems.push(`${origins[name]} needs --tls`);
  if ((config.tlsCertFile === "") !== (config.tlsKeyFile === ""))
    problems.push(`${origins.tlsCertFile} and ${origins.tlsKeyFile} come together`);
  const read = (name: "tlsCaFile" | "tlsCertFile" | "tlsKeyFile", part: keyof typeof PARTS) =>
    readPem(config[name], origins[name], part, problems);
  const tlsTexts = {
    ca: read("tlsCaFile", "ca"),
    cert: read("tlsCertFile", "cert"),
    key: read("tlsKeyFile", "key"),
  };
  const saslPassword = readPassword(config, origins, environment, problems);
  return { tlsTexts: config.tls ? tlsTexts : undefined, saslPassword };
}

function readPassword(
  { saslMechanism, saslUsername, saslPasswordFile }: SecurityConfig,
  origins: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string | undefined>>,
  problems: string[],
): string | undefined {
  const fromFile =
    saslPasswordFile === "" ? undefined : readText(saslPasswordFile, origins.saslPasswordFile, problems);
  if (saslMechanism === "") {
    if (saslUsername !== "") problems.push(`${origins.saslUsername} needs --sasl-mechanism`);
    return undefined;
  }
  // Editors and `echo` end a file with a line feed, and a password has none.
  const password = (saslPasswordFile === "" ? environment[SASL_PASSWORD_VARIABLE] : fromFile)?.trim() ?? "";
  if (saslUsername === "" || (password === "" && saslPasswordFile === ""))
    problems.push(
      `${origins.saslMechanism} needs --sasl-username, and --sasl-password-file or the variable ${SASL_PASSWORD_VARIABLE}`,
    );
  else if (password === "" && fromFile !== undefined)
    problems.push(`${origins.saslPasswordFile}: ${saslPasswordFile} is empty; a password is expected`);
  return password;
}

function readPem(
  file: string,
  origin: string | undefined,
  part: keyof typeof PARTS,
  problems: string[],
): string | undefined {
  if (file === "") return undefined;
  const text = readText(file, origin, problems);
  if (text === undefined) return undefined;
  try {
    // OpenSSL takes a file without any authority for an empty list of them.
    if (!text.includes("-----BEGIN ")) throw new Error("no PEM block is in it");
    createSecureContext({ [part]: text });
    return text;
  } catch (cause) {
    problems.push(`${origin}: ${file} is no PEM ${PARTS[part]} (${(cause as Error).message})`);
    return undefined;
  }
}

function readText(file: string, origin: string | undefined, problems: string[]): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    problems.push(`${origin}: ${file} cannot be read: ${(error as Error).message}`);
    return undefined;
  }
}
