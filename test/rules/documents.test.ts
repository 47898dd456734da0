import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { expect, test } from "vitest";
import { drawnPictures } from "../../scripts/drawn-pictures.ts";

/** The pages that people read; whatever they name has to be there. */
const PAGES = globSync(
  "{*.md,docs/**/*.md,bench/*.md,examples/**/*.md,python/*.md,packages/*/*.md,src/**/*.md,test/**/*.md}",
  {
    exclude: (path) => path.includes("node_modules"),
  },
);
const FILES = new Set(
  globSync("{*,{bench,bin,examples,proto,python,packages,scripts,src,test}/**/*}.{ts,mjs,cjs,sh,py}", {
    exclude: (path) => path.includes("node_modules"),
  }).map((path) => basename(path)),
);

function named(pattern: RegExp): { page: string; name: string }[] {
  return PAGES.flatMap((page) =>
    [...readFileSync(page, "utf8").matchAll(pattern)].map((match) => ({ page, name: match[1]! })),
  );
}

test("every link to a file leads to one", () => {
  const links = named(/\]\(([^)#\s:]+)(?:#[^)]*)?\)/g);
  expect(links.length).toBeGreaterThan(20);
  expect(links.filter(({ page, name }) => !existsSync(join(dirname(page), name)))).toEqual([]);
});

test("every link to a part of a page leads to its heading", () => {
  const wrong = PAGES.flatMap((page) =>
    [...readFileSync(page, "utf8").matchAll(/\]\(([^)#\s:]*)#([^)]+)\)/g)].filter(([, file, part]) => {
      const target = file === "" ? page : join(dirname(page), file!);
      return existsSync(target) && !headings(target).includes(part!);
    }),
  );
  expect(wrong.map(([link]) => link)).toEqual([]);
});

test("every table has a heading row, and as many cells in each row", () => {
  const wrong = PAGES.flatMap((page) => {
    const text = readFileSync(page, "utf8").replace(/^```.*?^```/gms, "");
    return [...text.matchAll(/(?:^\|[ -].*\n?)+/gm)].flatMap(([table]) => {
      const rows = table.trim().split("\n");
      const widths = new Set(rows.map((row) => row.replace(/\\\||`[^`]*`/g, "").split("|").length));
      return /^\|[\s|:-]+\|$/.test(rows[1] ?? "") && widths.size === 1 ? [] : [`${page}: ${rows[0]}`];
    });
  });
  expect(wrong).toEqual([]);
});

test("every script of npm that is named is in package.json", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { scripts: object };
  const runs = named(/npm run (?:--silent )?([\w:-]+)/g);
  expect(runs.length).toBeGreaterThan(10);
  expect(runs.filter(({ name }) => !Object.hasOwn(scripts, name))).toEqual([]);
});

test("every program and module that is named in backticks is in the tree", () => {
  // A page may make files of its own: a block that opens with "python golden.py".
  const made = new Set(named(/^```\w+ (\S+\.\w+)$/gm).map(({ name }) => name));
  const files = named(/`(?:[\w.-]+\/)*([\w.-]+\.(?:ts|mjs|cjs|sh|py))`/g);
  expect(files.length).toBeGreaterThan(40);
  expect(files.filter(({ name }) => !FILES.has(name) && !made.has(name))).toEqual([]);
});

test("CONTRIBUTING.md says of each folder of src, and of each room in it, what it is for", () => {
  const page = readFileSync("CONTRIBUTING.md", "utf8");
  const lacking = folders("src").flatMap((folder) => {
    const row = page.split("\n").find((line) => line.startsWith(`| \`src/${folder}/\``));
    if (row === undefined) return [`src/${folder}`];
    return folders(`src/${folder}`)
      .filter((room) => !row.includes(`\`${room}/\``))
      .map((room) => `src/${folder}/${room}`);
  });
  expect(lacking).toEqual([]);
});

function folders(path: string): string[] {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  );
}

/** A page's headings as GitHub makes addresses of them. */
function headings(page: string): string[] {
  const lines = readFileSync(page, "utf8").match(/^#+ .*$/gm) ?? [];
  return lines.map((line) =>
    line
      .replace(/^#+ /, "")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

test("docs/README.md leads to every page of docs", () => {
  const page = readFileSync("docs/README.md", "utf8");
  const names = readdirSync("docs").filter((name) => name.endsWith(".md") && name !== "README.md");
  expect(names.filter((name) => !page.includes(`](${name})`))).toEqual([]);
});

test("the pictures of the docs are drawn from their text, as node scripts/pictures.ts does", async () => {
  const pictures = await drawnPictures();
  expect(pictures.length).toBeGreaterThan(4);
  expect(
    pictures.filter(({ path, svg }) => readFileSync(path, "utf8") !== svg).map(({ path }) => path),
  ).toEqual([]);
});

test("every message of docs/troubleshooting.md is one that the program says", () => {
  const source = globSync("{src/**/*.ts,bin/*.cjs}")
    .map((path) => readFileSync(path, "utf8"))
    .join("\n");
  const rows = readFileSync("docs/troubleshooting.md", "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  const pieces = rows.flatMap((row) =>
    [...row.split(" | ")[0]!.matchAll(/`([^`]+)`/g)].flatMap(([, message]) => message!.split("…")),
  );
  expect(rows.length).toBeGreaterThan(20);
  expect(pieces.filter((piece) => !source.includes(piece.trim()))).toEqual([]);
});
