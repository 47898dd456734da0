import { existsSync, readFileSync } from "node:fs";

/** The package's version, from its package.json; this file lies one folder deeper in the compiled package. */
export function packageVersion(): string {
  const near = new URL("../../package.json", import.meta.url);
  const file = existsSync(near) ? near : new URL("../../../package.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
  return version;
}
