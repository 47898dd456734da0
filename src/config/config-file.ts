/** The file of settings that `--config` or `ASSAY_CONFIG` names. */
import { readFileSync } from "node:fs";
import { Reason } from "../../gen/assay/v1/error_pb.ts";
import { AssayError } from "../errors.ts";
import type { SettingsSources } from "./read-settings.ts";

/** Reads it, for `readServerSettings`; empty where none is named. Throws CONFIG_INVALID where it cannot be read. */
export function configFile(
  flags: ReadonlyMap<string, string>,
  environment: Readonly<Record<string, string | undefined>>,
): Pick<SettingsSources, "configFile"> {
  const name = flags.get("config") ?? environment.ASSAY_CONFIG;
  if (name === undefined) return {};
  const text = readConfig(name, flags.has("config") ? "--config" : "ASSAY_CONFIG");
  return { configFile: { name, text } };
}

function readConfig(name: string, origin: string): string {
  try {
    return readFileSync(name, "utf8");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why =
      code === "ENOENT"
        ? "there is no such file"
        : code === "EISDIR"
          ? "it is a folder; a file with settings as JSON is expected"
          : message;
    throw new AssayError(Reason.CONFIG_INVALID, `${origin} ${name} cannot be read: ${why}`, { cause });
  }
}
