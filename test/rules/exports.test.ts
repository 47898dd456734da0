import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** Used by tests alone, each for its reason. */
const EXCEPTIONS: ReadonlySet<string> = new Set([
  // A column of the table that RFC 9113 has; PRIORITY changes no state, so nobody asks for it.
  "RECEIVE_PRIORITY",
]);

test("nothing in src is there for tests alone: each exported value is used in src", () => {
  const texts = new Map(globSync("src/**/*.ts").map((file) => [file, readFileSync(file, "utf8")]));
  const words = new Map<string, number>();
  for (const text of texts.values()) {
    for (const [word] of text.matchAll(/[A-Za-z_$][\w$]*/g)) words.set(word, (words.get(word) ?? 0) + 1);
  }
  const unused: string[] = [];
  for (const [file, text] of texts) {
    for (const [, name] of text.matchAll(
      /^export (?:async )?(?:abstract )?(?:function\*?|const|class|enum) (\w+)/gm,
    )) {
      if (words.get(name!) === 1 && !EXCEPTIONS.has(name!)) unused.push(`${file} ${name}`);
    }
  }
  expect(texts.size).toBeGreaterThan(200);
  expect(unused).toEqual([]);
});
