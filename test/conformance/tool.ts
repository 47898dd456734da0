import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** The folder that `scripts/setup-tools.sh` fills; both read the same variables. */
const TOOLS =
  process.env.ASSAY_TOOLS_DIR ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "assay-tools");

/** The path of a foreign tool. Throws, with the command that installs it, where it is absent. */
export function tool(name: string): string {
  const path = join(TOOLS, "bin", name);
  if (!existsSync(path)) throw new Error(`${path} is missing: run scripts/setup-tools.sh ${name}`);
  return path;
}

/** A folder beside the tools, for what is built once and used by later runs. */
export function toolFolder(name: string): string {
  return join(TOOLS, "built", name);
}
