/** Packs `packages/client`, the npm package `assay-client`, into the folder that is named: `node scripts/pack-client.ts FOLDER`. */
import { spawnSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";

const destination = resolve(process.argv[2] ?? ".");
const home = join("packages", "client");
for (const made of ["dist", "proto", "LICENSE"]) rmSync(join(home, made), { recursive: true, force: true });
run("node_modules/.bin/tsc", ["-p", home], ".");
for (const folder of [
  "assay/v1",
  "assay/config/v1/model_config.proto",
  "assay/config/v1/flag.proto",
  "buf",
  "google",
]) {
  cpSync(join("proto", folder), join(home, "proto", folder), { recursive: true });
}
cpSync("LICENSE", join(home, "LICENSE"));
run("npm", ["pack", "--silent", "--pack-destination", destination], home);

function run(command: string, args: readonly string[], cwd: string): void {
  const { status } = spawnSync(command, args, { cwd, stdio: "inherit" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}`);
}
