import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

const MOST_FILES = 15;
const SHORT_LINES = 40;

/** Short files with one importer that stand for themselves, and why. */
const ALONE: Readonly<Record<string, string>> = {
  "src/edge/identity/certificate-names.ts":
    "what Node says of a certificate, as names; its reader is about keys",
  "src/app/live-threads.ts": "what the entry of every command asks, without loading a server",
  "src/edge/console/console-bundle.ts": "what starts a process; its importer reads files",
  "src/edge/inference-rest/plain-json.ts":
    "how any message is written as Triton writes it; its reader is about models",
  "src/load/loop/closed-loop.ts": "one of two loops, of which the other is long",
  "src/load/protocol/predict.ts": "a protocol, as each of its neighbours",
};

const sources = globSync("src/**/*.ts").map((file) => file.replaceAll("\\", "/"));
const written = [...sources, ...globSync("{test,bench,scripts}/**/*.ts")].filter(
  (file) => !/[\\/](gen|node_modules)[\\/]/.test(file),
);

/** By file of `src` those that it imports, types too, and entries of threads that it names. */
const imports = new Map(
  sources.map((file) => {
    const named = readFileSync(file, "utf8").matchAll(/"(\.\.?\/[^"]+\.ts)"/g);
    return [file, [...named].map((match) => normalize(join(dirname(file), match[1]!)))] as const;
  }),
);

test(`no folder of src or test holds more than ${MOST_FILES} files of code`, () => {
  const counts = new Map<string, number>();
  for (const file of written) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  expect(counts.size).toBeGreaterThan(40);
  expect([...counts].filter(([, count]) => count > MOST_FILES)).toEqual([]);
});

test(`a file of under ${SHORT_LINES} lines serves more than one other, or says why it stands alone`, () => {
  const importers = new Map<string, number>();
  for (const names of imports.values())
    for (const name of new Set(names)) importers.set(name, (importers.get(name) ?? 0) + 1);
  const short = sources.filter((file) => readFileSync(file, "utf8").split("\n").length <= SHORT_LINES);
  const alone = short.filter((file) => importers.get(file) === 1);
  expect(alone.filter((file) => !Object.hasOwn(ALONE, file))).toEqual([]);
  expect(Object.keys(ALONE).filter((file) => !alone.includes(file))).toEqual([]);
});

test("no files of src import each other in a circle, not even for a type", () => {
  const circles: string[] = [];
  const open: string[] = [];
  const done = new Set<string>();
  const visit = (file: string): void => {
    if (done.has(file)) return;
    const at = open.indexOf(file);
    if (at !== -1) {
      circles.push([...open.slice(at), file].join(" → "));
      return;
    }
    open.push(file);
    for (const name of imports.get(file) ?? []) if (imports.has(name)) visit(name);
    open.pop();
    done.add(file);
  };
  for (const file of sources) visit(file);
  expect(circles).toEqual([]);
});
