import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SCORE_FLAGS } from "../../../src/config/flag-table.ts";

test("docs/scoring-files.md lists every flag of assay score with its default", () => {
  const rows = SCORE_FLAGS.map((row) => {
    const fallback = row.default === "" ? "" : `\`${row.default}\``;
    return `| \`--${row.name}\` | ${fallback} | ${row.help.replaceAll("|", "\\|")} |`;
  });
  const page = readFileSync("docs/scoring-files.md", "utf8");
  expect(page.split("\n").filter((line) => line.startsWith("| `--"))).toEqual(rows);
});
