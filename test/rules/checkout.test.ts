import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";

/** Where everything that is read lies in the checkout itself, so that the README's two commands work in a plain clone. */
const PLAIN = "{src,test,examples,docs,bench,scripts}/**/*.{ts,mjs,cjs,js,py,sh,md,json,yaml,txt,toml,rs}";
/** The group that `npm run test:shared` runs where the big tables and the many models lie beside the checkout. */
const SHARED_GROUP = /^test\/shared\//;
/** What a test sends as an attack is not read, and the compiled files lie one folder deeper than the written ones. */
const NO_FILE = /^(\.\.\/)+((etc|proc|dev)\b|package\.json$)/;

const files = globSync(PLAIN, { exclude: (path) => /node_modules|[\\/]gen[\\/]/.test(path) })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => !SHARED_GROUP.test(file));

/** The texts of a file that leave the checkout, taken from the file's own folder. */
function leavingIn(file: string, text: string): string[] {
  const paths = text.match(/(?<![\w./-])(\.\.?\/)*\.\.\/[\w.*{},-]+(\/[\w.*{},-]+)*/g) ?? [];
  return paths.filter(
    (path) => !NO_FILE.test(path) && relative(".", join(dirname(file), path)).startsWith(".."),
  );
}

test("nothing that npm start and npm test run reads outside the checkout", () => {
  expect(files.length).toBeGreaterThan(500);
  const wrong = files.flatMap((file) => {
    const text = readFileSync(file, "utf8");
    const beside = text.match(/\.\.\/shared\/(data|models|faults|cases|reference|peers)\b/g) ?? [];
    return [...leavingIn(file, text), ...beside].map((path) => `${file} names ${path}`);
  });
  expect(wrong).toEqual([]);
});

test("a path that leaves the checkout is seen", () => {
  const up = "../../";
  const text = `new URL("${up}${up}${up}beside/x.csv"); join(folder, "${up}data/x.csv")`;
  expect(leavingIn("test/unit/x.test.ts", text)).toEqual([`${up}${up}${up}beside/x.csv`]);
});
