import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { expect, test } from "vitest";

/** What each folder of src may import besides itself: a request flows edge → service → batcher → pool → worker. */
const ANYONE = [
  "errors",
  "limits",
  "wording",
  "tensor",
  "gen",
  "telemetry",
  "config-types",
  "timing",
  "package-files",
];
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  edge: ["service", "registry", "wire", "http2", ...ANYONE],
  service: ["registry", "batcher", "features", "model", ...ANYONE],
  registry: ["batcher", "pool", "features", "model", ...ANYONE],
  features: ["table", "model", ...ANYONE],
  batcher: ["pool", ...ANYONE],
  pool: ["worker", "model", ...ANYONE],
  worker: ["model", "plain-globals", ...ANYONE],
  model: ANYONE,
  wire: ["errors", "limits", "gen", "tensor"],
  http2: [],
  tensor: ["errors", "gen"],
  telemetry: ["errors", "limits", "gen", "wording", "package-files"],
  errors: ["limits", "gen"],
  limits: [],
  "package-files": [],
  "plain-globals": [],
  wording: [],
  timing: [],
  config: ANYONE,
  table: ANYONE,
  scorer: ["service", "registry", "pool", "model", "wire", ...ANYONE],
  consume: ["scorer", ...ANYONE],
  job: ["scorer", "table", "model", ...ANYONE],
  load: ["scorer", "wire", "http2", ...ANYONE],
  cli: ["config", "registry", "features", "model", "job", "consume", "load", "app", ...ANYONE],
  app: ["edge", "service", "registry", "pool", "model", "config", "plain-globals", ...ANYONE],
  main: ["cli", "app", "errors", "plain-globals"],
};

/** Packages that only some folders may import. */
const ONLY: Readonly<Record<string, readonly string[]>> = {
  "onnxruntime-node": ["worker"],
  "onnxruntime-common": ["worker"],
  "@connectrpc/connect": ["edge"],
  "@connectrpc/connect-node": ["edge"],
  "node:http": ["edge", "consume"],
  "node:http2": ["scorer", "wire"],
  "@duckdb/node-api": ["table", "job", "features"],
  "@duckdb/node-bindings": ["table"],
  "apache-arrow": ["table"],
  "node:worker_threads": ["pool", "worker", "load", "app", "table"],
  "@platformatic/kafka": ["consume"],
  ioredis: ["features"],
  pino: ["telemetry"],
  "@opentelemetry": ["telemetry"],
};

const files = globSync("src/**/*.ts").map((file) => file.replaceAll("\\", "/"));

function roomOf(file: string): string {
  const parts = file.split("/");
  if (parts[0] === "gen") return "gen";
  if (
    parts[1] === "config" &&
    /^(server-settings|score-settings|bench-settings|flag-table|consume-settings)\.ts$/.test(parts[2] ?? "")
  )
    return "config-types";
  return (parts[1] ?? "").replace(/\.ts$/, "");
}

function relativeTo(file: string, target: string): string {
  const path = relative(dirname(file), target);
  return path.startsWith(".") ? path : `./${path}`;
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  const found = [
    ...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"|new URL\(\s*"([^"]+)"|"(\.\.?\/[^"]+\.[jt]s)"/g),
  ];
  const entries = [...text.matchAll(/entryUrl\("([^"]+)"\)/g)].map((match) => `src/${match[1]}.ts`);
  const names = found.map((match) => match[1] ?? match[2] ?? match[3]!).filter((name) => name !== "");
  return [...names, ...entries.map((entry) => relativeTo(file, entry))];
}

test("imports run downward, one stage at a time", () => {
  expect(files.length).toBeGreaterThan(20);
  const wrong: string[] = [];
  for (const file of files) {
    const room = roomOf(file) === "config-types" ? "config" : roomOf(file);
    for (const name of importsOf(file)) {
      if (!name.startsWith(".")) continue;
      const target = roomOf(normalize(join(dirname(file), name)));
      const sameRoom = target === room || (room === "config" && target === "config-types");
      if (!sameRoom && !name.includes("package.json") && !(MAY_IMPORT[room] ?? []).includes(target)) {
        wrong.push(`${file} imports ${name}: ${room} may not import ${target}`);
      }
    }
  }
  expect(wrong).toEqual([]);
});

test("each package is imported only where it belongs", () => {
  const wrong: string[] = [];
  for (const file of files) {
    const room = roomOf(file);
    for (const name of importsOf(file)) {
      const owners = Object.entries(ONLY).find(
        ([owned]) => name === owned || name.startsWith(`${owned}/`),
      )?.[1];
      if (owners !== undefined && !owners.includes(room)) wrong.push(`${file} imports ${name}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("the batch job knows scorers by their interface, but for the file that wires a run", () => {
  const wirers = files.filter(
    (file) =>
      file.startsWith("src/job/") &&
      importsOf(file).some((name) => /\/scorer\//.test(name) && !name.endsWith("/scorer/scorer.ts")),
  );
  expect(wirers).toEqual(["src/job/score-run.ts"]);
});

test("only config reads the environment", () => {
  const readers = files.filter((file) => /process\.env\b/.test(readFileSync(file, "utf8")));
  expect(readers).toEqual(["src/config/environment.ts"]);
});

test("files are short, names say what they hold, exports are named", () => {
  const wrong: string[] = [];
  const written = [...globSync("test/**/*.ts"), ...globSync("bench/**/*.ts")].filter(
    (file) => !/[\\/]gen[\\/]/.test(file),
  );
  for (const file of [...files, ...written]) {
    const text = readFileSync(file, "utf8");
    const limit = file.startsWith("src/") ? 400 : 500;
    const lines = text.split("\n").length - 1;
    if (lines > limit) wrong.push(`${file} has ${lines} lines`);
    if (!/^[a-z0-9.-]+\.ts$/.test(file.split(/[\\/]/).at(-1)!)) wrong.push(`${file} is not kebab-case`);
    if (/(^|[/-])(utils?|helpers?|manager|common|misc)([/.-]|$)/.test(file))
      wrong.push(`${file} has a name that says nothing`);
    if (file.startsWith("src/") && /^export default/m.test(text)) wrong.push(`${file} has a default export`);
  }
  expect(wrong).toEqual([]);
});

// V8 takes a function that is written where it is assigned to a property for a method, and lays it among the old objects: of each
// call it keeps request and answer alive until a full collection. An object literal with a getter has a hidden class of its own.
test("what a call or a chunk makes dies young: no function is written where it is assigned to a property", () => {
  const onTheWay = files.filter((file) =>
    /^src\/(edge|http2|service|features|batcher|pool|worker|scorer|job|wire)\//.test(file),
  );
  const assigned = /\.\w+ (\?\?)?= (async )?(function\b|\w+ =>|\([^()]*\)(: [^=]+)? =>)/;
  const wrong = onTheWay.flatMap((file) =>
    readFileSync(file, "utf8")
      .split("\n")
      .flatMap((line, index) => (assigned.test(line) ? [`${file}:${index + 1} ${line.trim()}`] : [])),
  );
  expect(wrong).toEqual([]);
});

test("every export of src is documented", () => {
  const wrong: string[] = [];
  for (const file of files) {
    const lines = readFileSync(file, "utf8").split("\n");
    for (const [index, line] of lines.entries()) {
      if (!/^export (async )?(function|const|class|interface|type|enum|abstract)/.test(line)) continue;
      const above = lines[index - 1] ?? "";
      // One docstring serves a run of constants; a comment about the code may stand between it and the export.
      const documented = /\*\/\s*$/.test(above) || /^(\/\/|export const .*;$)/.test(above);
      if (!documented) wrong.push(`${file}:${index + 1} ${line.slice(0, 60)}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("clients of stores are loaded with the first source that needs them", () => {
  const atOnce = files.filter((file) => /^import (?!type)[^;]*"ioredis"/m.test(readFileSync(file, "utf8")));
  const importersOf = (file: string) =>
    files.flatMap((one) =>
      importsOf(one)
        .filter((name) => name.startsWith(".") && normalize(join(dirname(one), name)) === file)
        .map(() => one),
    );
  expect(atOnce).toEqual(["src/features/load/table-load.ts"]);
  // Which the command alone imports, and that only when it is called.
  expect(importersOf("src/features/load/table-load.ts")).toEqual(["src/cli/rows/features.ts"]);
  expect(readFileSync("src/cli/command.ts", "utf8")).toContain('await import("./rows/features.ts")');
});
