/**
 * Makes `dist`'s JavaScript of `src`: one file for each entry and what they share, with the libraries that are JavaScript alone inside,
 * since a server would look for and read 900 files otherwise, a third of the time that it takes to start. Libraries with native
 * parts, and those that find files of their own beside them, stay packages. The licences of what is inside stand in
 * `dist/THIRD-PARTY.txt`.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { type OutputChunk, rolldown } from "rolldown";
import { ENTRIES } from "../src/package-files.ts";
import { bundleConsole } from "./console-bundle.ts";

const DIST = "dist";
const OWN_PAGES = "src/edge/console/pages";
const PACKAGES = [
  /^onnxruntime-node/,
  /^@duckdb\//,
  /^apache-arrow/,
  /^pino/,
  /^@opentelemetry\//,
  /^@platformatic\//,
];

for (const name of existsSync(DIST) ? readdirSync(DIST) : []) {
  if (name !== "gen") rmSync(join(DIST, name), { recursive: true });
}
const sources = ["main", ...ENTRIES].map((entry) => [basename(entry), `src/${entry}.ts`]);
const build = await rolldown({
  input: Object.fromEntries(sources) as Record<string, string>,
  platform: "node",
  external: PACKAGES,
  tsconfig: false,
});
const { output } = await build.write({
  dir: DIST,
  format: "esm",
  entryFileNames: "[name].js",
  // Beside the entries: `src/package-files.ts` finds them from wherever it comes to lie.
  chunkFileNames: "part-[name]-[hash].js",
});
await build.close();

// What pages are made of: two files of the twelve megabytes of Swagger UI's package, its sign, and our own.
const SWAGGER = "node_modules/swagger-ui-dist";
const swaggerFiles = [
  "swagger-ui-bundle.js",
  "swagger-ui.css",
  "favicon-32x32.png",
  // What is inside of it, and whose it is.
  "swagger-ui-bundle.js.LICENSE.txt",
  "NOTICE",
];
const pageFiles = [
  ...swaggerFiles.map((name) => join(SWAGGER, name)),
  ...readdirSync(OWN_PAGES).map((name) => join(OWN_PAGES, name)),
];
mkdirSync(join(DIST, "pages"));
for (const file of pageFiles) copyFileSync(file, join(DIST, "pages", basename(file)));
const page = await bundleConsole();
for (const [name, text] of Object.entries(page.files)) writeFileSync(join(DIST, "pages", name), text);

const files = new Map<string, string[]>([[SWAGGER, []]]);
const chunks = output.filter((one): one is OutputChunk => one.type === "chunk");
for (const file of [...chunks.flatMap(({ moduleIds }) => moduleIds), ...page.modules]) {
  const root = packageRoot(file);
  // A library may be in the server and in the page.
  if (root !== undefined) files.set(root, [...new Set([...(files.get(root) ?? []), file])]);
}
const notices = [...files].sort(([one], [other]) => (one < other ? -1 : 1)).map(notice);
writeFileSync(join(DIST, "THIRD-PARTY.txt"), notices.join(`\n${"-".repeat(80)}\n\n`));

/** The folder of the package that a file is of; undefined where it is ours. */
function packageRoot(file: string): string | undefined {
  const marker = "/node_modules/";
  const at = file.lastIndexOf(marker);
  if (at === -1) return undefined;
  const [scope, name] = file.slice(at + marker.length).split("/");
  return file.slice(0, at + marker.length) + (scope!.startsWith("@") ? `${scope}/${name}` : scope);
}

/** A package's name, its licence's text, and the notices at the head of its files. */
function notice([root, sources]: [string, string[]]): string {
  const { name, version, license } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    name: string;
    version: string;
    license: string;
  };
  const file = readdirSync(root).find((one) => /^licen[cs]e/i.test(one));
  if (file === undefined && !license.includes("Apache-2.0")) {
    throw new Error(`${name} has no text of its licence, ${license}`);
  }
  // Ours is the same text, for packages that name it and leave it out.
  const text = readFileSync(file === undefined ? "LICENSE" : join(root, file), "utf8");
  const heads = new Set(sources.map((source) => headOf(readFileSync(source, "utf8"))));
  heads.delete("");
  return [`${name} ${version}, ${license}`, ...heads, text].join("\n\n");
}

/** The comment that a file begins with, where it holds a notice. */
function headOf(source: string): string {
  const head = /^(?:\/\/[^\n]*\n)+|^\/\*[\s\S]*?\*\//.exec(source)?.[0].trim() ?? "";
  return /copyright/i.test(head) ? head : "";
}
