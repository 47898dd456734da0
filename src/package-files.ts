import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Files of this package, which lie otherwise in the compiled package than in the sources: there each entry is one file of `dist`. */
const isSource = import.meta.url.endsWith(".ts");

/** What a thread or a process of its own is started with, from `src` on. `scripts/build.ts` makes an entry of each. */
export const ENTRIES = [
  "app/edges/edge-main",
  "load/loop/alarm-thread",
  "table/floats/float-thread",
  "worker/worker-main",
  "worker/shared-main",
  "worker/process/relay-main",
  "worker/process/shared-relay-main",
  "worker/process/process-main",
  "worker/process/process-session-main",
] as const;

/** Where an entry lies. */
export function entryUrl(entry: (typeof ENTRIES)[number]): URL {
  return new URL(isSource ? `./${entry}.ts` : `./${basename(entry)}.js`, import.meta.url);
}

/** Where a file of the pages lies: one of Swagger UI's, or the server's own. */
export function pageFileUrl(name: string, kind: "swagger" | "own"): URL {
  const folder = kind === "own" ? "./edge/console/pages" : "../node_modules/swagger-ui-dist";
  return new URL(isSource ? `${folder}/${name}` : `./pages/${name}`, import.meta.url);
}

/** Where the package keeps the schema: the folder `proto`. */
export function schemaFolder(): string {
  return join(dirname(fileURLToPath(new URL("../package.json", import.meta.url))), "proto");
}

const SCRIPTS = "../scripts";

/** What makes the page at `/` of its sources; undefined in the compiled package, where it lies beside the other pages. */
export function consoleBundler(): string | undefined {
  return isSource ? fileURLToPath(new URL(`${SCRIPTS}/console-bundle.ts`, import.meta.url)) : undefined;
}

/** The package's version, from its package.json. */
export function packageVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
