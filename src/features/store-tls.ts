import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError, messageOf } from "../errors.ts";
import { isUntrusted, untrustedCertificate } from "../wording/untrusted-certificate.ts";

/**
 * How TLS is spoken with the store of a URL of the form `rediss://`; undefined where it is another. `caFile` holds the certificates that
 * are trusted, empty: those of the machine. Throws CONFIG_INVALID, which `owner` opens.
 */
export function storeTls(url: string, caFile: string, owner: string): ConnectionOptions | undefined {
  const told = (what: string, cause?: unknown) =>
    new AssayError(Reason.CONFIG_INVALID, `${owner}: ${what}`, { cause });
  if (!/^(rediss|valkeys):/.test(url)) {
    if (caFile !== "")
      throw told("certificates to trust came for a store without TLS: rediss:// is expected");
    return undefined;
  }
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  // What stands before many stores tells them apart by the name that is asked for.
  const name = isIP(host) === 0 ? { servername: host } : {};
  if (caFile === "") return name;
  try {
    const ca = readFileSync(caFile, "utf8");
    if (!ca.includes("-----BEGIN CERTIFICATE-----")) throw new Error("it holds no PEM certificate");
    return { ...name, ca };
  } catch (cause) {
    throw told(
      `the certificates of the store, ${caFile}, cannot be read: ${(cause as Error).message}`,
      cause,
    );
  }
}

/** Why a store cannot be reached, in its own words, or what to set where its certificate is not trusted. `setting` names certificates that are. */
export function whyUnreachable(error: unknown, caFile: string, setting: string): string {
  const message = messageOf(error);
  const { code = "" } = error as NodeJS.ErrnoException;
  return isUntrusted(code) ? untrustedCertificate("its", message, caFile, setting) : message;
}
