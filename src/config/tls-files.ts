import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import type { ServerSettings } from "./server-settings.ts";

const PARTS = { cert: "certificate chain", key: "private key without a passphrase", ca: "certificates" };

/** PEM texts. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** The authorities whose client certificates are required. */
  readonly clientCa?: string;
}

/**
 * Reads the files that the TLS settings name; undefined where TLS is off. Throws one CONFIG_INVALID for all that cannot be read
 * and are no PEM, or for a key that does not belong to the certificate.
 */
export function readTlsFiles(settings: ServerSettings): TlsFiles | undefined {
  if (settings.tlsCert === "") return undefined;
  const problems: string[] = [];
  const read = (setting: "tlsCert" | "tlsKey" | "tlsClientCa", part: "cert" | "key" | "ca"): string => {
    const name = settings[setting];
    try {
      const text = readFileSync(name, "utf8");
      // OpenSSL takes a file without any authority for an empty list of them.
      if (part === "ca" && !text.includes("-----BEGIN ")) throw new Error("it holds no PEM certificate");
      createSecureContext({ [part]: text });
      return text;
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      const what = code?.startsWith("ERR_OSSL")
        ? `is no PEM ${PARTS[part]} (${message})`
        : `cannot be read: ${message}`;
      problems.push(`${settings.origins[setting]}: ${name} ${what}`);
      return "";
    }
  };
  const pair = { cert: read("tlsCert", "cert"), key: read("tlsKey", "key") };
  const clientCa = settings.tlsClientCa === "" ? undefined : read("tlsClientCa", "ca");
  if (problems.length === 0) {
    try {
      createSecureContext(pair);
    } catch (cause) {
      const { message } = cause as Error;
      const { tlsKey } = settings.origins;
      problems.push(`${tlsKey}: ${settings.tlsKey} is not the key of ${settings.tlsCert} (${message})`);
    }
  }
  if (problems.length > 0) throw new AssayError(Reason.CONFIG_INVALID, problems.join("\n"));
  return clientCa === undefined ? pair : { ...pair, clientCa };
}
