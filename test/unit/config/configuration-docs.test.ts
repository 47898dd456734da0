import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { FLAGS } from "../../../src/config/flag-table.ts";

test("docs/configuration.md lists every setting with its default", () => {
  const rows = FLAGS.map((row) => {
    const fallback = row.default === "" ? "" : `\`${row.default}\``;
    return `| \`--${row.name}\` | \`${row.variable}\` | \`${row.field.name}\` | ${fallback} | ${row.help} |`;
  });
  const page = readFileSync("docs/configuration.md", "utf8");
  expect(page.split("\n").filter((line) => line.startsWith("| `--"))).toEqual(rows);
});
