import { readFileSync } from "node:fs";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import type { ServerSettings } from "./server-settings.ts";

/** PEM texts. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** The authorities whose client certificates are required. */
  readonly clientCa?: string;
}

/** Reads the files that the TLS settings name; undefined where TLS is off. Throws CONFIG_INVALID for a file that cannot be read. */
export function readTlsFiles(settings: ServerSettings): TlsFiles | undefined {
  if (settings.tlsCert === "") return undefined;
  const read = (setting: "tlsCert" | "tlsKey" | "tlsClientCa"): string => {
    const name = settings[setting];
    try {
      return readFileSync(name, "utf8");
    } catch (cause) {
      const what = `${settings.origins[setting]}: ${name} cannot be read: ${(cause as Error).message}`;
      throw new AssayError(Reason.CONFIG_INVALID, what, { cause });
    }
  };
  const pair = { cert: read("tlsCert"), key: read("tlsKey") };
  return settings.tlsClientCa === "" ? pair : { ...pair, clientCa: read("tlsClientCa") };
}
